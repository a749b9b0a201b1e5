# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
import os
import re
from pathlib import Path

import pytest
from small_problem import SPLIT, flights, make_engine
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.data import jobs, verified
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.verified import condition_of, is_whole, verified_file
from lemnis.engine.data.verify import verify
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, Damaged, Unavailable
from lemnis.engine.explore.views import read_page
from lemnis.engine.jobs.context import JobContext

ENGINE = Path(__file__).parents[3] / "engine"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path / "w")


def spoil(path: Path) -> None:
    """Change one byte in the middle and leave size and time of change as they were."""
    before = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.chmod(0o444)


def test_a_file_is_hashed_once_and_then_costs_a_stat(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    version = engine.data.version()
    os.utime(version.path)  # touched: nobody knows what it holds now
    counted: list[Path] = []
    real = verified.sha256_of
    monkeypatch.setattr(verified, "sha256_of", lambda path: counted.append(path) or real(path))
    for _ in range(3):
        assert version.file == version.path
        assert read_table(version, ["id"]).num_rows == 1200
    assert counted == [version.path]


def test_a_file_that_was_just_written_is_known(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "sha256_of", lambda path: pytest.fail(f"read again: {path}"))
    assert engine.data.version().file.stat().st_mode & 0o777 == 0o444
    assert engine.workspace.data.stat().st_mode & 0o777 == 0o700


def test_a_flipped_bit_is_a_sentence_with_what_depends_on_it(engine: Engine) -> None:
    run_id = engine.experiments.start("default")
    version = engine.data.version()
    spoil(version.path)
    for read in (lambda: read_table(version), lambda: read_page(version), lambda: verified_file(version.path)):
        with pytest.raises(Damaged, match=f"another hash. It is small v1; this depends on it: run {run_id}") as refused:
            read()
        assert refused.value.place == str(version.path)
        assert "lemnis data link" in refused.value.remedy


def test_a_file_that_is_gone_says_so(engine: Engine) -> None:
    version = engine.data.version()
    version.path.unlink()
    with pytest.raises(Unavailable, match=r"gone\. It is small v1"):
        read_table(version)


def test_what_is_damaged_is_mended_by_making_it_again(engine: Engine) -> None:
    version = engine.data.version()
    spoil(version.path)
    assert not is_whole(version.path)
    made = record_version(
        engine.store, flights(), name="small", roles={"id": "key", "at": "time", "late": "label"}, split=SPLIT
    )
    assert made.id == version.id
    assert is_whole(version.path)
    assert read_table(version).num_rows == 1200


def test_a_sync_reads_again_what_is_damaged(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "w", '[problem]\n[sources.a]\npath = "a.csv"\n')
    (engine.workspace.root / "a.csv").write_text("x,y\n1,2\n3,4\n")
    jobs.sync(JobContext.for_test(engine.store), {})
    path = engine.data.snapshots()[0].path
    spoil(path)
    jobs.sync(JobContext.for_test(engine.store), {})
    assert is_whole(path)


def test_linking_from_a_damaged_snapshot_is_refused(tmp_path: Path) -> None:
    config = '[problem]\n[sources.a]\npath = "a.csv"\n[dataset]\nbase = "a"\n'
    engine = engine_at(tmp_path / "w", config)
    (engine.workspace.root / "a.csv").write_text("x,y\n1,2\n3,4\n")
    jobs.sync(JobContext.for_test(engine.store), {})
    spoil(engine.data.snapshots()[0].path)
    with pytest.raises(Damaged, match="a as it is now"):
        jobs.link(JobContext.for_test(engine.store), {})


def test_verify_finds_what_is_damaged_and_what_is_missing(engine: Engine) -> None:
    record_version(engine.store, flights(40), name="other", roles={}, split={})
    context = JobContext.for_test(engine.store)
    assert verify(context, {})["hashed"] == 0
    found = verify(context, {"all": True})
    assert (found["files"], found["hashed"], found["faults"]) == (2, 2, [])
    small, other = engine.data.versions("small")[0], engine.data.versions("other")[0]
    spoil(small.path)
    other.path.unlink()
    faults = {fault["title"]: fault for fault in verify(context, {})["faults"]}
    assert faults["small v1"]["condition"] == "damaged"
    assert faults["other v1"]["condition"] == "missing"


def test_silent_rot_is_found_by_reading_everything(engine: Engine) -> None:
    """A bad sector changes neither time nor size; only --all can see it."""
    path = engine.data.version().path
    stamp = verified.stamp_of(path)
    assert stamp is not None
    spoil(path)
    after = verified.stamp_of(path)
    assert after is not None
    verified.remember(path, verified.Mark(stamp=after, whole=True, at=0))
    context = JobContext.for_test(engine.store)
    assert verify(context, {})["faults"] == []
    assert verify(context, {"all": True})["faults"][0]["condition"] == "damaged"
    assert condition_of(path) == "damaged"


def test_a_disk_without_room_for_marks_only_costs_time(engine: Engine) -> None:
    version = engine.data.version()
    os.utime(version.path)
    marks = engine.workspace.hidden / "verified"
    for path in marks.iterdir():
        path.unlink()
    marks.rmdir()
    marks.write_text("in the way")
    assert version.file == version.path


def test_a_version_whose_rows_are_not_kept_is_known_but_not_listed(engine: Engine) -> None:
    version = engine.data.version()
    with engine.store.write() as db:
        db.execute("update versions set removed_at = 1")
    assert engine.data.versions() == []
    known = engine.data.version(version.id)
    assert known.title == "small v1"
    with pytest.raises(Unavailable, match="not kept here"):
        read_table(known)
    with pytest.raises(BadInput):
        engine.experiments.start("default")


def test_every_reader_goes_through_the_one_door() -> None:
    """Nobody opens `.path` of a version or a snapshot: `.file` is the one that was looked at."""
    opening = re.compile(r"(ParquetFile|read_table|read_metadata|read_schema|read_parquet)\([^)\n]*\.path\b")
    # DuckDB's views over files that `file` gave; what was just written; files of others, which no hash names
    allowed = {"data/link.py", "data/split.py", "data/readers.py", "data/footprint.py"}
    found = [
        f"{path.relative_to(ENGINE)}: {line.strip()}"
        for path in ENGINE.glob("**/*.py")
        for line in path.read_text().splitlines()
        if opening.search(line) and str(path.relative_to(ENGINE)) not in allowed
    ]
    assert found == []
