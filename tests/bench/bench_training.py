"""Training with everything recorded against plain `lightgbm.train` on the same matrices, metrics and threads."""

import json
import statistics
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_problem import context_of, make_engine

from lemnis.engine import Engine
from lemnis.engine.experiments.fit import Rows, fit, sampled
from lemnis.engine.experiments.parameters import completed
from lemnis.engine.experiments.recorder import Recorder
from lemnis.engine.features.signature import Feature, Signature

TRAIN_ROWS, VALIDATION_ROWS, COLUMNS, TREES, ROUNDS = 100_000, 20_000, 12, 150, 9


def matrices(rows: int, seed: int) -> Rows:
    """Return rows whose target depends on some of the columns."""
    rng = np.random.default_rng(seed)
    matrix = np.asfortranarray(rng.normal(size=(rows, COLUMNS)))
    score = matrix[:, 0] + np.sin(3 * matrix[:, 1]) + matrix[:, 2] * matrix[:, 3] + rng.normal(size=rows)
    return Rows(matrix, (score > 0.5).astype(np.float64))


class Took(NamedTuple):
    """Wall seconds, and CPU seconds of all threads: the second tells the truth on a machine that others use too."""

    wall: float
    cpu: float


def clocks() -> Took:
    """Return both clocks now."""
    return Took(time.perf_counter(), time.process_time())


def since(began: Took) -> Took:
    """Return what has passed on both clocks."""
    now = clocks()
    return Took(now.wall - began.wall, now.cpu - began.cpu)


def plain(train: Rows, validation: Rows, parameters: dict[str, Any]) -> Took:
    """Return the time of `lightgbm.train` and of making its model's text, with the same metrics on the same rows."""
    began = clocks()
    data = lightgbm.Dataset(train.matrix, train.target, params=parameters)
    watched = [data.create_valid(rows.matrix, rows.target) for rows in (sampled(train), validation)]
    booster = lightgbm.train(parameters, data, TREES, valid_sets=watched, keep_training_booster=True)
    booster.model_to_string(num_iteration=-1)
    return since(began)


def tracked(engine: Engine, train: Rows, validation: Rows, parameters: dict[str, Any]) -> Took:
    """Return the time of the same training as a run."""
    run_id = engine.experiments.start(overrides={"rounds": TREES})
    context, run = context_of(engine, run_id), engine.experiments.run(run_id)
    engine.workspace.run_dir(run_id).mkdir(parents=True)
    signature = Signature(
        features=[Feature(name=f"c{place}", kind="numeric") for place in range(COLUMNS)], task="binary", target="late"
    )
    began = clocks()
    fit(train, validation, signature, parameters, Recorder(context, run, early_stopping=0))
    return since(began)


def main() -> None:
    """Print one JSON line: the median ratio of a tracked training to a plain one."""
    train, validation = matrices(TRAIN_ROWS, 1), matrices(VALIDATION_ROWS, 2)
    parameters = completed({"verbosity": -1}, task="binary", classes=2, seed=1, device="cpu", cores=1)
    pairs: list[tuple[Took, Took]] = []
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        engine = make_engine(Path(folder) / "workspace")
        plain(train, validation, parameters)  # warms up
        for turn in range(ROUNDS):
            if turn % 2:
                floor = plain(train, validation, parameters)
                ours = tracked(engine, train, validation, parameters)
            else:
                ours = tracked(engine, train, validation, parameters)
                floor = plain(train, validation, parameters)
            pairs.append((ours, floor))
        engine.store.close()
    wall = [ours.wall / floor.wall for ours, floor in pairs]
    figure = {
        "figure": f"training {TREES} rounds with tracking to plain lightgbm.train",
        "ratio": round(statistics.median(wall), 3),
        "low": round(min(wall), 3),
        "high": round(max(wall), 3),
        "cpu_ratio": round(statistics.median(ours.cpu / floor.cpu for ours, floor in pairs), 3),
        "rounds": ROUNDS,
        "seconds": round(statistics.median(ours.wall for ours, _ in pairs), 2),
    }
    print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
