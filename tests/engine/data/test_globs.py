"""Sources of several files, and files that only grow: what is held is not read again, and the table is the same."""

import builtins
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.files import sha256_of


def logs(desk: Any, pattern: str = "logs/*.csv", **facts: Any) -> None:
    (desk.root / "logs").mkdir(exist_ok=True)
    desk.declare(sources={"table": {"path": pattern, **facts}})


def why(desk: Any) -> str:
    return desk.engine.data.sources()[0].why


def test_files_of_a_pattern_are_one_table_in_the_order_of_their_names(desk: Any) -> None:
    logs(desk, filename="file")
    desk.write("logs/2026-02.csv", "a,b\n3,x\n")
    desk.write("logs/2026-01.csv", "a,b\n1,x\n2,y\n")
    desk.sync()
    assert [(row["a"], row["file"]) for row in desk.rows()] == [
        (1, "2026-01.csv"),
        (2, "2026-01.csv"),
        (3, "2026-02.csv"),
    ]


def test_a_new_file_is_appended_and_the_others_are_not_opened(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lemnis.engine.data import sync

    logs(desk)
    desk.write("logs/1.csv", "a\n1\n")
    desk.write("logs/2.csv", "a\n2\n")
    desk.sync()
    read: list[str] = []
    piece_of = sync.piece_of
    monkeypatch.setattr(sync, "piece_of", lambda *a: read.append(Path(a[1].name).name) or piece_of(*a))
    desk.write("logs/3.csv", "a\n3\n")
    assert desk.engine.data.sources()[0].why == "files since the last sync: 1 new"
    done = desk.sync()["sources"][0]
    assert (done["rows"], done["read"], done["new"], read) == (3, 1, True, ["3.csv"])
    assert why(desk) == "1 rows added"
    assert [row["a"] for row in desk.rows()] == [1, 2, 3]


def test_an_unchanged_source_costs_a_stat(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logs(desk)
    for number in range(50):
        desk.write(f"logs/{number:02}.csv", "a\n1\n")
    desk.sync()
    opened: list[str] = []
    os_open, io_open = os.open, builtins.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: opened.append(str(path)) or os_open(path, *a, **k))
    monkeypatch.setattr(builtins, "open", lambda path, *a, **k: opened.append(str(path)) or io_open(path, *a, **k))
    assert desk.sync()["sources"][0]["new"] is False
    assert [path for path in opened if "logs" in path] == []


@pytest.mark.slow
def test_what_is_appended_gives_the_very_file_that_reading_all_gives(desk: Any) -> None:
    logs(desk)
    desk.write("logs/1.csv", "a,b\n" + "".join(f"{n},x{n % 7}\n" for n in range(70_000)))
    desk.sync()
    desk.write("logs/2.csv", "a,b\n" + "".join(f"{n},y\n" for n in range(130_000)))
    desk.sync()
    appended = desk.engine.data.snapshots()[0]
    assert sha256_of(appended.path) == appended.sha256
    desk.declare(sources={"table": {"path": "logs/*.csv", "null": ["", "never"]}})  # another reading: all is read
    assert desk.sync()["sources"][0]["read"] == 200_000
    assert desk.engine.data.snapshots()[0].sha256 == appended.sha256


def test_a_file_that_is_gone_or_was_changed_has_all_read_again(desk: Any) -> None:
    logs(desk)
    for number in (1, 2, 3):
        desk.write(f"logs/{number}.csv", f"a\n{number}\n")
    desk.sync()
    desk.write("logs/1.csv", "a\n10\n")
    desk.sync()
    assert why(desk) == "new snapshot: 1.csv has changed"
    (desk.root / "logs/2.csv").unlink()
    desk.sync()
    assert why(desk) == "new snapshot: 2.csv is gone"
    assert [row["a"] for row in desk.rows()] == [10, 3]


def test_a_new_file_whose_values_need_another_type_has_all_read_again_and_says_so(desk: Any) -> None:
    logs(desk)
    desk.write("logs/1.csv", "a\n1\n")
    desk.sync()
    desk.write("logs/2.csv", "a\nx\n")
    desk.sync()
    assert why(desk) == "new snapshot: a is VARCHAR, was BIGINT"
    assert desk.rows() == [{"a": "1"}, {"a": "x"}]


@pytest.mark.parametrize(("header", "words"), [("a\n1\n", "lacks b"), ("a,b,c\n1,2,3\n", "has c besides")])
def test_a_file_with_other_columns_is_named(desk: Any, header: str, words: str) -> None:
    logs(desk)
    desk.write("logs/1.csv", "a,b\n1,2\n")
    desk.write("logs/2.csv", header)
    with pytest.raises(BadInput, match=rf"2\.csv {words}, unlike 1\.csv"):
        desk.sync()


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "escape", "nothing"])
def test_what_is_no_file_is_refused_in_a_pattern_too(desk: Any, tmp_path: Path, kind: str) -> None:
    logs(desk)
    if kind != "nothing":
        desk.write("logs/1.csv", "a\n1\n")
    odd = desk.root / "logs/2.csv"
    (tmp_path / "secret.csv").write_text("a\n1\n")
    {
        "pipe": lambda: os.mkfifo(odd),
        "folder": lambda: odd.mkdir(),
        "loop": lambda: odd.symlink_to(odd),
        "escape": lambda: odd.symlink_to(tmp_path / "secret.csv"),
        "nothing": lambda: None,
    }[kind]()
    words = {
        "pipe": "a pipe",
        "folder": "a folder",
        "loop": "followed",
        "escape": "leads out",
        "nothing": "no file fits",
    }
    with pytest.raises((BadInput, NotFound), match=words[kind]):
        desk.sync()


