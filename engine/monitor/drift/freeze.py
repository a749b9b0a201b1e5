"""The reference's side frozen: cells and counts of every feature over the training rows, and of the model's scores."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.features.signature import Feature
from lemnis.engine.monitor.drift.calibration import RUN, SIZES
from lemnis.engine.monitor.drift.cells import count_cells, grid, scale_of
from lemnis.engine.monitor.records import PREDICTION
from lemnis.engine.monitor.tally import Binning

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]

OWN_BINS = 30  # categories with a bin of their own; the rest share `other`
STRETCHES = 8  # of a training set too large to keep: each holds one run of the largest null windows


def stretches_of(table: "pa.Table") -> "list[pa.Table]":
    """Return STRETCHES pieces of consecutive rows, evenly spread, each long enough for a run of null windows."""
    length = RUN * SIZES[-1]
    return [table.slice(int(start), length) for start in np.linspace(0, table.num_rows - length, STRETCHES)]


def evenly(table: "pa.Table", most: int) -> "pa.Table":
    """Return at most so many rows, evenly taken; the table itself where it has no more."""
    if table.num_rows <= most:
        return table
    return table.take(np.linspace(0, table.num_rows - 1, most).astype(np.int64))


def moments_of(table: "pa.Table", time: str | None) -> NDArray[np.int64]:
    """Return when each row happened, epoch ms; none where rows have no time, or not all of them."""
    import pyarrow as pa

    if not time or table.column(time).null_count:
        return np.empty(0, np.int64)
    moments = table.column(time).cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    return np.asarray(moments.to_numpy(), dtype=np.int64)


def binned(matrix: Numbers, features: list[Feature], bins: int) -> list[Binning]:
    """Freeze each feature over the training matrix, shape (rows, features)."""
    return [freeze(feature, matrix[:, place], bins) for place, feature in enumerate(features)]


def freeze(feature: Feature, values: Numbers, bins: int) -> Binning:
    """Freeze one feature: cells of a number, the commonest categories of a text."""
    if feature.kind == "categorical":
        held = values[~np.isnan(values)].astype(np.int64)
        rows = np.bincount(held, minlength=len(feature.categories))
        own = [int(place) for place in np.argsort(-rows, kind="stable")[:OWN_BINS] if rows[place]]
        counts = [*(rows[place] for place in own), rows.sum() - rows[own].sum(), values.size - held.size]
        return Binning(
            name=feature.name,
            kind="categorical",
            categories=[feature.categories[place] for place in own],
            known=feature.categories,
            counts=[int(count) for count in counts],
            nullable=feature.nullable,
        )
    ordered = np.sort(values[np.isfinite(values)])
    edges, bounds = (np.array([0.5]), []) if feature.logical else grid(ordered, bins)
    centre, spread = scale_of(ordered)
    counts, sums = count_cells(values, edges, centre, spread)
    return Binning(
        name=feature.name,
        kind="numeric",
        edges=edges.tolist(),
        bounds=bounds,
        counts=counts.tolist(),
        sums=sums.tolist(),
        centre=centre,
        spread=spread,
        low=feature.low,
        high=feature.high,
        nullable=feature.nullable,
        logical=feature.logical,
    )


def freeze_score(scores: Numbers, bins: int, *, classes: int | None) -> Binning:
    """Freeze the model's answers on the held-out rows: scores, or the place of the likeliest of some classes."""
    ordered = np.sort(scores[np.isfinite(scores)])
    edges, bounds = (np.arange(classes - 1, dtype=np.float64) + 0.5, []) if classes else grid(ordered, bins)
    centre, spread = scale_of(ordered)
    counts, sums = count_cells(scores, edges, centre, spread)
    return Binning(
        name=PREDICTION,
        kind="prediction",
        edges=edges.tolist(),
        bounds=bounds,
        counts=counts.tolist(),
        sums=sums.tolist(),
        centre=centre,
        spread=spread,
        low=float(ordered[0]) if ordered.size else None,
        high=float(ordered[-1]) if ordered.size else None,
    )
