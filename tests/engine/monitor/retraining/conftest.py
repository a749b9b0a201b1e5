# pyright: basic

"""Jobs that another waits for are done in this process, as their workers would; flights watched until November."""

from itertools import pairwise
from typing import Any

import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.worker import run
from lemnis.engine.monitor.retraining import following

MONTHS = ("2013-07-01", "2013-08-01", "2013-09-01", "2013-10-01", "2013-11-01")
PRESET = "\n[presets.default]\nrounds = 8\nparameters = { num_leaves = 7, min_data_in_leaf = 20 }\n"


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a job that is waited for in this process; evaluating takes seconds, so its verdict is given."""

    def do(context: JobContext, job_id: int, *_: object) -> None:
        job = JobsRoom(context.store).job(job_id)
        if job.kind != "evaluate.run":
            work(context.store, job_id)
            return
        gate = {"run_id": job.arguments["run"], "metric": "roc_auc", "part": "test", "rule": ">= 0.5", "observed": 0.7}
        with context.store.write() as db:
            db.table("gates").insert(gate | {"position": 0, "verdict": "pass", "why": "as the test has it", "at": 1})

    monkeypatch.setattr(following, "followed", do)
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda self: None)


def work(store: Any, job_id: int) -> None:
    """Do a queued job; what it raised stands in its row. Any: a Store."""
    room = JobsRoom(store)
    with store.write() as db:
        db.execute("update jobs set state = 'running', epoch = epoch + 1 where id = ?", [job_id])
    context = JobContext(store, job_id, epoch=room.job(job_id).epoch, cores=1)
    context.directory.mkdir(parents=True, exist_ok=True)
    run(context)


def declare(flown: Any, text: str) -> None:
    """Add to lemnis.toml. Any: a Flown."""
    path = flown.store.workspace.config
    path.write_text(path.read_text() + text)


@pytest.fixture
def until_november(flown: Any) -> Any:
    """Flights of July to October were answered and their labels have come; the AUC is low. Any: a Flown."""
    declare(flown, PRESET)
    with flown.store.write() as db:
        for starts, ends in pairwise(MONTHS):
            db.table("monitor_windows").insert(
                {
                    **{"endpoint": "late", "model": "late", "version": 1, "verdict": "ok", "rows": 900},
                    **{"starts": parse_ms(starts), "ends": parse_ms(ends), "labelled": 880, "roc_auc": 0.6},
                    **{"closed": 1, "labels_settled": 1, "computed_at": 1},
                }
            )
    return flown
