"""The association of every two columns by every measure, as square matrices over one sample. Pure NumPy, no I/O."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.features.association import (
    category_codes,
    correlation_ratio,
    cramers_v,
    mean_ranks,
    mutual_information,
    quantile_codes,
)
from lemnis.engine.features.records import MEASURES

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_CODES = 32  # categories kept apart in one column; the others share a code
BINS = 16


class Series(Struct, frozen=True, kw_only=True):
    """One column of a sample.

    Attributes:
        values: Shape (n,); the number, or the category's code; NaN where it is missing.
        number: True if the values are an amount: differences between them mean something.
        truth: True if they are truth values; Pearson and Spearman take them as 0 and 1.
    """

    name: str
    values: Values
    number: bool
    truth: bool = False

    @property
    def codes(self) -> Codes:
        """The values as bins or categories, the missing ones as one more."""
        return quantile_codes(self.values, BINS) if self.number else category_codes(self.values, MOST_CODES)


def chosen_measure(first_is_number: bool, second_is_number: bool) -> str:
    """Return the measure that suits a pair: Spearman, Cramér's V, or the correlation ratio for one of each."""
    if first_is_number and second_is_number:
        return "spearman"
    return "cramers_v" if not (first_is_number or second_is_number) else "ratio"


def association_matrices(
    columns: Sequence[Series], told: Callable[[float], None] = lambda share: None
) -> dict[str, Values]:
    """Return a symmetric matrix for each of MEASURES, shape (k, k); NaN where a measure does not suit a pair.

    Pearson and Spearman take the rows where both numbers are known; Spearman ranks each column once, among its own
    known values, so with missing values it can differ a little from ranks made anew for each pair. A column always
    goes with itself by 1.

    Args:
        columns: At least one; of one length.
        told: Called with the share of the work done, 0..1.
    """
    k = len(columns)
    numbers = np.array([column.number for column in columns])
    found = {measure: np.full((k, k), np.nan) for measure in MEASURES}
    places = [place for place, column in enumerate(columns) if column.number or column.truth]
    if places:
        block = np.ix_(places, places)
        found["pearson"][block] = correlations([columns[place].values for place in places])
        found["spearman"][block] = correlations([mean_ranks(columns[place].values) for place in places])
    codes = [column.codes for column in columns]
    for a in range(k):
        told(a / k)
        for b in range(a + 1, k):
            set_pair(found["cramers_v"], a, b, cramers_v(codes[a], codes[b]))
            set_pair(found["information"], a, b, mutual_information(codes[a], codes[b]))
            if numbers[a] != numbers[b]:
                group, amount = (b, a) if numbers[a] else (a, b)
                set_pair(found["ratio"], a, b, ratio_of(codes[group], columns[amount].values))
            set_pair(found["kind"], a, b, float(found[chosen_measure(bool(numbers[a]), bool(numbers[b]))][a, b]))
    for matrix in found.values():
        np.fill_diagonal(matrix, 1.0)
    return found


def set_pair(matrix: Values, a: int, b: int, value: float) -> None:
    """Write one value on both sides of the diagonal."""
    matrix[a, b] = matrix[b, a] = value


def ratio_of(codes: Codes, amount: Values) -> float:
    """Return the correlation ratio over the rows where the number is known, NaN if there are none."""
    known = np.isfinite(amount)
    if not known.any():
        return math.nan
    return correlation_ratio(codes[known], amount[known])


def correlations(columns: Sequence[Values]) -> Values:
    """Return Pearson's correlation of every two columns over the rows where both are finite, shape (k, k).

    As `pearson`, all pairs at once by products of matrices: n·k² steps in four passes.
    """
    matrix = np.column_stack(columns).astype(np.float64)
    known = np.isfinite(matrix)
    matrix = np.where(known, matrix, 0.0)
    counts = np.maximum(known.sum(0), 1)
    # Centred and scaled by column first: what is left to subtract in a pair is then small.
    matrix = np.where(known, matrix - matrix.sum(0) / counts, 0.0)
    matrix = matrix / np.maximum(np.abs(matrix).max(0, initial=0.0), np.finfo(float).tiny)
    mask = known.astype(np.float64)
    rows = mask.T @ mask
    sums, squares, products = matrix.T @ mask, (matrix * matrix).T @ mask, matrix.T @ matrix
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = squares - sums * sums / rows
        covariance = products - sums * sums.T / rows
        found = covariance / np.sqrt(variance * variance.T)
    # What rounding alone leaves of a constant column is no spread.
    constant = (rows < 2) | (variance <= 1e-14 * rows) | (variance <= 1e-14 * rows).T
    return np.clip(np.where(constant, np.nan, found), -1.0, 1.0)
