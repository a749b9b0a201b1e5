"""Each leakage rule speaks when it should, in a sentence, and honest columns are left alone."""

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.features.leakage import Evidence, doubt, suspicion

HONEST = Evidence(missing=2512, target_missing=9430, both_missing=2512, single=0.69, best_other=0.70)


def test_an_honest_column_is_not_suspected() -> None:
    assert suspicion(HONEST, "binary").why == ""
    assert suspicion(HONEST, "binary").score == 0


def test_a_declared_column_is_certain() -> None:
    found = suspicion(Evidence(declared=True), "binary")
    assert found.score == 1
    assert "features.after" in found.why


def test_a_column_that_is_missing_with_the_target_became_known_with_it() -> None:
    found = suspicion(Evidence(missing=8255, target_missing=9430, both_missing=8255), "binary")
    assert "Missing in 88% of the 9,430 rows without a target" in found.why


def test_a_column_that_is_missing_elsewhere_too_is_not_suspected_for_it() -> None:
    assert not suspicion(Evidence(missing=50_000, target_missing=9430, both_missing=9430), "binary").why


def test_a_few_rows_without_a_target_prove_nothing() -> None:
    assert not suspicion(Evidence(missing=10, target_missing=10, both_missing=10), "binary").why


def test_a_column_that_nearly_decides_alone_is_suspected_unless_an_honest_one_does_as_well() -> None:
    assert "Alone it reaches ROC AUC 0.910" in suspicion(Evidence(single=0.91, best_other=0.70), "binary").why
    assert not suspicion(Evidence(single=0.91, best_other=0.84), "binary").why
    assert "R²" in suspicion(Evidence(single=0.95, best_other=0.2), "regression").why


def test_a_jump_is_suspected_only_where_the_model_becomes_suspiciously_good() -> None:
    assert "from 0.730 to 0.890" in suspicion(Evidence(without=0.73, along=0.89), "binary").why
    assert not suspicion(Evidence(without=0.60, along=0.72), "binary").why
    assert not suspicion(Evidence(without=0.88, along=0.90), "binary").why


def test_an_identifier_a_counter_and_a_memory_are_doubted_but_not_called_leaks() -> None:
    named = Evidence(known=1000, distinct=990, whole=True)
    counter = Evidence(known=1000, distinct=900, rising=-0.9999)
    memory = Evidence(single=0.55, learned=0.93)
    for evidence, word in ((named, "identifier"), (counter, "falls with"), (memory, "does not last")):
        assert word in doubt(evidence).why
        assert suspicion(evidence, "binary").why == ""


def test_a_measurement_that_differs_in_each_row_a_month_and_few_rows_are_not_doubted() -> None:
    assert not doubt(Evidence(known=1000, distinct=1000, whole=False, rising=0.4)).why
    assert not doubt(Evidence(known=1000, distinct=12, rising=1.0, whole=True)).why
    assert not doubt(Evidence(known=100, distinct=100, whole=True, rising=1.0)).why


shares = st.none() | st.floats(0, 1)


@given(
    st.builds(
        Evidence,
        declared=st.booleans(),
        missing=st.integers(50, 100),
        target_missing=st.integers(50, 100),
        both_missing=st.integers(0, 50),
        single=shares,
        without=shares,
        along=shares,
    ),
    st.sampled_from(["binary", "multiclass", "regression"]),
)
def test_a_score_and_a_reason_come_together(evidence: Evidence, task: str) -> None:
    found = suspicion(evidence, task)
    assert 0 <= found.score <= 1
    assert bool(found.why) == (found.score > 0)
