"""`lemnis sweep` and `lemnis sweeps`: documents of the described shape, steering, and errors that say what to do."""
# pyright: basic

from collections.abc import Iterator
from pathlib import Path

import pytest
from commanding import call, document
from small_problem import make_engine
from sweeping import drive

import lemnis.engine.experiments.sweep.coordinator as coordinator
from lemnis.engine import Engine
from lemnis.engine.jobs import JobsRoom

BEGIN = ("sweep", "--trials", "3", "--space", "num_leaves=3..9", "--set", "rounds=2", "--parallel", "1", "--name", "s")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    monkeypatch.setattr(coordinator, "TICK_S", 0.0)
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


def test_a_sweep_is_begun_steered_and_shown(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    begun = document(engine, capsys, *BEGIN)
    assert (begun["name"], begun["state"], begun["trials"], begun["all"]) == ("s", "running", 3, [])
    assert document(engine, capsys, "sweeps", "enqueue", "s", "num_leaves=4") == {"trial": 1}
    assert document(engine, capsys, "sweeps", "pause", "s")["state"] == "paused"
    assert document(engine, capsys, "sweeps", "resume", "s")["state"] == "running"
    assert document(engine, capsys, "sweeps", "extend", "s", "1")["trials"] == 4
    assert document(engine, capsys, "sweeps", "narrow", "s", "num_leaves", "5..6")["space"][0]["low"] == 5
    assert document(engine, capsys, "sweeps", "freeze", "s", "num_leaves", "5")["space"][0]["frozen"] == 5
    assert document(engine, capsys, "sweeps", "freeze", "s", "num_leaves", "--vary")["space"][0]["frozen"] is None
    drive(engine, "s")
    capsys.readouterr()  # what the trainings printed
    shown = document(engine, capsys, "sweeps", "show", "s")
    assert (shown["state"], shown["counts"]) == ("finished", {"finished": 4})
    assert shown["all"][0]["params"]["num_leaves"] == 4
    assert shown["best"][0] in (1, 2, 3, 4)
    assert [event["what"] for event in shown["events"]][-2:] == [
        "enqueued trial 1: num_leaves=4",
        "began it with 3 trials",
    ]
    assert document(engine, capsys, "sweeps", "list")["sweeps"][0]["name"] == "s"
    assert call(engine, "sweeps", "show", "s") == 0
    out = capsys.readouterr().out
    assert "num_leaves  5..6" in out
    assert "● finished" in out
    assert call(engine, "sweeps", "list") == 0
    assert "4 of 4" in capsys.readouterr().out


def test_what_cannot_be_done_says_what_to_do(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(engine, "sweeps", "show", "nope") == 2
    assert "lemnis sweeps list" in capsys.readouterr().err
    assert call(engine, "sweep", "--space", "num_leaves=9..3") == 2
    assert "where: space num_leaves" in capsys.readouterr().err
    assert call(engine, *BEGIN) == 0
    assert call(engine, *BEGIN) == 2
    assert call(engine, "sweeps", "prune", "s", "1") == 2
    assert call(engine, "sweeps", "resume", "s") == 2
    assert call(engine, "--read-only", "sweeps", "pause", "s") == 2
    assert "read-only" in capsys.readouterr().err
