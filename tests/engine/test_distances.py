# pyright: basic

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.spatial.distance import jensenshannon

from lemnis.engine.distances import (
    Numbers,
    chi_square_quantile,
    jensen_shannon_distance,
    population_stability_index,
    psi_noise,
    quantile_edges,
    smoothed_shares,
)

counts = st.lists(st.integers(0, 10_000), min_size=6, max_size=6).filter(any).map(lambda row: np.array(row, float))
shares = counts.map(lambda row: row / row.sum())
distances = pytest.mark.parametrize("distance", [population_stability_index, jensen_shannon_distance])
numbers = hnp.arrays(np.float64, st.integers(1, 80), elements=st.floats(-1e6, 1e6))


@distances
@given(shares, shares)
def test_a_distance_is_symmetric_and_never_negative(distance, p: Numbers, q: Numbers) -> None:
    assert distance(p, q) == pytest.approx(distance(q, p))
    assert distance(p, q) >= 0


@distances
@given(shares)
def test_a_distribution_does_not_drift_from_itself(distance, p: Numbers) -> None:
    assert distance(p, p) == 0


@distances
@given(shares, shares, st.permutations(range(6)))
def test_the_order_of_the_bins_is_no_drift(distance, p: Numbers, q: Numbers, order: list[int]) -> None:
    assert distance(p[order], q[order]) == pytest.approx(distance(p, q))


@given(shares, shares)
@example(np.array([1.0, 0, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 1.0]))
def test_jensen_shannon_is_a_number_from_0_to_1_as_scipy_has_it(p: Numbers, q: Numbers) -> None:
    distance = jensen_shannon_distance(p, q)
    assert 0 <= distance <= 1
    assert distance == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)


@given(shares, shares, shares)
def test_jensen_shannon_obeys_the_triangle_inequality(p: Numbers, q: Numbers, r: Numbers) -> None:
    assert jensen_shannon_distance(p, r) <= jensen_shannon_distance(p, q) + jensen_shannon_distance(q, r) + 1e-9


@given(counts, counts)
def test_psi_is_the_sum_of_both_relative_entropies(p: Numbers, q: Numbers) -> None:
    p, q = smoothed_shares(p), smoothed_shares(q)
    assert population_stability_index(p, q) == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p), abs=1e-9)


@given(counts)
def test_smoothed_shares_sum_to_one_and_leave_no_bin_empty(rows: Numbers) -> None:
    found = smoothed_shares(rows)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()
    assert np.abs(found - rows / rows.sum()).max() <= rows.size / 2 / rows.sum() + 1e-12


@pytest.mark.parametrize("wrong", [np.array([-1.0, 2]), np.array([math.nan]), np.empty(0)])
def test_counts_that_are_none_are_refused(wrong: Numbers) -> None:
    with pytest.raises(ValueError, match="count"):
        smoothed_shares(wrong)


@distances
def test_shares_over_other_bins_are_refused(distance) -> None:
    with pytest.raises(ValueError, match="shares"):
        distance(np.array([0.5, 0.5]), np.array([1.0]))
    with pytest.raises(ValueError, match="shares"):
        distance(np.array([0.5, 0.5]), np.array([1.5, -0.5]))


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 10, 30, 100])
@pytest.mark.parametrize("confidence", [0.95, 0.99, 0.999])
def test_the_chi_square_quantile_agrees_with_scipy(freedom: int, confidence: float) -> None:
    assert chi_square_quantile(confidence, freedom) == pytest.approx(stats.chi2.ppf(confidence, freedom), rel=0.02)


def test_samples_of_one_distribution_stay_below_the_noise_as_often_as_promised() -> None:
    generator = np.random.default_rng(7)
    truth = np.full(10, 0.1)
    limit = psi_noise(10, 5_000, 400, 0.99)
    below = 0
    for _ in range(2_000):
        p, q = generator.multinomial(5_000, truth), generator.multinomial(400, truth)
        psi = population_stability_index(smoothed_shares(p.astype(float)), smoothed_shares(q.astype(float)))
        below += psi < limit
    assert below / 2_000 == pytest.approx(0.99, abs=0.008)


@given(numbers, st.integers(2, 20))
def test_quantile_bins_of_the_reference_are_all_filled(values: Numbers, bins: int) -> None:
    edges = quantile_edges(values, bins)
    assert edges.size < bins
    assert all(low < high for low, high in pairwise(edges))
    assert (rows_between(values, edges) > 0).all()


def test_continuous_values_fall_into_bins_of_equal_weight() -> None:
    values = np.random.default_rng(1).normal(size=10_000)
    assert rows_between(values, quantile_edges(values, 10)) == pytest.approx(np.full(10, 1_000), abs=2)


def rows_between(values: Numbers, edges: Numbers) -> Numbers:
    return np.histogram(values, [-np.inf, *edges, np.inf])[0]
