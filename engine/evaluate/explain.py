"""Why one row gets its answer: the model's own contributions, which sum to the raw score."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.records import Contribution, Explanation, Importance
from lemnis.engine.evaluate.subject import Subject, row_keys
from lemnis.engine.features.matrix import encode_table, target_vector

Values = NDArray[np.float64]


def contributions(subject: Subject, matrix: Values, *, threads: int) -> Values:
    """Return what each feature adds to the raw score and, last, the bias: shape (rows, classes or 1, features + 1).

    Raises:
        BadInput: Its trees have lines in their leaves.

    Source: S. Lundberg et al., Consistent individualized feature attribution for tree ensembles (2018), which
    LightGBM computes itself (`pred_contrib`); of a linear model see `models.linear`.
    """
    if not explainable(subject):
        raise BadInput(
            f"The answers of run {subject.run_id} can't be taken apart: LightGBM computes no contributions of trees "
            "with a line in each leaf.",
            "Explain a run of another algorithm.",
            f"run {subject.run_id}",
        )
    found = np.asarray(subject.model.predict(matrix, pred_contrib=True, num_threads=threads))
    return found.reshape(len(matrix), -1, matrix.shape[1] + 1)


def explainable(subject: Subject) -> bool:
    """Say whether the model tells what each feature adds; LightGBM does not for linear trees."""
    return not getattr(subject.model, "params", {}).get("linear_tree")


def explain_rows(
    subject: Subject, rows: Any, numbers: NDArray[np.int64], kinds: list[str], *, threads: int
) -> list[Explanation]:
    """Explain rows; of several classes the likeliest is explained.

    Args:
        subject: The model.
        rows: The rows as an Arrow table.
        numbers: Their numbers in the version.
        kinds: Why each was picked.
        threads: Of LightGBM.
    """
    signature = subject.signature
    matrix = encode_table(rows, signature)
    if not len(matrix):
        return []
    parts = contributions(subject, matrix, threads=threads)
    scores = np.asarray(subject.model.predict(matrix, num_threads=threads)).reshape(len(matrix), -1)
    raw = np.asarray(subject.model.predict(matrix, raw_score=True, num_threads=threads)).reshape(len(matrix), -1)
    targets = target_vector(rows, signature)
    values = [rows.column(name).to_pylist() for name in signature.names]
    keys = row_keys(subject.version, rows, numbers)
    found: list[Explanation] = []
    for place, key in enumerate(keys):
        chosen = int(scores[place].argmax())
        amounts = parts[place, chosen]
        each = [
            Contribution(feature=name, value=as_text(values[column][place]), amount=float(amounts[column]))
            for column, name in enumerate(signature.names)
        ]
        found.append(
            Explanation(
                run_id=subject.run_id,
                version_id=subject.version.id,
                key=key,
                row=int(numbers[place]),
                kind=kinds[place],
                score=float(scores[place, chosen]),
                raw=float(raw[place, chosen]),
                bias=float(amounts[-1]),
                answer=signature.classes[-1 if len(signature.classes) == 2 else chosen] if signature.classes else "",
                actual=actual_text(subject, float(targets[place])),
                contributions=sorted(each, key=lambda one: -abs(one.amount)),
            )
        )
    return found


def as_text(value: Any) -> str:  # Any: a cell of a table
    """Return a cell as text, empty for a missing one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def actual_text(subject: Subject, target: float) -> str:
    """Return a target as text: the class's name or the number; empty if it is missing."""
    if math.isnan(target):
        return ""
    classes = subject.signature.classes
    return classes[int(target)] if classes else f"{target:.6g}"


def importances(subject: Subject, parts: Values | None) -> list[Importance]:
    """Return each feature's gain, splits and mean |contribution| over some rows, largest contribution first.

    Args:
        subject: The model.
        parts: What `contributions` found of the rows; None where the model does not tell it.
    """
    gain = subject.model.feature_importance("gain").tolist()
    splits = subject.model.feature_importance("split").tolist()
    mean: list[float | None] = [None] * len(gain)
    if parts is not None and len(parts):
        mean = np.abs(parts[:, :, :-1]).sum(1).mean(0).tolist()
    found = [
        Importance(feature=name, gain=gain[place], splits=splits[place], contribution=mean[place])
        for place, name in enumerate(subject.signature.names)
    ]
    return sorted(found, key=lambda one: (-(one.contribution or 0.0), -one.gain))


def telling_rows(target: Values, score: Values, task: str, *, each: int = 6) -> list[tuple[int, str]]:
    """Choose rows worth a look: where the model is most wrong in each direction, and where it is most right.

    Args:
        target: Known targets, shape (n,).
        score: Probability, number, or a probability a class.
        task: binary, multiclass or regression.
        each: Most rows of a kind.

    Returns:
        Place and kind of each chosen row, no place twice.
    """
    if task == "regression":
        return [(int(place), "far off") for place in np.argsort(-abs(score - target), kind="stable")[: 2 * each]]
    if task == "multiclass":
        given = score[np.arange(target.size), target.astype(np.int64)]
        return [(int(place), "missed") for place in np.argsort(given, kind="stable")[: 2 * each]]
    order = np.argsort(score, kind="stable")
    positive = target[order] == 1
    kinds = {"missed": order[positive][:each], "false alarm": order[~positive][::-1][:each]}
    kinds["right"] = order[positive][::-1][: each // 2]
    return [(int(place), kind) for kind, places in kinds.items() for place in places]
