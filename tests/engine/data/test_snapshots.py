import random
import sqlite3
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.files import sha256_of


def test_a_snapshot_is_named_by_its_content_and_read_only(desk: Any) -> None:
    desk.source("a\n1\n")
    desk.sync()
    snapshot = desk.engine.data.snapshots()[0]
    assert snapshot.path.stem == sha256_of(snapshot.path) == snapshot.sha256
    assert stat.S_IMODE(snapshot.path.stat().st_mode) == 0o444


def test_rows_are_kept_in_groups_of_65536(desk: Any) -> None:
    import pyarrow.parquet as pq

    desk.source("a\n" + "".join(f"{number}\n" for number in range(150_000)))
    desk.sync()
    metadata = pq.read_metadata(desk.engine.data.snapshots()[0].path)
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert sizes == [65_536, 65_536, 18_928]
    assert [row["a"] for row in desk.rows()] == list(range(150_000))


def test_an_unchanged_source_is_only_checked_again(desk: Any) -> None:
    desk.source("a\n1\n")
    desk.sync()
    first = desk.engine.data.snapshots()[0]
    assert desk.sync()["sources"][0]["new"] is False
    (again,) = desk.engine.data.snapshots()
    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert again.checked_at >= first.checked_at


def test_a_touched_file_with_the_same_bytes_is_not_read_again(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lemnis.engine.data import sync

    desk.source("a\n1\n")
    desk.sync()
    desk.touch(desk.root / "table.csv", 1_000_000)
    monkeypatch.setattr(sync, "opened", lambda *_: pytest.fail("it was read"))
    assert desk.sync()["sources"][0]["new"] is False


def test_another_way_of_reading_reads_again(desk: Any) -> None:
    desk.source("a\n1\nNA\n")
    desk.sync()
    assert desk.types() == {"a": "string"}
    desk.source("a\n1\nNA\n", null=["NA"])
    desk.sync()
    assert desk.types() == {"a": "int64"}
    assert len(desk.engine.data.snapshots()) == 2


def test_a_source_that_goes_back_gets_its_old_snapshot_back(desk: Any) -> None:
    hashes = []
    for content in ("a\n1\n", "a\n2\n", "a\n1\n"):
        desk.source(content)
        desk.touch(desk.root / "table.csv", len(hashes))
        desk.sync()
        hashes.append(desk.engine.data.snapshots()[0].sha256)
    assert hashes[0] == hashes[2] != hashes[1]
    assert len(desk.engine.data.snapshots()) == 2


def test_one_source_that_fails_stops_no_other(desk: Any) -> None:
    desk.source("a,b\n1\n", name="bad")
    desk.source("a\n1\n", name="good")
    with pytest.raises(BadInput, match="1 of 2 sources failed"):
        desk.sync()
    assert {source.name: source.state for source in desk.engine.data.sources()} == {"bad": "failed", "good": "ready"}


def test_the_state_of_a_source_follows_its_file(desk: Any) -> None:
    def state() -> str:
        return desk.engine.data.sources()[0].state

    desk.source("a\n1\n")
    assert state() == "new"
    desk.sync()
    assert state() == "ready"
    desk.write("table.csv", "a\n1\n2\n")
    assert state() == "changed"
    (desk.root / "table.csv").unlink()
    assert state() == "missing"


def test_an_unknown_source_is_refused(desk: Any) -> None:
    desk.source("a\n1\n")
    with pytest.raises(NotFound, match="no source 'other'"):
        desk.sync("other")


def test_a_member_of_an_archive_is_read(desk: Any) -> None:
    with zipfile.ZipFile(desk.root / "t.zip", "w") as archive:
        archive.writestr("readme.md", "hello")
        archive.writestr("rows.csv", "a\n1\n2\n")
    desk.declare(sources={"table": {"path": "t.zip", "format": "csv-zip"}})
    desk.sync()
    assert desk.rows() == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("damage", ["truncate", "unclear", "no archive"])
def test_an_archive_that_is_not_clear_is_refused(desk: Any, damage: str) -> None:
    path = desk.root / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", "a\n" + "1\n" * 1000)
        if damage == "unclear":
            archive.writestr("more.csv", "a\n1\n")
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:-30])
    if damage == "no archive":
        path.write_text("a\n1\n")
    desk.declare(sources={"table": {"path": "t.zip", "format": "csv-zip"}})
    with pytest.raises(BadInput):
        desk.sync()


