"""Values of other runs in queries, and what completes a query."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import add_run

from lemnis.engine import Engine
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.query import QueryError, check_query
from lemnis.engine.query.completion import Known, complete, value_field


@pytest.fixture
def best(engine: Engine) -> int:
    """The pinned run; two more beside it."""
    best = add_run(
        engine, "best", metrics={"auc": 0.80, "val loss": 0.5}, params={"num_leaves": 31, "boosting": "gbdt"}
    )
    add_run(engine, "near", metrics={"auc": 0.801, "val loss": 0.4}, params={"num_leaves": 31, "boosting": "dart"})
    add_run(engine, "far", metrics={"auc": 0.81, "val loss": 0.6}, params={"num_leaves": 63, "boosting": "gbdt"})
    engine.experiments.pin(best)
    return best


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("metrics.auc > baseline.auc", ["far", "near"]),
        ("metrics.auc > baseline.auc + 0.002", ["far"]),
        ("metrics.auc > baseline.auc+0.002", ["far"]),
        ("metrics.auc >= baseline.metrics.auc - 0.1", ["far", "near", "best"]),
        ("metrics.auc > baseline.auc -0.1 and name != far", ["near", "best"]),
        ("metrics.`val loss` < baseline.`val loss`", ["near"]),
        ("params.num_leaves = baseline.num_leaves", ["near", "best"]),
        ("params.boosting = baseline.boosting", ["far", "best"]),
        ("params.num_leaves > baseline.params.num_leaves + 1", ["far"]),
        ("metrics.auc between baseline.auc and baseline.auc + 0.005", ["near", "best"]),
        ("params.num_leaves in (baseline.num_leaves, 7)", ["near", "best"]),
        ("id > BASELINE.id", ["far", "near"]),
    ],
)
def test_a_value_may_be_what_the_baseline_has(engine: Engine, best: int, query: str, names: list[str]) -> None:
    assert [run.name for run in engine.experiments.search(query).runs] == names


def test_a_value_may_be_what_the_champion_has(engine: Engine, best: int) -> None:
    with pytest.raises(QueryError, match="no champion"):
        engine.experiments.search("metrics.auc > champion.auc")
    engine.experiments.champion = lambda: best
    assert engine.experiments.count("metrics.auc > champion.auc + 0.002") == 1


@pytest.mark.parametrize(
    ("query", "column", "says"),
    [
        ("metrics.auc > champion.auc", 15, "no champion with metrics.auc"),
        ("metrics.auc > baseline.f1", 15, "no baseline with metrics.f1"),
        ("age > baseline.age", 7, "another run"),
        ("name = baseline.colour", 17, "no field"),
        ("params.boosting > baseline.boosting + 1", 19, "no number"),
    ],
)
def test_what_the_other_run_has_not_is_said_where_it_stands(
    engine: Engine, best: int, query: str, column: int, says: str
) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        engine.experiments.search(query)
    assert caught.value.column == column


@given(st.text(max_size=40))
def test_any_other_run_s_field_is_read_or_refused_in_words(text: str) -> None:
    for query in (f"metrics.auc > champion.{text}", f"params.x = baseline.{text} + 1"):
        with suppress(QueryError):
            check_query(query, FIELDS)


KNOWN = Known(
    {
        "metrics": ["auc", "logloss", "val loss"],
        "params": ["boosting", "num_leaves"],
        "tags": ["baseline", "two words"],
    },
    {"state": ["failed", "finished"], "params.boosting": ["dart", "gbdt"]},
)


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("metr", 0, ["metrics.auc", "metrics.logloss", "metrics.`val loss`"]),
        ("not metrics.l", 4, ["metrics.logloss"]),
        ("auc", 0, ["metrics.auc"]),
        ("metrics.auc > 0.8 and sta", 22, ["state", "started"]),
        ("state = fa", 8, ["failed"]),
        ("state = ", 8, ["failed", "finished"]),
        ("attributes.status in ('failed', fi", 32, ["finished"]),
        ("params.boosting = ", 18, ["dart", "gbdt"]),
        ("has:metrics.a", 0, ["has:metrics.auc"]),
        ("tag:t", 0, ["tag:'two words'"]),
        ("metrics.auc > ch", 14, ["champion.auc"]),
        ("zzz", 0, []),
    ],
)
def test_the_end_of_a_query_is_completed(text: str, start: int, first: list[str]) -> None:
    found = complete(text, FIELDS, KNOWN)
    assert (found.start, found.options[: len(first)]) == (start, first)


@given(st.text(max_size=30))
def test_completing_any_text_answers(text: str) -> None:
    found = complete(text, FIELDS, KNOWN)
    assert 0 <= found.start <= len(text)
    value_field(text, FIELDS)


def test_names_and_values_come_from_the_store(engine: Engine, best: int) -> None:
    room = engine.experiments
    assert room.keys("metrics") == ["auc", "val loss"]
    assert room.complete("metrics.v").options == ["metrics.`val loss`"]
    assert room.complete("params.boosting = ").options == ["dart", "gbdt"]
    assert room.complete("state = fin").options == ["finished"]


def test_values_of_a_parameter_are_its_texts_and_then_its_numbers_each_once(engine: Engine) -> None:
    for value in ("sqrt", 10.0, 0.5, "all", 2, 0.5, "sqrt"):
        add_run(engine, "run", params={"max_features": value})
    assert engine.experiments.complete("params.max_features = ").options == ["all", "sqrt", "0.5", "2", "10.0"]
