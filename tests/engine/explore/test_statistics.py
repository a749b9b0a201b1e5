"""The promises of the docstrings, against NumPy and SciPy."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from lemnis.engine.explore import statistics

integers = st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=200).map(lambda row: np.sort(np.array(row)))
few = st.lists(st.integers(-30, 30), min_size=1, max_size=200).map(lambda row: np.sort(np.array(row)))
wild = st.floats(allow_nan=False, allow_infinity=False)
reals = st.lists(wild, min_size=1, max_size=200).map(lambda row: np.sort(np.array(row)))
columns = st.one_of(integers, few, reals)
shares = st.floats(0, 1)


@given(columns, shares)
def test_a_quantile_is_numpys_and_lies_between_two_values(ordered: np.ndarray, share: float) -> None:
    found = statistics.sorted_quantile(ordered, share)
    assert ordered[0] <= found <= ordered[-1]
    if np.abs(ordered).max() < 1e150:
        assert found == pytest.approx(np.quantile(ordered, share), rel=1e-9, abs=1e-9)


@given(columns)
def test_runs_are_the_distinct_values_and_their_rows(ordered: np.ndarray) -> None:
    values, rows = np.unique(ordered, return_counts=True)
    found, counts = statistics.sorted_runs(ordered)
    assert found.tolist() == values.tolist()
    assert counts.tolist() == rows.tolist()


@given(st.one_of(integers, few))
def test_moments_are_scipys(ordered: np.ndarray) -> None:
    found = statistics.moments(*statistics.sorted_runs(ordered))
    values = ordered.astype(float)
    assert found.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-6)
    if len(values) > 1:
        assert found.deviation == pytest.approx(values.std(ddof=1), rel=1e-6, abs=1e-6)
    if values.std() > abs(values.mean()) * 1e-6:
        assert found.skewness == pytest.approx(stats.skew(values), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("values", [[], [3.0], [2.0, 2.0]])
def test_moments_that_mean_nothing_are_not_a_number(values: list[float]) -> None:
    found = statistics.moments(*statistics.sorted_runs(np.array(values)))
    assert np.isnan(found.skewness)
    assert np.isnan(found.deviation) == (len(values) < 2)


@given(columns)
@example(np.array([0.0, 5e-324]))
@example(np.array([-1.7e308, 1.7e308]))
@example(np.array([1e16, 1e16 + 2, 1e16 + 4]))
def test_every_row_is_in_a_bin_or_in_a_tail(ordered: np.ndarray) -> None:
    edges = statistics.histogram_edges(ordered, whole=ordered.dtype.kind == "i")
    assert np.isfinite(edges).all()
    assert (edges[1:] > edges[:-1]).all()
    assert 2 <= len(edges) <= 2 * statistics.BINS + 3
    counts, below, above = statistics.sorted_histogram(ordered, edges)
    assert counts.sum() + below + above == len(ordered)
    assert below + above <= max(1, 2 * statistics.TAIL * len(ordered) + 2)


@given(columns, st.data())
def test_the_classes_of_a_bin_are_counted_as_if_each_were_alone(ordered: np.ndarray, data: st.DataObject) -> None:
    codes = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=len(ordered), max_size=len(ordered))))
    edges = statistics.histogram_edges(ordered, whole=ordered.dtype.kind == "i")
    totals = statistics.with_outside(statistics.sorted_histogram(ordered, edges))
    by_class = statistics.class_histogram(ordered, edges, codes, 3, totals)
    alone = [statistics.sorted_histogram(ordered[codes == code], edges) for code in range(3)]
    assert by_class.tolist() == [statistics.with_outside(drawn).tolist() for drawn in alone]


def test_a_missing_class_or_category_counts_nowhere() -> None:
    table = statistics.code_class_counts(np.array([0, 1, -1, 1]), np.array([0, -1, 1, 1]), 2, 2)
    assert table.tolist() == [[1, 0], [0, 1]]


def test_few_whole_numbers_get_a_bin_each() -> None:
    months = np.sort(np.tile(np.arange(1, 13), 10))
    edges = statistics.histogram_edges(months, whole=True)
    assert edges.tolist() == list(range(1, 14))
    assert statistics.sorted_histogram(months, edges).counts.tolist() == [10] * 12


def test_a_long_thin_tail_is_left_out_and_counted() -> None:
    values = np.sort(np.concatenate([np.linspace(0, 100, 10_000), [1e6, 2e6]]))
    edges = statistics.histogram_edges(values)
    assert edges[-1] < 1000
    assert statistics.sorted_histogram(values, edges).above == 2


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=5), st.lists(st.integers(0, 1000), min_size=2, max_size=5))
def test_total_variation_is_a_symmetric_share(p: list[int], q: list[int]) -> None:
    size = min(len(p), len(q))
    first, second = np.array(p[:size]), np.array(q[:size])
    found = statistics.total_variation(first, second)
    assert 0 <= found <= 1
    assert found == statistics.total_variation(second, first)
    assert statistics.total_variation(first, first) == 0
