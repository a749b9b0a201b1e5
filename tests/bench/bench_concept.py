"""Concept drift: delay at known positions of the SEA concepts, false alarms without a change, estimates beside NannyML.

Each line is one figure as JSON. SEA: three attributes uniform in [0, 10], positive when the first two add up to at most
a bound (8, 9, 7, 9.5 in turn), a tenth of the labels turned; W. Street, Y. Kim, KDD 2001. A model of one is watched
over 10,000 rows of its own and 10,000 of the next, as one that was retrained after the last change would be.
Estimates are those of windows whose scores and labels keep their relation; NannyML's CBPE gets the same scores,
one window a chunk (build/peers/nannyml, left out where it is not installed).
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import lightgbm
import msgspec
import numpy as np

from lemnis.engine.evaluate.calibration import fit_map
from lemnis.engine.models.calibration import mapped
from lemnis.engine.monitor.concept.expected import doubt_of, estimated_figures
from lemnis.engine.monitor.concept.figures import labelled_figures
from lemnis.engine.monitor.concept.losses import scale_of
from lemnis.engine.monitor.concept.records import Scale
from lemnis.engine.monitor.concept.stream import Stream

BOUNDS = (8.0, 9.0, 7.0, 9.5)
ROWS, TRAINED, NOISE, SEEDS = 10_000, 5_000, 0.1, 8
NULLS = 60
DETECTORS = ("ADWIN", "Page-Hinkley", "DDM", "concept")
WINDOW, WINDOWS = 2_000, 40
PEER = Path(__file__).parents[2] / "build/peers/nannyml/bin/python"


def sea(chance: np.random.Generator, rows: int, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Return attributes and labels of one concept."""
    values = chance.uniform(0, 10, (rows, 3))
    label = values[:, 0] + values[:, 1] <= bound
    return values, label ^ (chance.random(rows) < NOISE)


