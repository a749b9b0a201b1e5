"""`lemnis grid`: a plan, a group of queued runs, what is skipped, and how they came out."""
# pyright: basic

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commanding import call, document
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.jobs import JobsRoom


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


def test_a_grid_is_planned_then_queued_as_a_group_and_not_twice(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("grid", "--data", "1", "--algorithm", "gbdt,linear", "--set", "num_leaves=7,15", "--set", "seed=1,2")
    plan = document(engine, capsys, *words, "--plan")
    assert (plan["combinations"], plan["new"], plan["seconds"], len(plan["cells"])) == (8, 6, None, 6)
    assert plan["cells"][-1]["left_out"] == ["num_leaves", "min_data_in_leaf"]
    assert call(engine, *words, "--plan") == 0
    assert "8 combinations, 6 different: 6 to train; no earlier run tells how long." in capsys.readouterr().out
    assert engine.experiments.count() == 0
    assert document(engine, capsys, *words) == {"group": "grid 1", "runs": [1, 2, 3, 4, 5, 6], "same": []}
    assert call(engine, *words) == 0
    out = capsys.readouterr().out
    assert "Skipped, because these runs have the same conditions: 1, 2, 3, 4, 5, 6." in out
    assert "Nothing is left to train." in out
    listed = document(engine, capsys, "runs", "list", "-q", "group = 'grid 1' and algorithm = linear")
    assert listed["total"] == 2


def test_waiting_shows_how_the_runs_came_out_and_says_when_one_failed(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_it(room: JobsRoom, job_id: int, on_progress: Any = None) -> Any:
        do_train(engine, room.job(job_id).arguments["run_id"])
        return room.job(job_id)

    monkeypatch.setattr(JobsRoom, "wait", train_it)
    assert call(engine, "grid", "--algorithm", "constant,linear", "--wait") == 0
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert lines[0].split()[:4] == ["#", "run", "state", "auc"]
    assert [line.split()[1] for line in lines[1:3]] == ["linear", "constant"]
    monkeypatch.setattr(JobsRoom, "wait", lambda room, job_id, on_progress=None: room.cancel(job_id))
    assert call(engine, "grid", "--algorithm", "dart", "--wait") == 1


def test_a_wrong_grid_names_what_is_wrong(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(engine, "grid", "--set", "num_leaves") == 2
    assert "not NAME=VALUE,VALUE" in capsys.readouterr().err
    assert call(engine, "grid", "--set", "num_leafs=3,4") == 2
    assert "Did you mean num_leaves?" in capsys.readouterr().err
