"""Row-level parity: the same rows answered by the export and by the registered version, and what to say if they differ.

The rows are real held-out ones, the golden rows, and real rows moved onto each threshold and to both sides of it; of a
linear model real rows with one value moved, to every category and to none among others.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.deploy.exports.ensemble import Ensemble, Harm, narrowed_thresholds, native_features
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.protocol import labels_of
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.models.linear import LinearModel
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.deploy.records import Golden
    from lemnis.engine.features.signature import Signature
    from lemnis.engine.store import Store

TOLERANCE = 1e-4
HELD_OUT = 8192  # rows, spread evenly over the part
FAR = 1e30  # beyond any real number, and float32 has it
THRESHOLDS = 200  # of a feature, spread evenly over all that the model has
Rows = NDArray[np.float64]


class Answers(Struct, frozen=True, kw_only=True):
    """What was answered to rows; no labels for regression."""

    scores: Any  # a NumPy matrix, shape (rows, outputs)
    labels: list[str]


def real_rows(store: "Store", version_id: str | None, signature: "Signature", golden: "Golden") -> tuple[Rows, str]:
    """Return held-out rows with the golden ones behind them, as the model takes them, and in words what they are.

    Where the dataset version is not here, or has no such rows, the golden rows stand alone.
    """
    from lemnis.engine.data.duck import read_table
    from lemnis.engine.data.versions import find_version
    from lemnis.engine.features.matrix import encode_table

    sure = encode_rows(golden.rows, signature)
    try:
        version = find_version(store, version_id) if version_id else None
        part = next((name for name in ("test", "validation") if version and name in version.split), None)
        table: Any = read_table(version, signature.names, part) if version else None  # Any: a pyarrow Table
        title = version.title if version else ""
    except LemnisError:
        table, title, part = None, "", None
    if table is None or not table.num_rows:
        return sure, f"{len(sure)} golden rows"
    count = min(HELD_OUT, table.num_rows)
    places = np.linspace(0, int(table.num_rows) - 1, count).astype(np.int64)
    held = encode_table(table.take(places), signature)
    return np.vstack([held, sure]), f"{count:,} rows of {part or 'all'} of {title}, {len(sure)} golden rows"


def threshold_rows(ensemble: Ensemble, rows: Rows, *, float32: bool) -> Rows:
    """Return real rows with one number moved onto a threshold, next above it and next below it, and to no value.

    With float32 the neighbours are those that float32 has, and so is the threshold where all values are.
    """
    made: list[Rows] = []
    native = native_features(rows)
    for feature in range(rows.shape[1]):
        thresholds = ensemble.thresholds(feature)
        if not thresholds.size:
            continue
        at = thresholds[np.linspace(0, thresholds.size - 1, min(THRESHOLDS, thresholds.size)).astype(np.int64)]
        near = narrowed_thresholds(at, bool(native[feature])) if float32 else at
        at = near.astype(np.float64) if native[feature] else at
        beside = [np.nextafter(near, near.dtype.type(to)).astype(np.float64) for to in (np.inf, -np.inf)]
        values = np.concatenate([at, *beside, [np.nan]])
        made.append(moved(rows, feature, values[~np.isinf(values)]))
    return np.vstack(made) if made else np.empty((0, rows.shape[1]))


def effect_rows(model: LinearModel, signature: "Signature", rows: Rows) -> Rows:
    """Return real rows with one value moved: a number to its mean, far beyond and to infinity, a category to each one.

    Each is moved to no value too.
    """
    made: list[Rows] = []
    for place, (feature, effect) in enumerate(zip(signature.features, model.effects, strict=True)):
        values = [effect.centre, 0.0, FAR, -FAR, np.inf]
        if feature.kind == "categorical":
            count = len(feature.categories)
            values = np.unique(np.linspace(0, count - 1, min(THRESHOLDS, count)).astype(np.int64)).tolist()
        made.append(moved(rows, place, np.array([*values, np.nan])))
    return np.vstack(made) if made else np.empty((0, rows.shape[1]))


def moved(rows: Rows, feature: int, values: Rows) -> Rows:
    """Return as many of these rows as there are values, another one each time, with the values in one column."""
    found = rows[np.arange(values.size) * 7919 % len(rows)].copy()
    found[:, feature] = values
    return found


def answers_of(predictor: Predictor, rows: Rows) -> Answers:
    """Return what the registered version answers."""
    scores = predictor.many(rows)
    signature = predictor.signature
    labels = [] if signature.task == "regression" else labels_of(scores.tolist(), signature)
    return Answers(scores=scores, labels=labels)


def farthest(ours: Answers, theirs: Answers) -> float:
    """Return the largest difference of two scores, relative to the score where that is beyond 1."""
    apart = np.abs(ours.scores - theirs.scores) / np.maximum(1, np.abs(ours.scores))
    return float(apart.max()) if apart.size else 0.0


def check_same(ours: Answers, theirs: Answers, harms: Sequence[Harm], *, remedy: str) -> None:
    """Raise BadInput if a score is further away than TOLERANCE, or a label is another one.

    Args:
        ours: What the registered version answers.
        theirs: What the export answers to the same rows.
        harms: The features that lose digits, of which the first is named.
        remedy: What to do then.
    """
    apart = np.abs(ours.scores - theirs.scores) / np.maximum(1, np.abs(ours.scores))
    far = ~(apart.max(axis=1) <= TOLERANCE)
    flipped = np.array([a != b for a, b in zip(ours.labels, theirs.labels, strict=True)] or np.zeros(len(far)), bool)
    wrong = int((far | flipped).sum())
    if not wrong:
        return
    because = ""
    if harms:
        worst = harms[0]
        rounded = float(np.float32(worst.example))
        because = (
            f" {safe(worst.feature)} has digits that float32 does not keep ({worst.example!r} becomes {rounded!r}):"
            f" {worst.rows:,} rows change side of a threshold."
        )
    raise BadInput(
        f"The export answers {wrong:,} of {len(far):,} rows otherwise: up to {apart.max():.3g} away,"
        f" {int(flipped.sum()):,} labels flipped.{because}",
        remedy,
        safe(harms[0].feature) if harms else "",
    )
