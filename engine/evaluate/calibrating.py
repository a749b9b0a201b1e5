"""Calibration of a model on the rows that judge it, and what a map would change there."""

from collections.abc import Sequence

import msgspec
import numpy as np

from lemnis.engine.evaluate.baselines import Ground
from lemnis.engine.evaluate.calibration import METHODS, fitted, reliability, wins
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.records import Calibration, CalibrationMap

SHOWN = {
    "binary": ("brier", "log_loss", "ece", "roc_auc"),
    "multiclass": ("brier", "log_loss", "accuracy", "roc_auc"),  # isotonic maps may change which class is likeliest
}


def calibration_of(ground: Ground, yardstick: Yardstick, classes: Sequence[str] = ()) -> Calibration | None:
    """Return how far probabilities can be believed and what each map would change; None where a number is answered.

    Maps are fitted on the validation rows and judged on the test rows, which nothing was chosen by.

    Args:
        ground: The rows.
        yardstick: The model on the rows that judge it.
        classes: Names of several classes, in the order of their probabilities.
    """
    judged, task = ground.all.where(ground.judged), yardstick.problem.task
    if task not in METHODS or judged.score.ndim != (1 if task == "binary" else 2):
        return None
    found = believed(judged, yardstick, ground.part, classes)
    learned = ground.all.where(ground.validation)
    if ground.part != "test" or len(np.unique(learned.target)) < 2:
        why = "no map is fitted: that takes validation rows of two answers to fit it and test rows to judge it"
        return msgspec.structs.replace(found, why=why)
    maps: list[CalibrationMap] = []
    for method in METHODS[task]:
        made = fitted(method, learned.target, learned.score)
        tests = [test for test in yardstick.tests(made.many(judged.score)) if test.metric in SHOWN[task]]
        ends = {test.metric: (test.low, test.high) for test in tests}
        won = wins(ends["brier"], ends["log_loss"])
        maps.append(
            CalibrationMap(
                method=method,
                rows=learned.target.size,
                points=made.points,
                classes=made.classes,
                tests=tests,
                wins=won,
            )
        )
    return msgspec.structs.replace(found, maps=maps)


def believed(judged: Scored, yardstick: Yardstick, part: str, classes: Sequence[str]) -> Calibration:
    """Return how probabilities compare with what happened: of yes; or of the answered class, and of each class."""
    target, score, blocks = judged.target, judged.score, yardstick.blocks
    if score.ndim == 1:
        return Calibration(part=part, blocks=yardstick.blocks_name, reliability=reliability(target, score, blocks))
    right = (score.argmax(1) == target).astype(np.float64)
    return Calibration(
        part=part,
        blocks=yardstick.blocks_name,
        reliability=reliability(right, score.max(1), blocks),
        classes={
            name: reliability((target == place).astype(np.float64), score[:, place], blocks)
            for place, name in enumerate(classes)
        },
    )