def delays(before: float, after: float, seed: int) -> dict[str, tuple[bool, int | None]]:
    """Return by detector whether it found a change where there is none, and rows from the change to its finding."""
    chance = np.random.default_rng(seed)
    values, label = sea(chance, 2 * TRAINED, before)
    data = lightgbm.Dataset(values[:TRAINED], label[:TRAINED].astype(float))
    options = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1, "seed": seed}
    model = lightgbm.train(options, data, 60)

    def losses(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return ((np.asarray(model.predict(rows)) >= 0.5) != labels).astype(float)

    held_out = losses(values[TRAINED:], label[TRAINED:])
    scale = scale_of(held_out, np.arange(TRAINED))
    assert scale is not None
    parts = [losses(*sea(chance, ROWS, bound)) for bound in (before, after)]
    found = Stream.of(scale).take(enumerate(np.concatenate(parts).tolist()))
    told: dict[str, tuple[bool, int | None]] = {}
    for name in DETECTORS:
        rows = [one.row for one in found if one.detector == name and one.level == "drift"]
        told[name] = any(row <= ROWS for row in rows), next((row - ROWS for row in rows if row > ROWS), None)
    return told


def say(**figure: object) -> None:
    """Print one figure."""
    print(json.dumps(figure), flush=True)


def known_positions() -> None:
    """Print the delay at each change of the SEA concepts."""
    for before, after in pairwise(BOUNDS):
        told = [delays(before, after, seed) for seed in range(SEEDS)]
        for name in DETECTORS:
            late = [rows for one in told if (rows := one[name][1]) is not None]
            say(
                figure=f"SEA {before:g} to {after:g}: rows to {name}",
                found=f"{len(late)} of {SEEDS}",
                median=statistics.median(late) if late else None,
                worst=max(late, default=None),
                alarms_before=sum(one[name][0] for one in told),
            )


def false_alarms() -> None:
    """Print the share of streams without a change in which something is found, and what a row costs."""
    alarms, warned, seconds = defaultdict[str, int](int), 0, 0.0
    for seed in range(NULLS):
        share = (0.05, 0.2, 0.4)[seed % 3]
        misses = (np.random.default_rng(seed).random(ROWS) < share).astype(float).tolist()
        stream = Stream.of(Scale(mean=share, deviation=(share * (1 - share)) ** 0.5))
        started = time.perf_counter()
        found = stream.take(enumerate(misses))
        seconds += time.perf_counter() - started
        for name in {one.detector for one in found if one.level == "drift"}:
            alarms[name] += 1
        warned += any(one.level == "warning" for one in found)
    for name in DETECTORS:
        say(figure=f"streams of {ROWS:,} rows without a change in which {name} drifts", share=alarms[name] / NULLS)
    say(figure="of them with a warning", share=round(warned / NULLS, 3))
    say(figure="a row through all detectors", unit="us", value=round(1e6 * seconds / NULLS / ROWS, 1))
    say(figure="kept state of a stream", unit="bytes", value=len(msgspec.json.encode(stream)))


def served(chance: np.random.Generator, rows: int, hard: float) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and the scores of a model that is too sure; `hard` moves rows to where it can't tell."""
    true = chance.beta(1 + hard, 2 + hard, rows)
    return (chance.random(rows) < true).astype(float), true**2 / (true**2 + (1 - true) ** 2)


def estimates() -> None:
    """Print how far estimates are from the truth, ours and NannyML's, and how often it lies within the interval."""
    chance = np.random.default_rng(1)
    target, score = served(chance, 20_000, 0.0)
    better = np.empty(target.size)
    for fold in (0, 1):
        inside = np.arange(target.size) % 2 == fold
        better[inside] = mapped("isotonic", fit_map("isotonic", target[~inside], score[~inside]), score[inside])
    doubt, points = doubt_of(target, score, better, 0.5, np.arange(target.size)), fit_map("isotonic", target, score)
    windows = [served(chance, WINDOW, 3 * place / WINDOWS) for place in range(WINDOWS)]
    told = [estimated_figures(found, points, 0.5, doubt) for _, found in windows]
    days = np.zeros(WINDOW, dtype=np.int64)
    truth = [labelled_figures("binary", labels, found, 0.5, days) for labels, found in windows]
    theirs = peer(target, score, windows)
    for name in ("roc_auc", "accuracy", "brier", "log_loss"):
        pairs = [(one.found[name], fact.found[name].value) for one, fact in zip(told, truth, strict=True)]
        say(
            figure=f"estimates of {name} in {WINDOWS} windows of {WINDOW:,} rows",
            mean_off=round(statistics.mean(abs(one.value - fact) for one, fact in pairs), 5),
            within=sum((one.low or 0) <= fact <= (one.high or 0) for one, fact in pairs),
            **({} if name not in theirs else peer_figures(theirs[name], [fact for _, fact in pairs])),
        )


def peer_figures(told: list[list[float]], truth: list[float]) -> dict[str, object]:
    """Return NannyML's distance from the truth and how often it lies within its bounds (value, low, high)."""
    off = statistics.mean(abs(value - fact) for (value, _, _), fact in zip(told, truth, strict=True))
    inside = sum(low <= fact <= high for (_, low, high), fact in zip(told, truth, strict=True))
    return {"nannyml_mean_off": round(off, 5), "nannyml_within": inside}


def peer(target: np.ndarray, score: np.ndarray, windows: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, list]:
    """Return NannyML's estimates of the same windows; nothing where it is not installed."""
    if not PEER.exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.npz"
        later = [np.concatenate([window[place] for window in windows]) for place in (0, 1)]
        np.savez(path, target=target, score=score, later_target=later[0], later_score=later[1])
        script = Path(__file__).with_name("peer_concept.py")
        command = [str(PEER), str(script), str(path), str(WINDOW)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    known_positions()
    false_alarms()
    estimates()
    sys.exit(0)
