import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.config import Value
from lemnis.engine.problem.value import Confusion, best_threshold, break_even, money, value_per_1000

amounts = st.integers(-1000, 1000).map(float)
values = st.builds(Value, true_positive=amounts, false_positive=amounts, false_negative=amounts, true_negative=amounts)
counts = st.integers(0, 10_000)
confusions = st.builds(
    Confusion, true_positive=counts, false_positive=counts, false_negative=counts, true_negative=counts
)
cases = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=30)
WARNING = Value(true_positive=240, false_positive=-60)


def confusion_at(scores: list[float], labels: list[bool], threshold: float) -> Confusion:
    pairs = [(score >= threshold, label) for score, label in zip(scores, labels, strict=True)]
    return Confusion(
        true_positive=pairs.count((True, True)),
        false_positive=pairs.count((True, False)),
        false_negative=pairs.count((False, True)),
        true_negative=pairs.count((False, False)),
    )


def test_answers_are_worth_what_the_matrix_says() -> None:
    counts = Confusion(true_positive=10, false_positive=5, false_negative=3, true_negative=82)
    assert money(counts, WARNING) == 10 * 240 - 5 * 60
    assert value_per_1000(counts, WARNING) == 21_000
    nothing = Confusion(true_positive=0, false_positive=0, false_negative=0, true_negative=0)
    assert value_per_1000(nothing, WARNING) is None


@given(confusions, confusions, values)
def test_money_adds_up(one: Confusion, two: Confusion, value: Value) -> None:
    both = Confusion(
        true_positive=one.true_positive + two.true_positive,
        false_positive=one.false_positive + two.false_positive,
        false_negative=one.false_negative + two.false_negative,
        true_negative=one.true_negative + two.true_negative,
    )
    assert money(both, value) == pytest.approx(money(one, value) + money(two, value))


@given(cases, values)
def test_no_threshold_earns_more_than_the_best(pairs: list[tuple[float, bool]], value: Value) -> None:
    scores, labels = [score for score, _ in pairs], [label for _, label in pairs]
    best = best_threshold(np.array(scores), np.array(labels), value)
    assert confusion_at(scores, labels, best.threshold) == best.counts
    assert best.money == pytest.approx(money(best.counts, value))
    for threshold in {*scores, 2.0}:
        assert money(confusion_at(scores, labels, threshold), value) <= best.money + 1e-9


@given(values)
def test_yes_pays_exactly_from_the_break_even_on(value: Value) -> None:
    share = break_even(value)
    if share is None:
        return
    assert 0 < share < 1

    def gain(p: float) -> float:
        yes = p * value.true_positive + (1 - p) * value.false_positive
        return yes - (p * value.false_negative + (1 - p) * value.true_negative)

    assert gain(share) == pytest.approx(0, abs=1e-6)
    assert gain(share / 2) < gain((1 + share) / 2)


def test_the_break_even_of_a_warning() -> None:
    assert break_even(WARNING) == 0.2
    assert break_even(Value(true_positive=1)) is None


@pytest.mark.parametrize(
    ("scores", "labels"), [([], []), ([0.5], [True, False]), ([float("nan")], [True]), ([1.5], [True])]
)
def test_scores_that_are_none_are_refused(scores: list[float], labels: list[bool]) -> None:
    with pytest.raises(ValueError, match=r"score|label"):
        best_threshold(np.array(scores), np.array(labels, dtype=bool), WARNING)