def test_files_below_are_found_and_links_to_folders_are_not_followed_round(desk: Any) -> None:
    logs(desk, "logs/**/*.csv")
    (desk.root / "logs/deep").mkdir()
    desk.write("logs/deep/1.csv", "a\n1\n")
    (desk.root / "logs/deep/round").symlink_to(desk.root / "logs")
    desk.write("logs/.hidden.csv", "a\n9\n")
    desk.sync()
    assert desk.rows() == [{"a": 1}]


def test_a_file_of_a_pattern_that_changes_while_it_is_read_is_noticed(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lemnis.engine.data import sync

    logs(desk)
    desk.write("logs/1.csv", "a\n1\n")
    desk.write("logs/2.csv", "a\n2\n")
    rows_of = sync.rows_of

    def written_meanwhile(*arguments: Any) -> Any:
        desk.write("logs/1.csv", "a\n1\n2\n")
        return rows_of(*arguments)

    monkeypatch.setattr(sync, "rows_of", written_meanwhile)
    with pytest.raises((BadInput, Unavailable), match=r"1\.csv changed while it was read"):
        desk.sync()
    assert desk.engine.data.snapshots() == []


def growing(desk: Any, content: str, **facts: Any) -> None:
    desk.source(content, append=True, **facts)


def add(desk: Any, text: str, name: str = "table.csv") -> None:
    with open(desk.root / name, "a", encoding="utf-8") as file:
        file.write(text)


def test_only_what_was_added_to_a_file_is_read(desk: Any) -> None:
    growing(desk, "a,b\n1,x\n")
    desk.sync()
    add(desk, "2,y\n3,z")  # the last line is not complete yet
    assert desk.sync()["sources"][0] | {"sha256": ""} == {
        "source": "table", "rows": 2, "sha256": "", "new": True, "read": 1,
    }  # fmt: skip
    add(desk, "z\n")
    assert desk.sync()["sources"][0]["read"] == 1
    assert [(row["a"], row["b"]) for row in desk.rows()] == [(1, "x"), (2, "y"), (3, "zz")]
    assert desk.sync()["sources"][0]["new"] is False


def test_a_file_in_another_encoding_grows_too(desk: Any) -> None:
    desk.source("이름,n\n김,1\n".encode("cp949"), append=True, encoding="cp949")
    desk.sync()
    with open(desk.root / "table.csv", "ab") as file:
        file.write("박,2\n".encode("cp949"))
    assert desk.sync()["sources"][0]["read"] == 1
    assert desk.rows() == [{"이름": "김", "n": 1}, {"이름": "박", "n": 2}]


@pytest.mark.parametrize("content", ["a,b\n9,x\n2,y\n", "a,b\n"])
def test_a_file_that_was_rewritten_instead_is_read_whole(desk: Any, content: str) -> None:
    growing(desk, "a,b\n1,x\n2,y\n")
    desk.sync()
    desk.write("table.csv", content)
    desk.touch(desk.root / "table.csv", 1)
    desk.sync()
    assert why(desk) == "new snapshot: table.csv was rewritten"
    assert len(desk.rows()) == content.count("\n") - 1


def test_a_bad_line_among_the_added_ones_is_named_as_it_stands_in_the_file(desk: Any) -> None:
    growing(desk, "a,b\n1,x\n2,y\n")
    desk.sync()
    before = desk.engine.data.snapshots()
    add(desk, "3,z\n4\n")
    with pytest.raises(BadInput) as refused:
        desk.sync()
    assert refused.value.place.endswith("table.csv:5")
    assert desk.engine.data.snapshots() == before


def test_json_lines_grow_too_and_new_keys_have_all_read_again(desk: Any) -> None:
    growing(desk, '{"a": 1}\n', path="t.jsonl", format="jsonl")
    desk.sync()
    add(desk, '{"a": 2}\n', "t.jsonl")
    assert desk.sync()["sources"][0]["read"] == 1
    add(desk, '{"a": 3, "b": "x"}\n', "t.jsonl")
    assert desk.sync()["sources"][0]["read"] == 3
    assert desk.rows()[-1] == {"a": 3, "b": "x"}


@pytest.mark.slow
@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.integers(60_000, 70_000))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_a_file_grew_the_snapshot_is_the_same(desk: Any, parts: list[int], first: int) -> None:
    (desk.root / "table.csv").unlink(missing_ok=True)
    growing(desk, "a,b\n" + "".join(f"{n},x\n" for n in range(first)))
    desk.sync()
    for part in parts:
        add(desk, "".join(f"{n},y\n" for n in range(part * 3000)))
        desk.sync()
    grown = desk.engine.data.snapshots("table")[0].sha256
    content = (desk.root / "table.csv").read_bytes()
    desk.source(content, name="other", append=False)
    desk.sync("other")
    assert desk.engine.data.snapshots("other")[0].sha256 == grown
