"""A trained run as training leaves it: a version, a model file with its hash, and a signature."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import record_version
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.features.matrix import encode_table, fit_signature, labelled
from lemnis.engine.features.signature import Task
from lemnis.engine.files import sha256_of
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

CONFIG = """
[problem]
target = "{target}"
task = "{task}"
threshold = 0.4
[problem.value]
true_positive = 10.0
false_positive = -4.0
[[problem.criteria]]
metric = "{metric}"
{rule}
[[problem.criteria]]
metric = "latency_p99_ms"
max = 5000.0
[[problem.criteria]]
metric = "no_such_measure"
min = 1.0
"""
SPLIT = {
    "train": ("2020-01-01", "2020-03-01"),
    "validation": ("2020-03-01", "2020-04-01"),
    "test": ("2020-04-01", "2020-05-01"),
}
TARGETS = {"binary": "late", "multiclass": "kind", "regression": "delay"}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary"},
    "multiclass": {"objective": "multiclass", "num_class": 3},
    "regression": {"objective": "regression"},
}


def flights(rows: int = 6000, seed: int = 11) -> pa.Table:
    """Half a year of flights whose delay follows from the wind, the hour and the carrier; May is worse to foretell."""
    random = np.random.default_rng(seed)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    time = [start + timedelta(minutes=43 * number) for number in range(rows)]
    wind, hour = random.gamma(2.0, 5.0, rows), random.integers(5, 23, rows)
    carrier = random.choice(["AA", "B6", "UA"], rows)
    noise = np.where([when.month >= 5 for when in time], 30, 8)
    delay = wind + hour - 20 + (carrier == "B6") * 5 + random.normal(size=rows) * noise
    known = random.random(rows) > 0.02
    return pa.table(
        {
            "id": [f"F{number}" for number in range(rows)],
            "at": pa.array(time, pa.timestamp("us", tz="UTC")),
            "wind": np.where(random.random(rows) < 0.1, np.nan, wind),
            "hour": hour,
            "carrier": carrier,
            "late": pa.array([bool(d > 8) if k else None for d, k in zip(delay, known, strict=True)]),
            "kind": np.array(["early", "late", "on time"])[np.digitize(delay, [-5, 8])].tolist(),
            "delay": delay,
        }
    )


def train_run(
    engine: Engine, task: Task = "binary", metric: str = "roc_auc", rule: str = "min = 0.6", *, timed: bool = True
) -> int:
    """Train a run of a task and return its id."""
    target = TARGETS[task]
    engine.workspace.config.write_text(CONFIG.format(target=target, task=task, metric=metric, rule=rule))
    table = flights().drop_columns([name for name in TARGETS.values() if name != target])
    roles = {target: "label", "id": "key"} | ({"at": "time"} if timed else {})
    version = record_version(engine.store, table, name=task, roles=roles, split=SPLIT if timed else {})
    rows = read_table(version, None, "train" if timed else None)
    signature = fit_signature(rows, ["wind", "hour", "carrier"], task=task, target=target, threshold=0.4)
    known, answers = labelled(rows, signature)
    data = lgb.Dataset(encode_table(known, signature), answers, categorical_feature=signature.categorical)
    settings = {"verbose": -1, "num_threads": 1, "seed": 1, "num_leaves": 7}
    model = lgb.train(OBJECTIVES[task] | settings, data, 20)
    with engine.store.write() as db:
        run = {"name": task, "state": "finished", "why": "", "version_id": version.id, "task": task}
        run_id = int(str(db.table("runs").insert(run | {"target": target, "created_at": now_ms()}).last_pk))
    folder = engine.workspace.run_dir(run_id)
    folder.mkdir(parents=True)
    model.save_model(folder / "model.txt")
    signature.save(folder / "signature.json")
    with engine.store.write() as db:
        db.execute("update runs set model_sha256 = ? where id = ?", [sha256_of(folder / "model.txt"), run_id])
    return run_id


@pytest.fixture
def trained(engine: Engine) -> Callable[..., int]:
    """Return a function that trains a run of a task and returns its id."""
    return partial(train_run, engine)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, int]]:
    """An engine and a run that was trained and evaluated once, for tests that only read."""
    engine = Engine(create_workspace(tmp_path_factory.mktemp("measured") / "workspace", ""))
    run_id = train_run(engine)
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    yield engine, run_id
    engine.store.close()
