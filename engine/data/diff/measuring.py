"""What became of one column: cells that changed, means, missing values, codes, and how its distribution moved."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace
from numpy.typing import NDArray

from lemnis.engine.data.diff.records import Bin, Code, ColumnDiff, Side
from lemnis.engine.data.diff.values import Array, Bits, Pair, Values
from lemnis.engine.data.plain import plain_column
from lemnis.engine.distances import (
    CONFIDENCE,
    edge_labels,
    population_stability_index,
    psi_noise,
    quantile_edges,
    smoothed_shares,
)

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
OWN_BINS = 30  # texts with a bin of their own, as the monitor has; the rest share `other`
EDGE_ROWS = 500_000  # rows before that decide where bins end, evenly taken
CODES = 50  # new and vanished codes that are named
CODE_RANGE = 10_000  # whole numbers this close together are counted one by one
NUMBER_CODES = 100  # distinct whole numbers that are codes too, such as months; more are amounts
LONGEST = 200  # characters of a code that are kept


class Cells(NamedTuple):
    """The values of the rows that both versions have, and which of them differ."""

    before: Values
    after: Values
    changed: Bits


class Counted(NamedTuple):
    """Rows per bin of both versions, shape (k,) each."""

    labels: list[str]
    before: Counts
    after: Counts


NOTHING = Counted([], np.empty(0, np.int64), np.empty(0, np.int64))


def measure(blank: ColumnDiff, pair: Pair, cells: Cells, bins: int) -> ColumnDiff:
    """Return a column with everything that its values tell.

    Args:
        blank: Its name, role and types.
        pair: All its values in either version.
        cells: Those of the rows that both have.
        bins: How many bins a number is cut into for its PSI.
    """
    assert blank.before is not None
    assert blank.after is not None
    changed = np.flatnonzero(cells.changed)
    was, now = cells.before.of(changed), cells.after.of(changed)
    gone_before, gone_after = absent(was), absent(now)
    figures = pair.figures or (pair.before, pair.after)
    found = replace(
        blank,
        nature=pair.nature,
        before=described(blank.before, pair, figures[0]),
        after=described(blank.after, pair, figures[1]),
        changed=len(changed),
        filled=int(np.count_nonzero(gone_before & ~gone_after)),
        emptied=int(np.count_nonzero(gone_after & ~gone_before)),
        mean_change=mean_change(was, now) if pair.nature == "numeric" and pair.figures is None else None,
    )
    if pair.nature == "time":
        return found
    codes = code_counts(pair)
    if codes is not None and pair.nature != "boolean":
        found = with_codes(found, codes, pair.names)
    counted = binned(pair, figures, codes, bins)
    return with_psi(found, counted, (found.before, found.after))


def absent(side: Values) -> Bits:
    """Return which rows have no value: null or not a number."""
    values = side.values
    if values.dtype.kind == "f":
        gone = np.isnan(values)
        return gone if side.missing is None else gone | side.missing
    if side.missing is not None:
        return side.missing
    return np.zeros(len(values), np.bool_)


def described(blank: Side, pair: Pair, side: Values) -> Side:
    """Return one side with its missing rows, mean, spread and range."""
    gone = absent(side)
    missing = int(np.count_nonzero(gone))
    if pair.nature == "text":
        return replace(blank, missing=missing)
    known = side.values[~gone] if missing else side.values
    if not known.size:
        return replace(blank, missing=missing)
    if pair.nature == "time":
        return replace(blank, missing=missing, low=moment(known.min(), pair.kind), high=moment(known.max(), pair.kind))
    finite = known[np.isfinite(known)] if known.dtype.kind == "f" else known
    mean, deviation = moments(finite)
    ends = (str(known.min().item()), str(known.max().item())) if pair.nature == "numeric" else (None, None)
    return replace(blank, missing=missing, mean=mean, deviation=deviation, low=ends[0], high=ends[1])


def moments(finite: Array) -> tuple[float | None, float | None]:
    """Return mean and sample standard deviation; None where they are not defined or too large for a double."""
    if not finite.size:
        return None, None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(finite.mean(dtype=np.float64))
        deviation = float(finite.std(dtype=np.float64, ddof=1)) if finite.size > 1 else None
    known = mean if np.isfinite(mean) else None
    return known, deviation if deviation is not None and np.isfinite(deviation) else None


def moment(value: Any, kind: Any) -> str:
    """Return a time as text. Any: a NumPy integer and a pyarrow type."""
    whole = pa.int32() if kind.bit_width == 32 else pa.int64()
    return str(plain_column(pa.chunked_array([pa.array([int(value)], whole).cast(kind)]))[0])


def mean_change(was: Values, now: Values) -> float | None:
    """Return the mean of after minus before over the rows that hold finite numbers on both sides."""
    one, other = was.values.astype(np.float64), now.values.astype(np.float64)
    held = ~(absent(was) | absent(now)) & np.isfinite(one) & np.isfinite(other)
    return moments((other - one)[held])[0]


def code_counts(pair: Pair) -> Counted | None:
    """Return rows per value of a text, or of whole numbers that lie close together; None for other columns."""
    if pair.nature == "text":
        sides = [side.values[side.values >= 0] for side in (pair.before, pair.after)]
        counts = [np.bincount(side, minlength=len(pair.names)) for side in sides]
        return Counted([], counts[0], counts[1])
    if pair.figures or any(side.values.dtype.kind not in "iu" for side in (pair.before, pair.after)):
        return None
    sides = [side.values if side.missing is None else side.values[~side.missing] for side in (pair.before, pair.after)]
    held = [side for side in sides if side.size]
    if not held:
        return None
    low, high = min(int(side.min()) for side in held), max(int(side.max()) for side in held)
    if high - low > CODE_RANGE:
        return None
    counts = [np.bincount(side.astype(np.int64) - low, minlength=high - low + 1) for side in sides]
    if np.count_nonzero(counts[0] + counts[1]) > NUMBER_CODES:
        return None
    return Counted([str(value) for value in range(low, high + 1)], counts[0], counts[1])


def with_codes(found: ColumnDiff, codes: Counted, names: Any = None) -> ColumnDiff:
    """Add the codes that only one version has. Any: the names of texts, a pyarrow array."""
    new, vanished = ((codes.after > 0) & (codes.before == 0)), ((codes.before > 0) & (codes.after == 0))
    return replace(
        found,
        new=int(np.count_nonzero(new)),
        vanished=int(np.count_nonzero(vanished)),
        new_codes=named(np.where(new, codes.after, 0), codes.labels, names),
        vanished_codes=named(np.where(vanished, codes.before, 0), codes.labels, names),
    )


def named(rows: Counts, labels: list[str], names: Any) -> list[Code]:
    """Return the codes with the most rows, those without any left out. Any: as in `with_codes`."""
    most = [int(place) for place in largest(rows, CODES) if rows[place]]
    return [Code(value=label_of(place, labels, names), rows=int(rows[place])) for place in most]


def label_of(place: int, labels: list[str], names: Any) -> str:
    """Return the value of a code as text. Any: as in `with_codes`."""
    return labels[place] if names is None else str(names[place].as_py())[:LONGEST]


def largest(rows: Counts, many: int) -> Counts:
    """Return the places of the largest counts, the largest first, of equal ones the first."""
    if len(rows) > 10 * many:
        chosen = np.sort(np.argpartition(-rows, many)[:many])
        return chosen[np.argsort(-rows[chosen], kind="stable")]
    return np.argsort(-rows, kind="stable")[:many]


def binned(pair: Pair, figures: tuple[Values, Values], codes: Counted | None, bins: int) -> Counted:
    """Return the rows of either version in the bins that the version before decides."""
    if pair.nature == "boolean":
        names = {"0": "false", "1": "true"}
        return codes._replace(labels=[names[label] for label in codes.labels]) if codes else NOTHING
    if pair.nature == "text":
        assert codes is not None
        own = [int(place) for place in largest(codes.before, OWN_BINS) if codes.before[place]]
        rest = [int(side.sum() - side[own].sum()) for side in (codes.before, codes.after)]
        labels = [label_of(place, codes.labels, pair.names) for place in own]
        before, after = np.append(codes.before[own], rest[0]), np.append(codes.after[own], rest[1])
        return Counted([*labels, "other"], before, after)
    sides = [side.values[~absent(side)].astype(np.float64, copy=False) for side in figures]
    finite = sides[0][np.isfinite(sides[0])]
    if len(finite) > EDGE_ROWS:
        finite = finite[np.linspace(0, len(finite) - 1, EDGE_ROWS).astype(np.int64)]
    edges = quantile_edges(finite, bins)
    return Counted(edge_labels(edges.tolist()), counts_between(sides[0], edges), counts_between(sides[1], edges))


def counts_between(values: Numbers, edges: Numbers) -> Counts:
    """Return rows per bin between ascending inner edges, the outer bins open, shape (len(edges) + 1,); no NaN.

    One comparison an edge: several times as fast as a search for the few edges there are.
    """
    above = [len(values), *(int(np.count_nonzero(values >= edge)) for edge in edges), 0]
    return -np.diff(np.array(above, np.int64))


def with_psi(found: ColumnDiff, counted: Counted, sides: tuple[Side | None, Side | None]) -> ColumnDiff:
    """Add the bins and the PSI between them; none where a version has no row."""
    gone = [side.missing if side else 0 for side in sides]
    before, after = np.append(counted.before, gone[0]), np.append(counted.after, gone[1])
    labels = [*counted.labels, "missing"]
    used = (before + after) > 0  # a bin that nobody fills is no degree of freedom
    listed = [
        Bin(label=label, before=int(one), after=int(other))
        for label, one, other, shown in zip(labels, before, after, used, strict=True)
        if shown
    ]
    if not (before.sum() and after.sum()):
        return replace(found, bins=listed)
    shares = [smoothed_shares(side[used].astype(np.float64)) for side in (before, after)]
    noise = psi_noise(len(listed), int(before.sum()), int(after.sum()), CONFIDENCE)
    return replace(found, bins=listed, psi=population_stability_index(shares[0], shares[1]), noise=noise)
