"""What was taken over lives as what was made here does: kept while something refers to it, and made anew."""

from pathlib import Path
from typing import Any

import pytest
from sharing import Desk, Pair
from small_problem import SPLIT, flights

from lemnis.engine.data import adopting, gc
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.files import sha256_of

ROLES = {"id": "key", "at": "time", "late": "label"}


def link(desk: Desk, rows: int, now: int | None = None) -> str:
    """Make a version of the same dataset here."""
    made = record_version(desk.engine.store, flights(rows), name="small", roles=ROLES, split=SPLIT, now=now)
    return made.id


def test_collecting_keeps_what_something_that_was_taken_over_refers_to(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "a.zip", "late@1", data=True)
    pair.b.take(tmp_path / "a.zip")
    taken = pair.b.engine.data.version(1)
    assert next(one for one in pair.b.engine.lifecycle.stages() if one.key == "2").state == "ready"
    for rows in (20, 21):
        link(pair.b, rows)
    gone = gc.collect(pair.b.engine.store, who="me", keep=1, young_s=-1)
    assert gone.what == ["small v2"]  # nothing refers to that one, and it is not the newest
    assert taken.file.exists()
    model = pair.b.engine.deploy.version("late", 1)
    assert model.path.exists()


def test_the_latest_version_is_the_one_that_was_linked_last_wherever(pair: Pair, tmp_path: Path) -> None:
    mine = link(pair.b, 20)
    pair.a.export(tmp_path / "a.zip", "v1")
    pair.b.take(tmp_path / "a.zip")
    assert pair.b.engine.data.version().id == mine, "an older one that arrives does not become the default"
    newer = link(pair.a, 30)
    pair.a.export(tmp_path / "b.zip", newer[:12])
    pair.b.take(tmp_path / "b.zip")
    assert pair.b.engine.data.version().id == newer


def test_a_version_that_was_only_told_of_is_measured_when_it_is_made_here(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "run.zip", "run:1")
    pair.b.take(tmp_path / "run.zip")
    assert pair.b.engine.data.versions() == []
    with pair.b.engine.store.write() as db:
        db.execute("update versions set rows = 7, target_summary = '{}'")  # as if it had been told wrongly
    made = record_version(pair.b.engine.store, flights(), name="small", roles=ROLES, split=SPLIT)
    ours = pair.a.engine.data.version(1)
    assert (made.id, made.rows, made.label_counts) == (ours.id, ours.rows, ours.label_counts)
    assert made.number == 1


def test_a_file_that_is_missing_or_damaged_here_is_mended(pair: Pair) -> None:
    for desk in pair:
        desk.remote("../hub")
    pair.a.push("late@v1", data=True)
    store = pair.a.engine.store
    table, model = pair.a.engine.data.version(1).path, pair.a.engine.deploy.version("late", 1).path
    before = pair.a.state()
    table.unlink()
    model.chmod(0o600)
    model.write_bytes(b"spoilt")
    states = {one["kind"]: one["state"] for one in pair.a.pull("late@v1", data=True)["things"]}
    assert states == {"dataset": "mended", "run": "here already", "model": "mended"}
    assert sha256_of(pair.a.engine.data.version(1).file) == table.stem
    assert sha256_of(model) == model.stem
    assert pair.a.state() == before
    assert store.value("select count(*) from origins") == 0, "it was made here all the same"


def test_a_table_that_needs_more_memory_than_there_is_is_not_read(pair: Pair, tmp_path: Path) -> None:
    path = pair.a.engine.data.version(1).path
    assert adopting.measured_file(path, {}).rows == 1200
    with pytest.raises(BadInput, match="needs about"):
        adopting.measured_file(path, {}, most_bytes=1000)


def test_a_transfer_that_is_stopped_goes_on_the_next_time(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lemnis.engine.share import folder
    from lemnis.engine.share.meter import Meter

    monkeypatch.setattr(folder, "BLOCK_BYTES", 4096)
    for desk in pair:
        desk.remote("../hub")
    real: Any = Meter.__call__
    calls: list[int] = []

    def stopping(self: Meter, count: int) -> None:
        calls.append(count)
        real(self, count)
        if len(calls) == 3:
            raise Cancelled("asked to stop")

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "__call__", stopping)
        with pytest.raises(Cancelled):
            pair.a.push("v1")
    assert list((tmp_path / "hub").rglob("*.json")) == []
    held = next((tmp_path / "hub/incoming").iterdir()).stat().st_size
    assert 0 < held < pair.a.engine.data.version(1).bytes
    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Meter, "__call__", lambda self, count: (calls.append(count), real(self, count))[1])  # pyright: ignore
        pair.a.push("v1")
    assert calls[0] == held
    pair.b.pull("v1")
