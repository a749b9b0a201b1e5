"""What a window has counted so far: rows per bin, added to as rows arrive and never recounted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.distances import edge_labels
from lemnis.engine.monitor.drift.cells import count_cells
from lemnis.engine.monitor.drift.null import Null

OTHER, MISSING = "other", "missing"
UNKNOWN_KEPT = 20  # unknown categories remembered by name; more are only counted


class Binning(msgspec.Struct, frozen=True, kw_only=True):
    """The frozen bins of one feature and how the reference fills them.

    Attributes:
        edges: Inner edges of a number's cells, ascending.
        bounds: Places of the edges that bound bins, which are unions of cells; empty when every cell is a bin.
        categories: Categories with a bin of their own, most frequent first; the others share the bin `other`.
        known: Every category training saw.
        counts: Reference rows per cell, or per category and `other`, then `missing`.
        sums: Of a number's values in each cell, see `cells.count_cells`; centre, spread: mean and standard deviation.
        low, high: Range of the training values.
        null: What windows of the training rows say of chance; None where there were too few rows to tell.
        nullable: Training had rows without a value.
    """

    name: str
    kind: Literal["numeric", "categorical", "prediction"]
    edges: list[float] = []
    categories: list[str] = []
    known: list[str] = []
    counts: list[int] = []
    bounds: list[int] = []
    sums: list[int] = []
    centre: float = 0.0
    spread: float = 0.0
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    logical: bool = False
    null: Null | None = None

    @property
    def labels(self) -> list[str]:
        """One short name per bin, `missing` last."""
        if self.kind == "categorical":
            return [*self.categories, OTHER, MISSING]
        if self.logical:
            return ["false", "true", MISSING][-len(self.edges) - 2 :]
        return [*edge_labels([self.edges[place] for place in self.bounds] or self.edges), MISSING]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's counts in one window.

    Attributes:
        counts: Rows per cell, as `Binning.counts`; sums: as `Binning.sums`.
        unknown: Rows per category that training did not see, the first UNKNOWN_KEPT of them.
        unknown_rows: All rows with such a category.
        mistyped: Rows whose value has the wrong type; they count as missing.
        low, high: Range of the numbers seen.
    """

    counts: list[int]
    sums: list[int] = []
    unknown: dict[str, int] = {}
    unknown_rows: int = 0
    mistyped: int = 0
    low: float | None = None
    high: float | None = None


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one window; two tallies of different rows add up to the tally of all of them.

    Attributes:
        malformed: Rows with another number of values than the model has features; they are in no column.
        scored: Rows with a score; `score_sum` and `positives` (at or above the threshold) are theirs.
    """

    rows: int = 0
    duplicates: int = 0
    malformed: int = 0
    scored: int = 0
    score_sum: float = 0.0
    positives: int = 0
    columns: dict[str, Column] = {}

    def __add__(self, other: "Tally") -> "Tally":
        names = [*self.columns, *(name for name in other.columns if name not in self.columns)]
        return Tally(
            rows=self.rows + other.rows,
            duplicates=self.duplicates + other.duplicates,
            malformed=self.malformed + other.malformed,
            scored=self.scored + other.scored,
            score_sum=self.score_sum + other.score_sum,
            positives=self.positives + other.positives,
            columns={name: joined(self.columns.get(name), other.columns.get(name)) for name in names},
        )


def joined(one: Column | None, two: Column | None) -> Column:
    """Return the counts of both columns together."""
    if one is None or two is None:
        found = one or two
        assert found is not None
        return found
    unknown = Counter(one.unknown) + Counter(two.unknown)
    return Column(
        counts=[a + b for a, b in zip(one.counts, two.counts, strict=True)],
        sums=[a + b for a, b in zip(one.sums, two.sums, strict=True)],
        unknown=dict(unknown.most_common(UNKNOWN_KEPT)),
        unknown_rows=one.unknown_rows + two.unknown_rows,
        mistyped=one.mistyped + two.mistyped,
        low=min((v for v in (one.low, two.low) if v is not None), default=None),
        high=max((v for v in (one.high, two.high) if v is not None), default=None),
    )


# Any below: a value of a request is what JSON can hold; these functions judge it.
def count_rows(
    binnings: Sequence[Binning], rows: Sequence[list[Any]], scores: Sequence[float], threshold: float
) -> Tally:
    """Return the tally of some rows.

    Args:
        binnings: Of the features in the rows' order; the prediction's is last.
        rows: One list of values per row.
        scores: The model's answer per row, NaN without one.
        threshold: From which score an answer is positive.
    """
    features, prediction = binnings[:-1], binnings[-1]
    whole = [row for row in rows if len(row) == len(features)]
    transposed: list[Sequence[Any]] = list(zip(*whole, strict=True)) if whole else [()] * len(features)
    columns = {b.name: count_column(b, values) for b, values in zip(features, transposed, strict=True)}
    numbers = np.array(scores, dtype=np.float64)
    columns[prediction.name] = count_numbers(prediction, numbers)
    held = numbers[~np.isnan(numbers)]
    return Tally(
        rows=len(rows),
        malformed=len(rows) - len(whole),
        scored=held.size,
        score_sum=float(held.sum()),
        positives=int((held >= threshold).sum()),
        columns=columns,
    )


def count_column(binning: Binning, values: Sequence[Any]) -> Column:
    """Return the counts of one feature's values."""
    if binning.kind == "categorical":
        return count_categories(binning, values)
    accepted = (bool,) if binning.logical else (int, float)
    if set(map(type, values)) <= {*accepted, type(None)}:  # as a rule; and NumPy makes NaN of None
        return count_numbers(binning, np.array(values, dtype=np.float64))
    held = [value for value in values if type(value) in accepted]
    column = count_numbers(binning, np.array(held, dtype=np.float64), absent=len(values) - len(held))
    return msgspec.structs.replace(column, mistyped=len(values) - len(held) - sum(value is None for value in values))


def count_numbers(binning: Binning, numbers: NDArray[np.float64], *, absent: int = 0) -> Column:
    """Return the counts of numbers, NaN and `absent` further rows for missing ones."""
    counts, sums = count_cells(numbers, np.array(binning.edges), binning.centre, binning.spread)
    counts[-1] += absent
    finite = numbers[np.isfinite(numbers)]
    return Column(
        counts=counts.tolist(),
        sums=sums.tolist(),
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
    )


def count_categories(binning: Binning, values: Sequence[Any]) -> Column:
    """Return the counts of one categorical feature's values."""
    found: Counter[str] = Counter(value for value in values if type(value) is str)
    known = set(binning.known)
    unknown = Counter({name: rows for name, rows in found.items() if name not in known})
    own = [found[name] for name in binning.categories]
    texts = found.total()
    return Column(
        counts=[*own, texts - sum(own), len(values) - texts],
        unknown=dict(unknown.most_common(UNKNOWN_KEPT)),
        unknown_rows=unknown.total(),
        mistyped=len(values) - texts - sum(value is None for value in values),
    )
