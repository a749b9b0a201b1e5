"""What answers are worth: money of a confusion, break-even and best threshold. Pure."""

from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.config import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Confusion(Struct, frozen=True, kw_only=True):
    """How many cases were answered how, at one threshold."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def rows(self) -> int:
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative


class Threshold(Struct, frozen=True, kw_only=True):
    """A threshold and what it earns: a case is answered yes when its score is at or above it."""

    threshold: float
    counts: Confusion
    money: float


def money(counts: Confusion, value: Value) -> float:
    """Return what these answers are worth, in the currency of `value`."""
    return (
        counts.true_positive * value.true_positive
        + counts.false_positive * value.false_positive
        + counts.false_negative * value.false_negative
        + counts.true_negative * value.true_negative
    )


def value_per_1000(counts: Confusion, value: Value) -> float | None:
    """Return the money per 1,000 cases; None without a case."""
    return money(counts, value) / counts.rows * 1000 if counts.rows else None


def break_even(value: Value) -> float | None:
    """Return the probability from which saying yes pays, 0 to 1; None when the answer never depends on it.

    Yes pays when p TP + (1 - p) FP >= p FN + (1 - p) TN; the two sides cross at (TN - FP) / (TN - FP + TP - FN).
    """
    wrong = value.true_negative - value.false_positive  # what a needless yes loses
    right = value.true_positive - value.false_negative  # what a rightful yes gains
    return wrong / (wrong + right) if wrong > 0 and right > 0 else None


def best_threshold(scores: "NDArray[np.float64]", labels: "NDArray[np.bool_]", value: Value) -> Threshold:
    """Return the threshold that earns most on these cases; of several the highest, so that fewest are bothered.

    Args:
        scores: Score per case, shape (n,), n > 0, each in [0, 1].
        labels: Whether the case is positive, shape (n,).
        value: What each kind of answer is worth.

    Returns:
        A threshold at one of the scores, or just above the highest one, where nothing is answered yes.

    Raises:
        ValueError: The shapes differ, there is no case, or a score is NaN or outside [0, 1].
    """
    import numpy as np

    if scores.shape != labels.shape or scores.ndim != 1 or not len(scores):
        raise ValueError(f"need one label a score and at least one, got {scores.shape} and {labels.shape}")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("a score is NaN or outside [0, 1]")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], labels[order].astype(bool)
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # the last case of each score
    yes_right = np.append(0, np.cumsum(hits)[ends])
    yes_wrong = np.append(0, np.cumsum(~hits)[ends])
    positives, negatives = int(hits.sum()), int((~hits).sum())
    worth = (
        yes_right * value.true_positive
        + yes_wrong * value.false_positive
        + (positives - yes_right) * value.false_negative
        + (negatives - yes_wrong) * value.true_negative
    )
    best = int(np.argmax(worth))
    counts = Confusion(
        true_positive=int(yes_right[best]),
        false_positive=int(yes_wrong[best]),
        false_negative=positives - int(yes_right[best]),
        true_negative=negatives - int(yes_wrong[best]),
    )
    above = float(np.nextafter(ranked[0], 2.0))
    threshold = above if best == 0 else float(ranked[ends[best - 1]])
    return Threshold(threshold=threshold, counts=counts, money=money(counts, value))
