"""A small problem with everything in it: numbers, texts, truth values, missing values, rows without a label."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.remote.site import Site
from lemnis.engine.experiments.runs import insert_pairs
from lemnis.engine.experiments.train import train
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

CONFIG = """
[problem]
title = "Small"
task = "{task}"
target = "late"

[presets.default]
rounds = 20
parameters = {{ num_leaves = 7, min_data_in_leaf = 5 }}

[presets.stopping]
rounds = 400
early_stopping = 5
parameters = {{ num_leaves = 31, learning_rate = 0.5, min_data_in_leaf = 2 }}
"""
SPLIT = {"train": ("2013-01-01", "2013-03-01"), "validation": ("2013-03-01", "2013-04-01")}


def flights(rows: int = 1200, task: str = "binary") -> pa.Table:
    """Return rows over ninety days; every tenth has no label."""
    rng = np.random.default_rng(7)
    distance, carrier = rng.normal(size=rows), rng.choice(["AA", "B6", "[UA]"], rows)
    score = distance + (carrier == "B6") + rng.normal(size=rows)
    late: list[object] = {
        "binary": (score > 0).tolist(),
        "multiclass": np.array(["early", "late", "on time"])[np.digitize(score, [-0.5, 0.5])].tolist(),
        "regression": score.tolist(),
    }[task]
    start = datetime(2013, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "id": list(range(rows)),
            "at": pa.array([start + timedelta(days=90 * i / rows) for i in range(rows)], pa.timestamp("ms", "UTC")),
            "distance": pa.array([None if i % 17 == 0 else d for i, d in enumerate(distance.tolist())], pa.float64()),
            "carrier": carrier.tolist(),
            "weekend": (rng.random(rows) > 0.7).tolist(),
            "late": [None if i % 10 == 0 else value for i, value in enumerate(late)],
        }
    )


def make_engine(folder: Path, task: str = "binary", split: dict[str, tuple[str, str]] = SPLIT) -> Engine:
    """Return the engine of a workspace that holds the small problem."""
    engine = Engine(create_workspace(folder, CONFIG.format(task=task)))
    roles = {"id": "key", "at": "time", "late": "label"}
    record_version(engine.store, flights(task=task), name="small", roles=roles, split=split)
    return engine


def do_train(engine: Engine, run_id: int, *, site: Site | None = None, **arguments: object) -> Run:
    """Train a queued run in this process, or at a site from it, and end its job as the worker would."""
    context = context_of(engine, run_id)
    train(context, {"run_id": run_id, **arguments}, site)
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished', why = 'finished' where id = ?", [context.job_id])
    return engine.experiments.run(run_id)


def context_of(engine: Engine, run_id: int) -> JobContext:
    """Return the context that the worker of a run's job would have."""
    job_id = engine.experiments.run(run_id).job_id
    assert job_id is not None
    with engine.store.write() as db:
        db.execute("update jobs set state = 'running', epoch = epoch + 1 where id = ?", [job_id])
    job = engine.jobs.job(job_id)
    return JobContext(engine.store, job_id, epoch=job.epoch, cores=1)


def add_run(engine: Engine, name: str = "run", state: str = "finished", **more: Any) -> int:
    """Store a run that was never trained."""
    metrics, params = more.pop("metrics", {}), more.pop("params", {})
    with engine.store.write() as db:
        row = {"name": name, "state": state, "created_at": 1_790_000_000_000, **more}
        run_id = int(str(db.table("runs").insert(row).last_pk))
        insert_pairs(db, "run_params", run_id, params.items())
        db.conn.executemany(
            "insert into run_metrics (run_id, key, value, step) values (?, ?, ?, 0)",
            [(run_id, *item) for item in metrics.items()],
        )
    return run_id
