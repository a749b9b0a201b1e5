"""Hostile files: each is handled, or refused in one plain sentence; nothing hangs, and nothing is kept of it."""

import os
import pickle
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.config import parse_config
from lemnis.engine.errors import BadInput, ConfigError, LemnisError

Make = Callable[[Path], None]


def text(content: str | bytes) -> Make:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode()) and None


def parquet(**columns: Any) -> Make:
    def write(path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), path)

    return write


def bomb(path: Path) -> None:
    """A kilobyte that is 2 GB of text: one value, standing 2,048 times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    value = pa.DictionaryArray.from_arrays(pa.array([0] * 2048, pa.int32()), pa.array(["x" * (1 << 20)]))
    pq.write_table(pa.table({"a": value}), path, compression="zstd")


def same_names(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)


def many_columns(path: Path) -> None:
    parquet(**{f"c{number}": [1] for number in range(2_001)})(path)


def many_groups(path: Path) -> None:
    """A footer that claims more bytes than one is allowed; it is refused before it is read."""
    with open(path, "wb") as file:
        file.write(b"PAR1")
        file.truncate(65 << 20)
        file.seek(0, 2)
        file.write(struct.pack("<I", (65 << 20) - 8) + b"PAR1")


def truncated(path: Path) -> None:
    parquet(a=list(range(1000)))(path)
    path.write_bytes(path.read_bytes()[:-200])


def deep(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind, value = pa.int64(), 1
    for _ in range(60):
        kind, value = pa.list_(kind), [value]
    pq.write_table(pa.table({"a": pa.array([value], kind)}), path)


REFUSED = {
    "H01 empty": ("csv", text(""), "is empty"),
    "H04 an open quote": ("csv", text('a,b\n"1,2\n3,4\n'), "never closed"),
    "H05 UTF-16": ("csv", text("a,b\n1,2\n".encode("utf-16")), "not UTF-8"),
    "H05 UTF-16 without mark": ("csv", text("a,b\n1,2\n".encode("utf-16-le")), "not UTF-8"),
    "H05 Latin-1": ("csv", text("a,b\né,2\n".encode("latin-1")), "not UTF-8"),
    "H05 CP949": ("csv", text("이름,나이\n김,1\n".encode("cp949")), "not UTF-8"),
    "H05 random bytes": ("csv", text(bytes(range(255, 0, -1)) * 40), ""),
    "H11 a bar in one column": ("csv", text("=cmd|' /C calc'!A0\n1\n"), "the header is one column"),
    "H13 20,000 columns": ("csv", text(",".join(f"c{n}" for n in range(20_000)) + "\n"), "20,000 columns"),
    "H17 Parquet, cut off": ("parquet", truncated, "no Parquet file"),
    "H17 Parquet, only its marks": ("parquet", text(b"PAR1" + b"\xff" * 50 + b"PAR1"), "no Parquet file"),
    "H19 Parquet bomb": ("parquet", bomb, "unpacks to"),
    "H20 Parquet, too many columns": ("parquet", many_columns, "2,001 columns"),
    "H20 Parquet, a footer of 65 MB": ("parquet", many_groups, "footer"),
    "H20 Parquet, a name twice": ("parquet", same_names, "stands twice"),
    "H20 Parquet, nested 60 deep": ("parquet", deep, "too deeply nested"),
    "H22 JSON NaN": ("jsonl", text('{"a": 1}\n{"a": NaN}\n'), "no JSON"),
    "H22 JSON Infinity": ("jsonl", text('{"a": Infinity}\n'), "no JSON"),
    "H22 JSON 1e999": ("jsonl", text('{"a": 1e999}\n'), "larger than any"),
    "H22 JSON, a key twice": ("jsonl", text('{"a": 1, "a": 2}\n'), "duplicate key"),
    "H22 JSON, keys that differ by case": ("jsonl", text('{"a": 1, "A": 2}\n'), "in two ways"),
    "H22 JSON, half a surrogate": ("jsonl", text('{"a": "\\ud800"}\n'), "no JSON"),
    "H22 JSON, not UTF-8": ("jsonl", text(b'{"a": "\xff"}\n'), "not UTF-8"),
    "H22 JSON, no object": ("jsonl", text("[1, 2]\n"), "no object"),
    "H22 JSON, 100,000 deep": ("jsonl", text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n"), "deep"),
    "H23 a number of 5,000 digits": ("jsonl", text('{"a": ' + "9" * 5000 + "}\n"), "larger than any"),
    "a row of 3 MB": ("csv", text("a\n" + "x" * 3_000_000 + "\n"), "longer than"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_in_one_sentence_and_leaves_nothing(desk: Any, name: str) -> None:
    kind, make, words = REFUSED[name]
    make(desk.root / "hostile")
    desk.declare(sources={"table": {"path": "hostile", "format": kind}})
    started = time.monotonic()
    with pytest.raises(LemnisError) as refused:
        desk.sync()
    assert time.monotonic() - started < 30
    assert words in refused.value.problem
    assert refused.value.problem.isprintable()
    assert len(refused.value.problem) < 500
    assert refused.value.remedy
    assert desk.engine.data.snapshots() == []
    assert [path.name for path in desk.engine.workspace.data.iterdir()] == []
    assert desk.engine.data.sources()[0].state == "failed"


HANDLED = {
    "H02 header alone": ("csv", text("a,b\n"), []),
    "H07 NUL in a cell": ("csv", text("a,b\nx\0y,1\n"), [{"a": "x\0y", "b": 1}]),
    "H08 escapes in the header": ("csv", text("\x1b[2Jx,b\n1,2\n"), [{"\x1b[2Jx": 1, "b": 2}]),
    "H10 SQL in the header": ("csv", text('"a"";drop table x;--",b\n1,2\n'), [{'a";drop table x;--': 1, "b": 2}]),
    "H11 a formula in a cell": ("csv", text("a\n=cmd|' /C calc'!A0\n"), [{"a": "=cmd|' /C calc'!A0"}]),
    "a mark in front": ("csv", text("\ufeffa,b\n1,2\n"), [{"a": 1, "b": 2}]),
    "blank lines between JSON": ("jsonl", text('{"a": 1}\n\n{"a": 2}\n'), [{"a": 1}, {"a": 2}]),
    "Korean names and values": ("csv", text("이름,나이\n김철수,1\n"), [{"이름": "김철수", "나이": 1}]),
}  # fmt: skip


@pytest.mark.parametrize("name", HANDLED)
def test_an_odd_file_is_read_as_it_is(desk: Any, name: str) -> None:
    kind, make, rows = HANDLED[name]
    make(desk.root / "이상한 파일")
    desk.declare(sources={"table": {"path": "이상한 파일", "format": kind}})
    desk.sync()
    assert desk.rows() == rows


def test_integers_that_turn_into_text_after_30000_rows_are_text_or_refused_with_line_and_value(desk: Any) -> None:
    desk.source("a\n" + "1\n" * 30_000 + "x\n")  # H14
    desk.sync()
    assert desk.types() == {"a": "string"}
    desk.source("a\n" + "1\n" * 30_000 + "x\x1b[2J\n", types={"a": "BIGINT"})
    with pytest.raises(BadInput, match="holds 'x␛") as refused:
        desk.sync()
    assert refused.value.place.endswith(":30002")


@pytest.mark.parametrize("suffix", ["pkl", "joblib", "npy", "yaml"])
def test_objects_are_never_loaded(desk: Any, suffix: str) -> None:
    (desk.root / f"x.{suffix}").write_bytes(pickle.dumps(os.getcwd))  # H41
    desk.declare(sources={"table": {"path": f"x.{suffix}"}})
    with pytest.raises(BadInput, match="holds objects"):
        desk.sync()


SETTINGS = {
    "H37 a wrong type": "[sources.a]\npath = 3\n",
    "H37 an unknown key": '[sources.a]\npath = "x"\ndelimeter = ";"\n',
    "H37 a very deep table": "[" + ".".join(["a"] * 400_000) + "]\n",
    "H37 a deep array": "a = " + "[" * 100_000 + "]" * 100_000 + "\n",
    "H37 NaN": "[problem.value]\ntrue_positive = 1\ntrue_positive = nan\n",
    "H37 a key twice": '[sources.a]\npath = "x"\npath = "y"\n',
    "H37 control characters": '[sources.a]\npath = "x\x00y"\n',
    "H40 two delimiters": '[sources.a]\npath = "x"\ndelimiter = ";;"\n',
    "H40 append to Parquet": '[sources.a]\npath = "x"\nformat = "parquet"\nappend = true\n',
    "H40 a schedule without a cadence": '[sources.a]\npath = "x"\nsync = "scheduled"\n',
    "H40 a cadence that is none": (
        '[sources.a]\npath = "x"\nsync = "scheduled"\n[[problem.acquisition]]\nsource = "a"\ncadence = "10 minutes"\n'
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_hostile_settings_are_refused_with_their_place(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(SETTINGS[name])
    assert len(refused.value.problem) < 500
    assert refused.value.place.startswith("lemnis.toml")


def test_settings_of_100_megabytes_are_not_read(tmp_path: Path) -> None:
    from lemnis.engine.config import load_config

    path = tmp_path / "lemnis.toml"
    with open(path, "wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(ConfigError, match="larger than"):
        load_config(path)


@pytest.mark.slow
def test_memory_stays_bounded_however_much_a_small_parquet_file_stands_for(desk: Any) -> None:
    """500 MB in each 2,048 rows are refused; 100 MB are read, in small batches, a GB in all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    value = pa.DictionaryArray.from_arrays(pa.array([0] * 20_480, pa.int32()), pa.array(["x" * 50_000]))
    pq.write_table(pa.table({"a": value}), desk.root / "large.parquet")
    assert (desk.root / "large.parquet").stat().st_size < 100_000
    desk.declare(sources={"table": {"path": "large.parquet", "format": "parquet"}})
    code = f"""
        import resource
        from lemnis.engine import Engine
        from lemnis.engine.data import jobs
        from lemnis.engine.jobs.context import JobContext
        from lemnis.engine.workspace import Workspace
        from pathlib import Path
        engine = Engine(Workspace(Path({str(desk.root)!r})))
        print(jobs.sync(JobContext.for_test(engine.store), {{}})["sources"][0]["rows"])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=True
    )
    rows, peak = map(int, done.stdout.split())
    assert rows == 20_480
    assert peak < 2 << 30
