"""Calibration of a model on the rows that judge it, and what a map would change there."""

import numpy as np

from lemnis.engine.evaluate.baselines import Ground
from lemnis.engine.evaluate.calibration import METHODS, fit_map, reliability, wins
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.records import Calibration, CalibrationMap
from lemnis.engine.models.calibration import mapped

SHOWN = ("brier", "log_loss", "ece", "roc_auc")


def calibration_of(ground: Ground, yardstick: Yardstick) -> Calibration | None:
    """Return how far probabilities can be believed and what each map would change; None where there is no yes or no.

    Maps are fitted on the validation rows and judged on the test rows, which nothing was chosen by.

    Args:
        ground: The rows.
        yardstick: The model on the rows that judge it.
    """
    judged = ground.all.where(ground.judged)
    if yardstick.problem.task != "binary" or judged.score.ndim != 1:
        return None
    found = Calibration(
        part=ground.part,
        blocks=yardstick.blocks_name,
        reliability=reliability(judged.target, judged.score, yardstick.blocks),
    )
    learned = ground.all.where(ground.validation)
    if ground.part != "test" or len(np.unique(learned.target)) < 2:
        why = "no map is fitted: that takes validation rows of both answers to fit it and test rows to judge it"
        return Calibration(part=found.part, blocks=found.blocks, reliability=found.reliability, why=why)
    maps: list[CalibrationMap] = []
    for method in METHODS:
        points = fit_map(method, learned.target, learned.score)
        tests = [test for test in yardstick.tests(mapped(method, points, judged.score)) if test.metric in SHOWN]
        ends = {test.metric: (test.low, test.high) for test in tests}
        won = wins(ends["brier"], ends["log_loss"])
        maps.append(CalibrationMap(method=method, rows=learned.target.size, points=points, tests=tests, wins=won))
    return Calibration(part=found.part, blocks=found.blocks, reliability=found.reliability, maps=maps)
