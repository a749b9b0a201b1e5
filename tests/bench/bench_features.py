"""Features: shuffling columns against scikit-learn on one model and the same flights, and what a wide table costs.

Each line is one figure as JSON. The peer is `sklearn.inspection.permutation_importance` with as many repeats, on the
same LightGBM model, the same rows and one core, in turn with ours; the losses of both must agree within their noise.
"""

import json
import re
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import spearmanr
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score

from lemnis.engine import Engine
from lemnis.engine.config import load_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.demo import open_demo
from lemnis.engine.features.associating import associate
from lemnis.engine.features.importance import contributions, quick_model, shuffled_losses
from lemnis.engine.features.jobs import SAMPLE_ROWS, candidates, known_parts, planned, rank, target_of
from lemnis.engine.features.sampling import read_sample
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

TURNS, REPEATS, ROUNDS, SEED = 3, 5, 40, 1
WIDE_ROWS, WIDE_COLUMNS, BATCH = 1_000_000, 200, 50_000
LEAKS = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")


class Answers:
    """A booster as scikit-learn wants it."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, rows: Any, target: Any) -> "Answers":
        return self


def say(**figure: object) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    """Print every figure."""
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        flights(Path(folder) / "flights")
        wide(Path(folder) / "wide")
    return 0


def flights(folder: Path) -> None:
    """Rank the flights, and shuffle one model's columns with both."""
    engine = open_demo(folder)
    declared = engine.workspace.config.read_text("utf-8")
    engine.workspace.config.write_text(
        re.sub(r"(?m)^after = .*$", "", declared), "utf-8"
    )  # leaks must be found, not told
    for start in (engine.data.start_sync, engine.data.start_link):
        engine.jobs.wait(start())
    engine.jobs.stop_supervisor()
    started = time.perf_counter()
    found = rank(JobContext.for_test(engine.store), {})
    took = time.perf_counter() - started
    honest = [score for score in engine.features.scores(found["version"]) if score.name not in LEAKS]
    say(
        what="ranking of the flights: 8 models, 4 importances, leakage, association", columns=found["columns"],
        seconds=round(took, 1), leaks_found=sorted(set(LEAKS) & set(found["leaks"])),
        honest_columns_called_leaks=[s.name for s in honest if s.leakage],
        honest_columns_doubted=[s.name for s in honest if s.doubt],
    )  # fmt: skip
    beside_sklearn(engine)
    engine.store.close()


def beside_sklearn(engine: Engine) -> None:
    """Shuffle the columns of one model with ours and with scikit-learn, in turn."""
    version, config = engine.data.version(), load_config(engine.workspace.config)
    columns = [column for column in candidates(version, config) if column.name not in LEAKS]
    names = [column.name for column in columns] + [target_of(version, config)]
    plan = planned(read_sample(version, names, most=SAMPLE_ROWS, parts=known_parts(version)), columns, version, config)
    sample = plan.sample(len(plan.folds) - 1, SEED)
    model = quick_model(sample, plan.places, rounds=ROUNDS, seed=SEED, threads=1)
    rows, target = np.ascontiguousarray(sample.judge), sample.judge_target
    base = roc_auc_score(target, model.predict(rows, num_threads=1))

    def score(answers: Answers, asked: Any, wanted: Any) -> float:
        return float(roc_auc_score(wanted, answers.model.predict(asked, num_threads=1)))

    times: dict[str, list[float]] = {"lemnis": [], "scikit-learn": []}
    losses: dict[str, Any] = {}
    for _ in range(TURNS):
        started = time.perf_counter()
        losses["lemnis"] = shuffled_losses(
            model, rows, lambda scores: base - roc_auc_score(target, scores), repeats=REPEATS, seed=SEED, threads=1
        )
        times["lemnis"].append(time.perf_counter() - started)
        started = time.perf_counter()
        peer = permutation_importance(
            Answers(model), rows, target, scoring=score, n_repeats=REPEATS, random_state=SEED, n_jobs=1
        )
        times["scikit-learn"].append(time.perf_counter() - started)
        losses["scikit-learn"] = peer.importances_mean
    ours, theirs = (statistics.median(times[name]) for name in ("lemnis", "scikit-learn"))
    say(
        what=f"shuffling {rows.shape[1]} columns {REPEATS} times, {len(rows):,} rows", lemnis_seconds=round(ours, 3),
        sklearn_seconds=round(theirs, 3), ratio=round(ours / theirs, 3),
        largest_difference=round(float(np.abs(losses["lemnis"] - losses["scikit-learn"]).max()), 5),
        rank_correlation=round(float(spearmanr(losses["lemnis"], losses["scikit-learn"]).statistic), 3),
    )  # fmt: skip
    shap = contributions(model, rows[:2000], 1)
    say(
        what="order by shuffling against order by SHAP of the same model",
        rank_correlation=round(float(spearmanr(losses["lemnis"], shap).statistic), 3),
    )


def wide(folder: Path) -> None:
    """Associate and rank a generated table of many columns and rows."""
    engine = Engine(create_workspace(folder, '[problem]\ntarget = "y"\ntask = "binary"\n'))
    random = np.random.default_rng(SEED)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    path = folder / "wide.parquet"
    writer: pq.ParquetWriter | None = None
    for first in range(0, WIDE_ROWS, BATCH):
        shared = random.normal(size=(10, BATCH))
        table: dict[str, Any] = {
            "at": pa.array(
                [start + timedelta(seconds=first + row) for row in range(BATCH)], pa.timestamp("us", tz="UTC")
            )
        }
        for place in range(WIDE_COLUMNS):
            values = shared[place % 10] + 0.5 * random.normal(size=BATCH)
            table[f"c{place}"] = (
                values if place % 4 else np.array(["a", "b", "c", "d"])[np.digitize(values, [-1, 0, 1])]
            )
        table["y"] = shared[0] + random.normal(size=BATCH) > 0
        batch = pa.table(table)
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()
    with pq.ParquetFile(path) as file:
        reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
        version = record_version(engine.store, reader, name="wide", roles={"y": "label", "at": "time"}, split={})
    for name, job in (("association of every two columns by 5 measures", associate), ("ranking", rank)):
        started = time.perf_counter()
        found = job(JobContext.for_test(engine.store), {"version": version.id})
        say(
            what=f"{name}, {WIDE_COLUMNS} columns × {WIDE_ROWS:,} rows",
            seconds=round(time.perf_counter() - started, 1), sampled_rows=found.get("rows", SAMPLE_ROWS),
        )  # fmt: skip
    matrix = engine.features.matrix(version.id)
    assert matrix is not None
    groups = [matrix.groups[place] for place in range(WIDE_COLUMNS)]
    say(what="groups found among 10 families of columns", groups=len(set(groups) - {0}))
    engine.store.close()


if __name__ == "__main__":
    raise SystemExit(main())