def test_parquet_is_read_and_a_damaged_one_is_refused(desk: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = desk.root / "t.parquet"
    pq.write_table(pa.table({"a": [1, None], "b": [[1, 2], None], "c": ["x", "y"]}), path)
    desk.declare(sources={"table": {"path": "t.parquet", "format": "parquet"}})
    desk.sync()
    assert desk.rows() == [{"a": 1, "b": "[1,2]", "c": "x"}, {"a": None, "b": None, "c": "y"}]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match="no Parquet file"):
        desk.sync()


def test_json_lines_are_read_and_a_broken_line_is_named(desk: Any) -> None:
    desk.source('{"a": 1, "b": {"c": 2}}\n{"a": null}\n', path="t.jsonl", format="jsonl")
    desk.sync()
    assert desk.rows() == [{"a": 1, "b": '{"c":2}'}, {"a": None, "b": None}]
    desk.write("t.jsonl", '{"a": 1}\n{"a": }\n{"a": 2}\n')
    with pytest.raises(BadInput) as refused:
        desk.sync()
    assert refused.value.place.endswith("t.jsonl:2")
    assert "no JSON" in refused.value.problem


def test_a_sqlite_table_is_read_with_the_widest_type_of_its_values(desk: Any) -> None:
    db = sqlite3.connect(desk.root / "t.db")
    db.execute("create table t (i, r, s, n, mixed)")
    db.executemany("insert into t values (?, ?, ?, ?, ?)", [(1, 1, "x", None, 5), (2, 2.5, "y", None, "five")])
    db.commit()
    db.close()
    desk.declare(sources={"table": {"path": "t.db", "format": "sqlite", "table": "t"}})
    desk.sync()
    assert desk.types() == {"i": "int64", "r": "double", "s": "string", "n": "string", "mixed": "string"}
    assert desk.rows()[0] == {"i": 1, "r": 1.0, "s": "x", "n": None, "mixed": "5"}


def test_what_another_process_commits_to_a_sqlite_source_is_seen(desk: Any) -> None:
    db = sqlite3.connect(desk.root / "t.db", isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("create table t (a)")
    db.execute("insert into t values (1)")
    desk.declare(sources={"table": {"path": "t.db", "format": "sqlite", "table": "t"}})
    desk.sync()
    db.execute("insert into t values (2)")
    assert desk.sync()["sources"][0]["new"] is True
    assert desk.rows() == [{"a": 1}, {"a": 2}]
    db.close()


@pytest.mark.parametrize("table", ["none", "blobs", ""])
def test_a_sqlite_table_that_is_missing_or_holds_blobs_is_refused(desk: Any, table: str) -> None:
    db = sqlite3.connect(desk.root / "t.db")
    db.execute("create table blobs (a)")
    db.execute("insert into blobs values (x'00')")
    db.commit()
    db.close()
    desk.declare(sources={"table": {"path": "t.db", "format": "sqlite", "table": table}})
    with pytest.raises(BadInput):
        desk.sync()


def test_what_a_killed_sync_left_is_removed_after_a_day(desk: Any) -> None:
    desk.source("a\n1\n")
    old, young = desk.engine.workspace.data / ".reading.old", desk.engine.workspace.data / ".writing.young.tmp"
    old.mkdir()
    (old / "member.csv").write_text("a\n")
    young.write_text("")
    desk.touch(old, 1_000_000)
    desk.sync()
    assert not old.exists()
    assert young.exists()


def good_file(kind: str, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [(number, f"x{number}") for number in range(300)]
    text = "a,b\n" + "".join(f'{number},"{word}"\n' for number, word in rows)
    if kind == "csv":
        path.write_text(text)
    elif kind == "jsonl":
        path.write_text("".join(f'{{"a": {number}, "b": "{word}"}}\n' for number, word in rows))
    elif kind == "csv-zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", text)
    elif kind == "parquet":
        pq.write_table(pa.table({"a": [number for number, _ in rows], "b": [word for _, word in rows]}), path)
    else:
        db = sqlite3.connect(path)
        db.execute("create table t (a, b)")
        db.executemany("insert into t values (?, ?)", rows)
        db.commit()
        db.close()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "csv-zip", "parquet", "sqlite"])
def test_a_damaged_file_is_read_or_refused_in_plain_words(desk: Any, kind: str) -> None:
    path = desk.root / "damaged"
    good_file(kind, path)
    desk.declare(sources={"table": {"path": "damaged", "format": kind, "table": "t" if kind == "sqlite" else ""}})
    good, chance = path.read_bytes(), random.Random(kind)
    problems: list[str] = []
    for _ in range(15):
        damaged = bytearray(good)
        for _ in range(chance.choice([1, 3, 10])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
        try:
            desk.sync()
        except BadInput as error:
            problems.append(error.problem)
    assert problems
    assert all(problem.isprintable() for problem in problems)
