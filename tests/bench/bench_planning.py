"""Planning: real trainings of many sizes on this machine, half of them held out, and how far the estimates are off.

Every training is a run with a worker process of its own, as a person's would be, one after the other. The law is fitted
to one half and asked about the other, twelve times with other halves; one JSON line a figure: median absolute error in
percent, and the share of held-out trainings inside the 80 % interval. `--clock cpu` takes the time of a core that the
kernel counted, with one core each, and not the time on the clock: where others work that tells of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs import queue
from lemnis.engine.resources.planning.law import Figure, Measured, Sizes, Trial, fitted_law, tried
from lemnis.engine.resources.planning.trainings import measured_trainings
from lemnis.engine.workspace import create_workspace

CONFIG = '[problem]\ntitle = "Sizes"\ntask = "binary"\ntarget = "late"\n[presets.default]\nrounds = 20\n'
ROWS = (2_000, 6_000, 20_000, 60_000, 150_000)
MOST_COLUMNS = 40
MOST_WORK = 6e8  # cells times rounds: some seconds of a core
SPLIT = {"train": ("2013-01-01", "2013-03-01"), "validation": ("2013-03-01", "2013-04-01")}
HALVINGS = 12
FIGURES: tuple[Figure, ...] = ("seconds", "peak_bytes")


def table(rows: int) -> pa.Table:
    """Return rows whose label follows from some of the columns."""
    rng = np.random.default_rng(rows)
    matrix = rng.normal(size=(rows, MOST_COLUMNS))
    score = matrix[:, 0] + np.sin(3 * matrix[:, 1]) + matrix[:, 2] * matrix[:, 3] + rng.normal(size=rows)
    start = datetime(2013, 1, 1, tzinfo=UTC)
    columns = {
        "id": list(range(rows)),
        "at": pa.array([start + timedelta(days=90 * row / rows) for row in range(rows)], pa.timestamp("ms", "UTC")),
    }
    return pa.table(
        columns | {f"c{place}": matrix[:, place] for place in range(MOST_COLUMNS)} | {"late": (score > 0.5).tolist()}
    )


def drawn(seed: int, count: int, cores: tuple[float, ...]) -> list[Sizes]:
    """Return sizes drawn evenly on a logarithmic scale, none of which takes long."""
    rng, found = np.random.default_rng(seed), list[Sizes]()
    while len(found) < count:
        rows = int(rng.choice(ROWS))
        columns, rounds, leaves = (
            round(float(np.exp(rng.uniform(*np.log(ends))))) for ends in ((4, 40), (20, 300), (7, 127))
        )
        if rows * columns * rounds <= MOST_WORK:
            found.append(
                Sizes(rows=rows, columns=columns, rounds=rounds, leaves=leaves, cores=float(rng.choice(cores)))
            )
    return found


def train(engine: Engine, sizes: Sizes) -> None:
    """Train one run in a worker process and wait for it."""
    run_id = engine.experiments.start(
        overrides={"rounds": sizes.rounds, "num_leaves": sizes.leaves, "cores": int(sizes.cores)},
        version=1 + ROWS.index(sizes.rows),
        features=[f"c{place}" for place in range(sizes.columns)],
    )
    job_id = engine.experiments.run(run_id).job_id
    job = queue.claim(engine.store, job_id or 0)
    assert job is not None
    command = [sys.executable, "-m", "lemnis.engine.jobs.worker", "--workspace", str(engine.workspace.root)]
    done = subprocess.run(
        [*command, "--job", str(job.id), "--epoch", str(job.epoch)], capture_output=True, text=True, check=False
    )
    assert queue.get(engine.store, job.id).state == "finished", done.stderr


def cpu_seconds(engine: Engine, run_id: int) -> float:
    """Return the time of cores that a run's worker took, by its own count."""
    sql = "select cpu_s from used where owner = ? and width = 0"
    job = engine.experiments.run(run_id).job_id
    return float(engine.store.value(sql, [f"job:{job}"], name="metrics"))


def line(figure: Figure, found: list[Measured]) -> dict[str, object]:
    """Return what is printed of one figure: of each halving the trainings that the law was not fitted to."""
    trials: list[Trial] = []
    for seed in range(HALVINGS):
        order = [int(place) for place in np.random.default_rng(seed).permutation(len(found))]
        fitted, held = ([found[place] for place in half] for half in (order[0::2], order[1::2]))
        trials.append(tried(fitted_law(fitted, figure), held))
    errors = [100 * (trial.error or 0.0) for trial in trials]
    inside = [100 * (trial.covered or 0.0) for trial in trials]
    return {
        "figure": figure, "halvings": HALVINGS, "held_out_each": trials[0].count,
        "median_error_percent": round(statistics.median(errors), 1), "worst_halving": round(max(errors), 1),
        "inside_80_percent_interval": round(statistics.mean(inside), 1),
        "range": [min(getattr(one, figure) for one in found), max(getattr(one, figure) for one in found)],
    }  # fmt: skip


def main() -> None:
    """Print one JSON line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=44)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--keep", type=Path, default=None, help="Write the measured trainings here as JSON.")
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(create_workspace(Path(folder) / "sizes", CONFIG))
        for rows in ROWS:
            record_version(
                engine.store, table(rows), name="sizes", roles={"id": "key", "at": "time", "late": "label"}, split=SPLIT
            )
        for sizes in drawn(options.seed, options.runs, (1.0,) if options.clock == "cpu" else (1.0, 2.0)):
            train(engine, sizes)
        found = measured_trainings(engine.store)["cpu"]
        if options.clock == "cpu":
            found = [msgspec.structs.replace(one, seconds=cpu_seconds(engine, one.run_id)) for one in found]
        engine.store.close()
    if options.keep:
        options.keep.write_bytes(msgspec.json.encode(found))
    for figure in FIGURES:
        print(json.dumps(line(figure, found)), flush=True)
    print(json.dumps({"trainings": len(found), "seconds": round(time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
