# pyright: basic

"""The scores from counts against independent computations from the values."""

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, false_discovery_control

from lemnis.engine.features.signature import Feature
from lemnis.engine.monitor.drift.cells import CELLS
from lemnis.engine.monitor.drift.chance import benjamini_hochberg, chi_square_survival, kolmogorov_survival
from lemnis.engine.monitor.drift.freeze import freeze
from lemnis.engine.monitor.drift.null import Null
from lemnis.engine.monitor.drift.scores import chi_square, p_value, scores_of
from lemnis.engine.monitor.tally import Binning, Column, count_column, joined

NUMBER = Feature(name="n", kind="numeric")


def numbers_of(seed: int, rows: int, tied: bool) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return chance.integers(-3, 4, rows).astype(float) if tied else chance.standard_t(2, rows) * chance.uniform(0.1, 9)


values = st.builds(numbers_of, st.integers(0, 2**32 - 1), st.integers(30, 400), st.booleans())


def frozen(numbers: np.ndarray) -> Binning:
    held = numbers[np.isfinite(numbers)]
    return freeze(msgspec.structs.replace(NUMBER, low=float(held.min()), high=float(held.max())), numbers, 10)


def counted(binning: Binning, numbers: np.ndarray) -> Column:
    return count_column(binning, [None if np.isnan(v) else float(v) for v in numbers])


@given(values, values)
def test_ks_and_wasserstein_are_those_of_the_values_up_to_a_cell(before: np.ndarray, after: np.ndarray) -> None:
    binning = frozen(before)
    scores = scores_of(binning, counted(binning, after))
    exact = float(np.asarray(stats.ks_2samp(before, after, method="asymp"))[0])
    largest = max(binning.counts) / before.size
    assert exact - largest - 1e-12 <= (scores.kolmogorov_smirnov or 0.0) <= exact + 1e-12
    if binning.spread > 1e-9:
        moved = stats.wasserstein_distance(before, after) / binning.spread
        widest = np.diff([min(before.min(), after.min()), *binning.edges, max(before.max(), after.max())])
        crossing = 2 * (widest * (np.array(binning.counts[:-1]) / before.size)).sum() / binning.spread + 1e-5
        assert (scores.wasserstein or 0.0) <= moved + 1e-5
        assert moved - crossing - largest * widest.max() / binning.spread <= (scores.wasserstein or 0.0)


def test_scores_of_many_rows_are_those_of_the_values() -> None:
    chance = np.random.default_rng(1)
    before, after = chance.normal(5, 2, 40_000), chance.normal(5.6, 2, 10_000)
    before[:400], after[:500] = np.nan, np.nan
    binning = frozen(before)
    scores = scores_of(binning, counted(binning, after))
    held = before[400:], after[500:]
    assert len(binning.edges) >= CELLS - 2
    low = [np.where(np.isnan(side), -1e9, side) for side in (before, after)]
    assert scores.kolmogorov_smirnov == pytest.approx(
        float(np.asarray(stats.ks_2samp(low[0], low[1], method="asymp"))[0]), abs=1 / CELLS
    )
    assert scores.wasserstein == pytest.approx(stats.wasserstein_distance(*held) / before[400:].std(), rel=2e-3)
    edges = [-np.inf, *(binning.edges[place] for place in binning.bounds), np.inf]
    p, q = (
        np.append(np.histogram(side[~np.isnan(side)], edges)[0], np.isnan(side).sum()) + 0.5 for side in (before, after)
    )
    assert scores.jensen_shannon == pytest.approx(jensenshannon(p, q, base=2))
    assert scores.psi == pytest.approx(entropy(p, q) + entropy(q, p))
    assert p_value(scores, 1.0) < 1e-30


@given(values, st.lists(st.integers(0, 399), max_size=4))
def test_a_window_counted_in_parts_has_the_very_scores_of_one_counted_at_once(
    numbers: np.ndarray, cuts: list[int]
) -> None:
    binning = frozen(numbers[::2])
    whole = counted(binning, numbers)
    parts = [counted(binning, part) for part in np.split(numbers, sorted(cuts))]
    total = parts.pop()
    for part in reversed(parts):
        total = joined(total, part)
    assert total == whole
    assert scores_of(binning, total) == scores_of(binning, whole)


@given(st.lists(st.integers(6, 500), min_size=2, max_size=12), st.integers(0, 2**32 - 1))
def test_the_chi_square_holds_its_level_and_one_row_in_a_new_bin_proves_nothing(counts: list[int], seed: int) -> None:
    before = np.array([*counts, 0], float) * 1_000
    after = np.random.default_rng(seed).multinomial(2_000, before / before.sum(), 400).astype(float)
    statistics, freedom = chi_square(before, after)
    share = np.mean([chi_square_survival(x, freedom) <= 0.05 for x in statistics])
    assert share < 0.12
    new = np.round(before / before.sum() * 2_000)
    new[-1] += 1
    one, freedom = chi_square(before, new)
    assert chi_square_survival(float(one), freedom) > 0.05


@given(st.floats(1e-3, 300), st.integers(1, 60))
@example(300.0, 1)
def test_tails_agree_with_scipy(x: float, freedom: int) -> None:
    assert chi_square_survival(x, freedom) == pytest.approx(special.chdtrc(freedom, x), rel=1e-9, abs=1e-300)
    small = x / 60
    assert kolmogorov_survival(small) == pytest.approx(special.kolmogorov(small), rel=1e-6, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_agree_with_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p).tolist())


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_rows_never_raise_the_threshold(one: int, two: int) -> None:
    null = Null(rows=[200, 1_000, 5_000], windows=[300] * 3, effect=[0.12, 0.06, 0.03], inflation=[1.0, 1.5, 2.0])
    few, many = sorted((one, two))
    assert null.at(few)[0] >= null.at(many)[0]
    assert null.at(1_000) == (pytest.approx(0.06), pytest.approx(1.5))
    assert null.at(50)[0] == pytest.approx(0.24)
