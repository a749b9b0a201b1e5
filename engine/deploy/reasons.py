"""Reason codes: the features that weighed most in a served answer, only where a request asks for them.

They are the model's own contributions to the raw score (TreeSHAP; of a linear model its terms): of two classes towards
the positive one, of several towards the class that is answered.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.deploy.predictor import Predictor

MOST_ROWS = 64  # of one request: contributions take milliseconds a row
PARAMETER = "reason_codes"
OUTPUTS = ("reason_feature", "reason_contribution")
Reason: TypeAlias = tuple[str, float]


def read_count(value: Any, rows: int) -> int:  # Any: JSON
    """Return how many reasons a row are asked for.

    Raises:
        BadInput: It is no number from 1 on, or there are too many rows.
    """
    if type(value) is not int or value < 1:
        raise BadInput(f"{PARAMETER} is {safe(repr(value), limit=60)}.", "Send how many features a row, from 1 on.")
    if rows > MOST_ROWS:
        raise BadInput(f"{PARAMETER} is asked for {rows:,} rows.", f"Send at most {MOST_ROWS} rows with it.")
    return value


def reasons_of(
    predictor: "Predictor", matrix: Any, scores: Sequence[Sequence[float]], count: int
) -> list[list[Reason]]:
    """Return the features with the largest |contribution| of each row, with their contributions, largest first.

    Args:
        predictor: The model.
        matrix: Encoded rows. Any: a NumPy matrix.
        scores: Its answers.
        count: How many a row.

    Raises:
        BadInput: The model does not tell contributions.
    """
    parts = predictor.contributions(matrix)
    if parts is None:
        raise BadInput(
            "This model tells no reasons: LightGBM computes none for linear trees.", f"Leave out {PARAMETER}."
        )
    names = predictor.signature.names
    found: list[list[Reason]] = []
    for row, answer in zip(parts, scores, strict=True):
        amounts = row[int(np.argmax(answer))] if len(row) > 1 else row[0]
        order = np.argsort(-np.abs(amounts[:-1]), kind="stable")[:count].tolist()
        found.append([(names[place], float(amounts[place])) for place in order])
    return found


def reason_outputs(reasons: Sequence[Sequence[Reason]]) -> dict[str, dict[str, Any]]:
    """Return reasons as two v2 output tensors by name, shape (rows, count); none without reasons. Any: JSON."""
    if not reasons:
        return {}
    shape = [len(reasons), len(reasons[0])]
    names = [name for row in reasons for name, _ in row]
    amounts = [amount for row in reasons for _, amount in row]
    feature, contribution = OUTPUTS
    return {
        feature: {"name": feature, "datatype": "BYTES", "shape": shape, "data": names},
        contribution: {"name": contribution, "datatype": "FP64", "shape": shape, "data": amounts},
    }


def reason_objects(row: Sequence[Reason]) -> list[dict[str, Any]]:
    """Return one row's reasons as /invocations has them. Any: JSON."""
    return [{"feature": name, "contribution": amount} for name, amount in row]
