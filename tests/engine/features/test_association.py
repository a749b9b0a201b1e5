"""The promises of the association measures, one test each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.stats import contingency as reference
from sklearn.metrics import normalized_mutual_info_score

from lemnis.engine.features.association import (
    category_codes,
    correlation_ratio,
    cramers_v,
    group_scores,
    mean_ranks,
    mutual_information,
    pearson,
    quantile_codes,
    spearman,
)

numbers = arrays(np.float64, st.integers(1, 200), elements=st.floats(-1e6, 1e6) | st.just(np.nan))
codes = st.integers(2, 200).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 5)), arrays(np.int64, n, elements=st.integers(0, 3))
    )
)


@settings(deadline=None)
@given(numbers, st.integers(1, 20))
def test_bins_keep_the_order_and_have_no_gaps(values: np.ndarray, bins: int) -> None:
    found = quantile_codes(values, bins)
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(found[known][order]) >= 0).all()
    assert set(found.tolist()) == set(range(found.max() + 1))
    assert len(set(found[known].tolist())) <= bins
    for value in np.unique(values[known]):
        assert len(set(found[values == value].tolist())) == 1


@given(numbers)
def test_missing_values_are_a_bin_of_their_own(values: np.ndarray) -> None:
    found = quantile_codes(values)
    missing = np.isnan(values)
    assert not set(found[missing].tolist()) & set(found[~missing].tolist())


def test_rare_categories_share_a_code_and_missing_ones_another() -> None:
    values = np.array([0, 0, 0, 1, 1, 2, 3, np.nan])
    found = category_codes(values, most=2)
    assert found[5] == found[6]
    assert len({found[0], found[3], found[5], found[7]}) == 4


@given(codes)
def test_cramers_v_is_symmetric_and_between_0_and_1(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    assert 0 <= cramers_v(a, b) <= 1
    assert cramers_v(a, b) == pytest.approx(cramers_v(b, a), abs=1e-9)


@given(st.integers(2, 6), st.integers(50, 300))
def test_a_column_tells_itself(kinds: int, rows: int) -> None:
    a = np.arange(rows) % kinds
    assert cramers_v(a, a) == pytest.approx(1.0, abs=1e-9)
    assert cramers_v(a, np.zeros_like(a)) == 0.0


def test_independent_columns_with_many_codes_are_not_associated() -> None:
    random = np.random.default_rng(7)
    a, b = random.integers(0, 200, 2000), random.integers(0, 2, 2000)
    assert cramers_v(a, b) < 0.1
    table = np.histogram2d(a, b, bins=(200, 2))[0]
    assert reference.association(table[table.sum(1) > 0].astype(int)) > 0.25  # what the bias would have claimed


def test_cramers_v_agrees_with_scipy_where_bias_vanishes() -> None:
    random = np.random.default_rng(3)
    a = random.integers(0, 3, 200_000)
    b = np.where(random.random(200_000) < 0.3, a, random.integers(0, 3, 200_000))
    table = np.histogram2d(a, b, bins=(3, 3))[0].astype(int)
    assert cramers_v(a, b) == pytest.approx(reference.association(table), abs=1e-3)


@given(codes)
def test_the_correlation_ratio_lies_between_0_and_1(pair: tuple[np.ndarray, np.ndarray]) -> None:
    groups, target = pair
    assert 0 <= correlation_ratio(groups, target.astype(float)) <= 1


def test_a_group_that_tells_the_number_has_ratio_1_and_noise_about_0() -> None:
    random = np.random.default_rng(1)
    groups = random.integers(0, 40, 4000)
    assert correlation_ratio(groups, groups * 2.0) == 1.0
    assert correlation_ratio(groups, random.normal(size=4000)) < 0.1


@given(codes)
def test_a_prediction_from_a_group_stays_within_the_target(pair: tuple[np.ndarray, np.ndarray]) -> None:
    groups, target = pair
    scores = group_scores(groups, target.astype(float), np.array([0, 5, 9]))
    assert ((scores >= target.min() - 1e-9) & (scores <= target.max() + 1e-9)).all()
    assert scores[2] == pytest.approx(target.mean())


amounts = st.integers(3, 200).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.integers(-1000, 1000).map(float)),
        arrays(np.float64, n, elements=st.integers(-1000, 1000).map(float)),
    )
)


@given(amounts)
def test_pearson_and_spearman_agree_with_scipy_to_12_digits(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert np.isnan(pearson(a, b))
        assert np.isnan(spearman(a, b))
        return
    assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-12)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert mean_ranks(a) == pytest.approx(stats.rankdata(a))


@given(codes)
def test_mutual_information_agrees_with_sklearn_to_12_digits(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    found = mutual_information(a, b)
    assert 0 <= found <= 1
    assert found == pytest.approx(mutual_information(b, a), abs=1e-12)
    if len(set(a)) > 1 and len(set(b)) > 1:  # of a constant column sklearn says 1 or 0, we say 0
        assert found == pytest.approx(normalized_mutual_info_score(a, b), abs=1e-12)


@given(codes)
def test_cramers_v_agrees_with_scipys_chi_square_to_12_digits(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    table = np.histogram2d(a, b, bins=(6, 4), range=((0, 6), (0, 4)))[0]
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    n, (r, k) = table.sum(), table.shape
    rows, columns = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    if min(r, k) < 2 or min(rows, columns) <= 1:
        assert cramers_v(a, b) == 0
        return
    phi2 = max(0, stats.chi2_contingency(table, correction=False).statistic / n - (r - 1) * (k - 1) / (n - 1))
    assert cramers_v(a, b) == pytest.approx(min(1, np.sqrt(phi2 / (min(rows, columns) - 1))), abs=1e-12)


def test_the_correlation_ratio_agrees_with_scipys_analysis_of_variance_to_12_digits() -> None:
    random = np.random.default_rng(4)
    for groups in (2, 5, 30):
        codes_, noise = random.integers(0, groups, 900), random.normal(size=900)
        target = noise + codes_ / groups
        f = stats.f_oneway(*[target[codes_ == group] for group in range(groups)]).statistic
        between, within = groups - 1, 900 - groups
        eta2 = f * between / (f * between + within)
        epsilon2 = 1 - (1 - eta2) * 899 / within
        assert correlation_ratio(codes_, target) == pytest.approx(np.sqrt(max(0, epsilon2)), abs=1e-12)


@given(amounts)
def test_a_rising_function_changes_no_rank_and_missing_rows_are_left_out(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    assert spearman(np.cbrt(a), b) == pytest.approx(spearman(a, b), abs=1e-12, nan_ok=True)
    holes = np.concatenate([a, [np.nan, 5.0]]), np.concatenate([b, [7.0, np.nan]])
    assert pearson(*holes) == pytest.approx(pearson(a, b), abs=1e-12, nan_ok=True)
    assert spearman(*holes) == pytest.approx(spearman(a, b), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e9, 1e300])
def test_correlation_does_not_depend_on_the_unit(scale: float) -> None:
    random = np.random.default_rng(8)
    a = random.normal(size=300)
    b = a + random.normal(size=300)
    assert pearson(a * scale, b) == pytest.approx(pearson(a, b), abs=1e-12)
