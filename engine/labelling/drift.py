"""Rows where the data moved: in the bins and codes that hold more rows now than the training rows did."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.data import Version
from lemnis.engine.data.split import time_within
from lemnis.engine.distances import quantile_edges
from lemnis.engine.errors import BadInput
from lemnis.engine.labelling.candidates import Candidates
from lemnis.engine.labelling.scores import moved

MOST_CODES = 100  # of a column; one with more values is an identifier or a text
Numbers = NDArray[np.float64]
Binned = tuple[NDArray[np.int64], list[str]]  # the bin of each row, and the name of each bin


def drifted(
    version: Version,
    columns: Sequence[str],
    read: Callable[..., Candidates],
    fresh: Callable[[str, str | None], bool],
    bins: int,
) -> tuple[Candidates, Numbers, list[str], str]:
    """Return the rows after training that may be asked about, their scores and reasons, and what was compared.

    A row's score is the sum, over the columns, of what its bin adds to the population stability index between the
    training rows and the rows after them; bins that hold fewer rows than before add nothing.

    Args:
        version: With a time column and a training part.
        columns: The columns to compare.
        read: `Wish.read`.
        fresh: Whether a row may be asked about.
        bins: Bins of a number.

    Raises:
        BadInput: The version has no training part, or no rows after it.
    """
    if "train" not in version.split or not version.time:
        raise BadInput(
            f"{version.title} has no training rows to have drifted from.", "Declare [dataset.split].", "dataset.split"
        )
    end = version.part("train").end
    rows = read([*columns, version.time], any_row)
    later = _from(rows, version, end, True)
    before = _from(rows, version, version.part("train").start, False)
    if not later.any() or not before.any():
        raise BadInput("There are no rows outside the training span.", "Link newer rows.", version.title)
    scores, top = np.zeros(len(rows)), np.zeros(len(rows))
    reasons = [""] * len(rows)
    for name in columns:
        found = binned(rows.table.column(name), version.column(name).kind, before, bins)
        if found is None:
            continue
        places, labels = found
        old = np.bincount(places[before], minlength=len(labels)).astype(np.float64)
        new = np.bincount(places[later], minlength=len(labels)).astype(np.float64)
        parts = moved(old, new)[places]
        scores += parts
        for row in np.flatnonzero(later & (parts > top)).tolist():
            bin_ = places[row]
            was, now = old[bin_] / old.sum(), new[bin_] / new.sum()
            top[row], reasons[row] = (
                parts[row],
                f"{name} {labels[bin_]}: {was:.1%} of rows in training, {now:.1%} later",
            )
    asked = [bool(later[p]) and fresh(key, rows.given[p]) for p, key in enumerate(rows.keys)]
    chosen = np.flatnonzero(asked).astype(np.int64)
    recipe = f"{int(before.sum()):,} training rows against {int(later.sum()):,} later ones"
    return rows.take(chosen), scores[chosen], [reasons[place] for place in chosen.tolist()], recipe


def any_row(key: str, given: str | None) -> bool:
    """Accept every row."""
    return True


def _from(rows: Candidates, version: Version, moment: int, after: bool) -> NDArray[np.bool_]:
    """Return which rows lie at or after a moment (`after`), or in the training part that starts at it."""
    time = version.column(version.time)
    end = (1 << 42) if after else version.part("train").end  # the year 2109
    table: Any = rows.table.select([time.name]).append_column("#", [np.arange(len(rows))])
    places = table.filter(time_within(time, moment, end)).column("#").to_numpy()
    found = np.zeros(len(rows), dtype=bool)
    found[places] = True
    return found


def binned(column: Any, kind: str, before: NDArray[np.bool_], bins: int) -> Binned | None:
    """Return the bin of each row and the bins' names; quantiles of the training rows, or codes; None for neither."""
    if kind == "numeric":
        values = np.asarray(pc.cast(column, "double").to_numpy(zero_copy_only=False), dtype=np.float64)
        edges = quantile_edges(values[before & np.isfinite(values)], bins)
        missing = np.isnan(values)
        places = np.where(missing, edges.size + 1, np.searchsorted(edges, np.where(missing, 0, values), side="right"))
        shown = [f"{edge:,.6g}" for edge in edges]
        inner = [f"{low} to {high}" for low, high in pairwise(shown)]
        names = [f"below {shown[0]}", *inner, f"from {shown[-1]}", "missing"] if shown else ["any value", "missing"]
        return places.astype(np.int64), names
    if kind not in ("categorical", "boolean"):
        return None
    texts = ["missing" if value is None else str(value) for value in column.to_pylist()]
    codes = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    if len(codes) > MOST_CODES:
        return None
    return np.array([codes[text] for text in texts], dtype=np.int64), list(codes)
