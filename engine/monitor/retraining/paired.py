"""Champion and challenger on the same newest labelled rows: every measure's difference, interval and verdict."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Problem
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.records import PairedTest
from lemnis.engine.experiments.predictions import predicted, row_times
from lemnis.engine.features.matrix import target_vector
from lemnis.engine.models.files import load_model
from lemnis.engine.monitor.retraining.records import Figure
from lemnis.engine.store import Store

Values = NDArray[np.float64]


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same rows: how many, what is drawn together, and each measure."""

    rows: int
    blocks: str
    figures: list[Figure]


def beside(
    store: Store,
    versions: tuple[ModelVersion, ModelVersion],
    data: Version,
    problem: Problem,
    told: Callable[[], None] = lambda: None,
) -> Beside:
    """Return a challenger beside a champion on the labelled test rows of a dataset version.

    Args:
        store: The workspace's state.
        versions: Champion and challenger.
        data: Whose test part judges.
        problem: Task, threshold and value of answers.
        told: Called now and then; may raise to stop.

    Raises:
        BadInput: The two do not foretell the same, or no row has a target.
    """
    deploy = DeployRoom(store)
    signatures = [deploy.signature(one.model, one.version) for one in versions]
    first, second = signatures
    if (first.task, first.target, first.classes) != (second.task, second.target, second.classes):
        raise BadInput(
            f"{versions[0].model} v{versions[0].version} and v{versions[1].version} do not foretell the same.",
            "Their targets or classes differ; judge the challenger by its gates.",
        )
    time = [data.time] if data.time else []
    names = list(dict.fromkeys([*first.names, *second.names, first.target, *time]))
    table = read_table(data, names, "test")
    target = target_vector(table, first)
    known = ~np.isnan(target)
    if not known.any():
        raise BadInput("No row of the newest window has a target.", "Wait for labels: `lemnis monitor performance`.")
    rows = table.filter(known)
    scores: list[Values] = []
    for one, signature in zip(versions, signatures, strict=True):
        scores.append(signature.answers(predicted(load_model(one.path, one.sha256), signature, rows, threads=1)))
        told()
    base = Scored(target=target[known], score=scores[0], time=row_times(data, rows))
    yardstick = Yardstick(base, problem, told)
    figures = [figure_of(test) for test in yardstick.tests(scores[1])]
    return Beside(rows=int(known.sum()), blocks=yardstick.blocks_name, figures=figures)


def figure_of(test: PairedTest) -> Figure:
    """Return one test as it is told: alone, so that its p is not adjusted."""
    alone = msgspec.structs.replace(test, adjusted=test.p)
    return Figure(
        metric=test.metric,
        champion=test.base,
        challenger=test.value,
        delta=test.delta,
        low=test.low,
        high=test.high,
        p=test.p,
        verdict=alone.verdict,
    )
