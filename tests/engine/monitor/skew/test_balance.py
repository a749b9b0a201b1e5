import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.skew.balance import answers, chance_of, judged, rows_below, segments, shares_of, wilson
from lemnis.engine.monitor.tally import Binning, Column, Tally

counts = st.integers(1, 10_000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))
SCORE = Binning(name="prediction", kind="prediction", edges=[0.5], counts=[60, 40, 0], low=0.0, high=1.0)


@given(counts)
def test_the_interval_holds_the_share_and_lies_within_0_and_1(pair: tuple[int, int]) -> None:
    low, high = wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] <= high <= 1


def test_the_interval_is_wilsons() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=2e-4)  # Newcombe (1998), table I
    assert wilson(0, 0) == (0, 1)


@given(counts, counts)
def test_the_chance_is_symmetric_and_1_for_equal_shares(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert chance_of(*one, *other) == pytest.approx(chance_of(*other, *one))
    assert 0 <= chance_of(*one, *other) <= 1
    assert chance_of(*one, *one) == pytest.approx(1)


def test_the_chance_is_that_of_the_two_proportion_test() -> None:
    assert chance_of(30, 100, 45, 100) == pytest.approx(0.02846, abs=1e-4)


def test_of_two_values_one_is_told_and_only_what_chance_does_not_explain_is_out_of_balance() -> None:
    usual = {"true": 3_000, "false": 7_000}
    shares = shares_of("class", "late", usual, {"true": 450, "false": 550})
    shares += shares_of("segment", "origin", {"E": 500, "J": 300, "L": 200}, {"E": 52, "J": 28, "L": 20})
    found = judged(shares, 0.05)
    assert (found[0].column, found[0].value, found[0].verdict) == ("late", "false", "drift")
    assert {one.verdict for one in found[1:]} == {"ok"}
    assert len(found) == 4


def test_a_segment_that_doubled_is_watched_however_small_it_is() -> None:
    usual = {"A": 9_700, "B": 200, "C": 100}
    found = judged(shares_of("segment", "x", usual, {"A": 2_890, "B": 60, "C": 90}), 0.05)
    assert {one.value: one.verdict for one in found} == {"A": "ok", "B": "ok", "C": "watch"}


def test_rows_without_a_value_and_numbers_are_no_segment() -> None:
    text = Binning(name="t", kind="categorical", categories=["a", "b"], known=["a", "b"], counts=[60, 30, 10, 5])
    number = Binning(name="n", kind="numeric", edges=[1.0], counts=[5, 5, 0])
    tally = Tally(columns={"t": Column(counts=[10, 20, 0, 70]), "n": Column(counts=[5, 5, 0])})
    found = {one.value: one for one in segments([text, number], tally)}
    assert list(found) == ["a", "b", "other"]
    assert (found["a"].rows, found["a"].share, found["a"].reference) == (30, pytest.approx(1 / 3), 0.6)


def test_answers_are_told_apart_by_the_threshold_or_the_likeliest_class() -> None:
    assert rows_below(SCORE, 0.25) == 30
    tally = Tally(scored=10, positives=8, columns={"prediction": Column(counts=[1, 9, 0])})
    (two,) = answers(SCORE, tally, ["no", "yes"], 0.75)
    assert (two.value, two.reference, two.share) == ("yes", 0.2, 0.8)
    classes = Binning(name="prediction", kind="prediction", edges=[0.5, 1.5], counts=[5, 3, 2, 0])
    three = answers(classes, Tally(columns={"prediction": Column(counts=[2, 4, 4, 0])}), ["a", "b", "c"], 0.5)
    assert [one.share for one in three] == [0.2, 0.4, 0.4]
    assert answers(SCORE, tally, [], 0.5) == []
