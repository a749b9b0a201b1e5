"""Agreement beyond chance: against scikit-learn, against the definition by pairs, and against published examples."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from lemnis.engine.explore.labels.agreement import cohen_kappa, krippendorff_alpha, pairwise, wilson_interval

classes = st.sampled_from(["교통", "환경", "시설"])
pairs = st.lists(st.tuples(classes, classes), min_size=2, max_size=80)
units = st.lists(st.lists(classes, min_size=0, max_size=4), min_size=1, max_size=40)


@given(pairs)
def test_kappa_is_that_of_scikit_learn(said: list[tuple[str, str]]) -> None:
    found = cohen_kappa(said)
    if len({name for pair in said for name in pair}) < 2:
        assert found.value is None
        return
    assert found.value == pytest.approx(cohen_kappa_score(*zip(*said, strict=True)))
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    assert found.n == len(said)


@given(pairs)
def test_kappa_does_not_know_who_is_first(said: list[tuple[str, str]]) -> None:
    one, two = cohen_kappa(said), cohen_kappa((b, a) for a, b in said)
    assert one.value == (None if two.value is None else pytest.approx(two.value))


def test_kappa_and_its_error_are_those_of_the_published_example() -> None:
    """Fleiss, Cohen and Everitt (1969), table 1: kappa 0.429, its standard error 0.054 over 200 subjects."""
    shares = {("1", "1"): 0.53, ("1", "2"): 0.05, ("1", "3"): 0.02, ("2", "1"): 0.11, ("2", "2"): 0.14,
              ("2", "3"): 0.05, ("3", "1"): 0.01, ("3", "2"): 0.06, ("3", "3"): 0.03}  # fmt: skip
    found = cohen_kappa(itertools.chain.from_iterable([pair] * round(share * 200) for pair, share in shares.items()))
    assert found.value == pytest.approx(0.429, abs=0.0005)
    assert found.high is not None
    assert (found.high - found.value) / 1.959964 == pytest.approx(0.054, abs=0.0005)


def alpha_by_pairs(said: list[list[str]]) -> float | None:
    """Return alpha by its definition: 1 - observed / expected disagreement over all pairs of values."""
    used = [unit for unit in said if len(unit) > 1]
    values = [value for unit in used for value in unit]
    n = len(values)
    expected = sum(a != b for a, b in itertools.permutations(values, 2)) / (n * (n - 1)) if n > 1 else 0
    if not expected:
        return None
    observed = sum(sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in used) / n
    return 1 - observed / expected


@given(units)
def test_alpha_is_that_of_its_definition(said: list[list[str]]) -> None:
    found, wanted = krippendorff_alpha(said), alpha_by_pairs(said)
    assert found.value == (None if wanted is None else pytest.approx(wanted))


def test_alpha_is_that_of_the_published_example() -> None:
    """Krippendorff (2011), example C: four observers, twelve units, missing values; nominal alpha is 0.743."""
    table = ["1* *1 1 1", "2 2 3 2", "3 3 3 3", "3 3 3 3", "2 2 2 2", "1 2 3 4", "4 4 4 4", "1 1 2 1", "2 2 2 2",
             "* 5 5 5", "* * 1 1", "* * 3 *"]  # fmt: skip
    said = [[value for value in line.replace("1* *1", "1 1 *").split() if value != "*"] for line in table]
    said[0] = ["1", "1", "1"]
    found = krippendorff_alpha(said)
    assert found.value == pytest.approx(0.743, abs=0.0005)
    assert found.n == 11


def test_the_jackknife_is_that_of_leaving_out_each_row() -> None:
    said = [["a", "a"], ["a", "b"], ["b", "b"], ["a", "a", "b"], ["b", "b"], ["c", "c"], ["a", "c"]]
    found = krippendorff_alpha(said)
    left = [alpha_by_pairs(said[:place] + said[place + 1 :]) for place in range(len(said))]
    known = [value for value in left if value is not None]
    mean = sum(known) / len(known)
    error = math.sqrt((len(known) - 1) / len(known) * sum((value - mean) ** 2 for value in known))
    assert found.value is not None
    assert found.high == pytest.approx(min(1, found.value + 1.959964 * error))


def test_pairs_are_told_the_least_agreeing_first_with_their_confusion() -> None:
    said = {
        "kim": {"1": "a", "2": "b", "3": "a", "4": "b"},
        "lee": {"1": "a", "2": "b", "3": "a", "4": "b"},
        "park": {"1": "b", "2": "b", "3": "a", "9": "a"},
        "yun": {"77": "a"},
    }
    found = pairwise(said)
    assert [(pair.first, pair.second) for pair in found] == [("kim", "park"), ("lee", "park"), ("kim", "lee")]
    assert found[0].confusion == {"a": {"b": 1, "a": 1}, "b": {"b": 1}}
    assert found[2].kappa.value == 1


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_holds_the_share(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n + 1e-9
    assert hits / n - 1e-9 <= high <= 1
