"""The promises of the docstrings, against NumPy and SciPy."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from lemnis.engine.explore import statistics
from lemnis.engine.explore.statistics import Ordered


def forms(values: list[float] | list[int]) -> st.SearchStrategy[tuple[np.ndarray, Ordered]]:
    """Draw the values in order, and one of the two forms that hold them."""
    ordered = np.sort(np.array(values))
    distinct, rows = np.unique(ordered, return_counts=True)
    found = [Ordered(ordered), Ordered(distinct, np.cumsum(rows)), statistics.gathered(ordered)]
    return st.sampled_from(found).map(lambda form: (ordered, form))


integers = st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=200).flatmap(forms)
few = st.lists(st.integers(-30, 30), min_size=1, max_size=200).flatmap(forms)
wild = st.floats(allow_nan=False, allow_infinity=False)
reals = st.lists(wild, min_size=1, max_size=200).flatmap(forms)
columns = st.one_of(integers, few, reals)
shares = st.floats(0, 1)
bounds = st.lists(st.one_of(st.integers(-40, 40).map(float), st.floats(-1e30, 1e30)), min_size=1, max_size=5)


@given(columns, shares)
def test_a_quantile_is_numpys_and_lies_between_two_values(column: tuple[np.ndarray, Ordered], share: float) -> None:
    ordered, form = column
    found = statistics.sorted_quantile(form, share)
    assert ordered[0] <= found <= ordered[-1]
    if np.abs(ordered).max() < 1e150:
        assert found == pytest.approx(np.quantile(ordered, share), rel=1e-9, abs=1e-9)


@given(columns)
def test_runs_are_the_distinct_values_and_their_rows(column: tuple[np.ndarray, Ordered]) -> None:
    values, rows = np.unique(column[0], return_counts=True)
    found, counts = statistics.sorted_runs(column[1])
    assert found.tolist() == values.tolist()
    assert counts.tolist() == rows.tolist()


@given(st.lists(st.integers(-20, 40)))
def test_counted_numbers_are_as_sorted_ones(values: list[int]) -> None:
    counts = np.bincount(np.array(values, dtype=int) + 20, minlength=61)
    found = statistics.tallied(counts, -20)
    assert np.repeat(found.values, np.diff(found.ends, prepend=0)).tolist() == sorted(values)
    assert found.rows == len(values)


@given(columns, bounds, st.booleans())
@example((np.array([2**53, 2**53 + 1]), Ordered(np.array([2**53, 2**53 + 1]))), [2.0**53], True)
@example((np.array([0, 2**64 - 1], dtype=np.uint64), Ordered(np.array([0, 2**64 - 1], dtype=np.uint64))), [-1.0], True)
def test_rows_below_a_bound_are_counted(column: tuple[np.ndarray, Ordered], limits: list[float], through: bool) -> None:
    exact = column[0].tolist()  # Python compares an integer with a float exactly
    found = statistics.rows_below(column[1], np.array(limits), through=through)
    wanted = [sum(value <= limit if through else value < limit for value in exact) for limit in limits]
    assert found.tolist() == wanted


@given(st.one_of(integers, few))
def test_moments_are_scipys(column: tuple[np.ndarray, Ordered]) -> None:
    ordered, form = column
    found = statistics.moments(form)
    values = ordered.astype(float)
    assert found.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-6)
    if len(values) > 1:
        assert found.deviation == pytest.approx(values.std(ddof=1), rel=1e-6, abs=1e-6)
    if values.std() > abs(values.mean()) * 1e-6:
        assert found.skewness == pytest.approx(stats.skew(values), rel=1e-5, abs=1e-6)


def test_moments_of_many_rows_are_scipys() -> None:
    values = np.sort(np.random.default_rng(3).gamma(2, 5, 3 * statistics.BLOCK + 7))
    found = statistics.moments(Ordered(values))
    assert found == pytest.approx((values.mean(), values.std(ddof=1), stats.skew(values)))


@pytest.mark.parametrize("values", [[], [3.0], [2.0, 2.0]])
def test_moments_that_mean_nothing_are_not_a_number(values: list[float]) -> None:
    found = statistics.moments(Ordered(np.array(values)))
    assert np.isnan(found.skewness)
    assert np.isnan(found.deviation) == (len(values) < 2)


ENDS = [np.array([0.0, 5e-324]), np.array([-1.7e308, 1.7e308]), np.array([1e16, 1e16 + 2, 1e16 + 4])]


@given(columns)
@example((ENDS[0], Ordered(ENDS[0])))
@example((ENDS[1], Ordered(ENDS[1])))
@example((ENDS[2], Ordered(ENDS[2])))
def test_every_row_is_in_a_bin_or_in_a_tail(column: tuple[np.ndarray, Ordered]) -> None:
    ordered, form = column
    edges = statistics.histogram_edges(form, whole=ordered.dtype.kind == "i")
    assert np.isfinite(edges).all()
    assert (edges[1:] > edges[:-1]).all()
    assert 2 <= len(edges) <= 2 * statistics.BINS + 3
    counts, below, above = statistics.sorted_histogram(form, edges)
    assert counts.sum() + below + above == len(ordered)
    assert below + above <= max(1, 2 * statistics.TAIL * len(ordered) + 2)
    inside = (ordered >= edges[0]) & (ordered <= edges[-1])
    assert counts.tolist() == np.histogram(ordered[inside], edges)[0].tolist()


def test_few_whole_numbers_get_a_bin_each() -> None:
    months = np.sort(np.tile(np.arange(1, 13), 10))
    edges = statistics.histogram_edges(Ordered(months), whole=True)
    assert edges.tolist() == list(range(1, 14))
    assert statistics.sorted_histogram(Ordered(months), edges).counts.tolist() == [10] * 12


def test_a_long_thin_tail_is_left_out_and_counted() -> None:
    values = np.sort(np.concatenate([np.linspace(0, 100, 10_000), [1e6, 2e6]]))
    edges = statistics.histogram_edges(Ordered(values))
    assert edges[-1] < 1000
    assert statistics.sorted_histogram(Ordered(values), edges).above == 2


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=5), st.lists(st.integers(0, 1000), min_size=2, max_size=5))
def test_total_variation_is_a_symmetric_share(p: list[int], q: list[int]) -> None:
    size = min(len(p), len(q))
    first, second = np.array(p[:size]), np.array(q[:size])
    found = statistics.total_variation(first, second)
    assert 0 <= found <= 1
    assert found == statistics.total_variation(second, first)
    assert statistics.total_variation(first, first) == 0
