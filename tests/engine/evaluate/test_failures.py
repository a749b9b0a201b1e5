"""Failure types: grouped, named, counted, followed from run to run, and turned into a queue or a check."""

from collections.abc import Callable

import numpy as np
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.duck import open_duck
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.evaluate.interpretation.checking import check_of
from lemnis.engine.evaluate.interpretation.failures import (
    condition,
    errors_of,
    groups_of,
    leading,
    nearest_type,
    signatures,
)
from lemnis.engine.evaluate.interpretation.jobs import interpret
from lemnis.engine.evaluate.interpretation.records import Condition, FailureType
from lemnis.engine.features.signature import Feature
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
HOUR = Feature(name="hour", kind="numeric")
CARRIER = Feature(name="carrier", kind="categorical", categories=["AA", "B6", "UA"])


def type_of(centre: str = "a", *, conditions: list[Condition] | None = None, fits: float = 0.1) -> FailureType:
    return FailureType(
        kind="missed", conditions=conditions or [], share=0.5, count=9, fits=fits, fits_wrong=0.5,
        centre={centre: 1.0}, radius=0.1, rows=[],
    )  # fmt: skip


def test_errors_are_wrong_answers_or_the_farthest_tenth() -> None:
    target, score = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.2, 0.1])
    wrong, loss, kinds = errors_of(target, score, "binary", 0.5)
    assert wrong.tolist() == [False, True, True, False]
    assert kinds[wrong].tolist() == ["false alarm", "missed"]
    assert loss[1] == pytest.approx(-np.log(0.2))
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    assert errors_of(np.array([0.0, 2.0]), scores, "multiclass", 0.5)[0].tolist() == [False, True]
    off = np.arange(20.0)
    wrong, _, kinds = errors_of(np.zeros(20), off, "regression", 0.5)
    assert np.flatnonzero(wrong).tolist() == [18, 19]
    assert set(kinds[wrong]) == {"too high"}


def test_errors_with_different_causes_fall_apart_and_those_with_one_do_not() -> None:
    random = np.random.default_rng(3)
    amounts = np.abs(random.normal(0.05, 0.02, (90, 3)))
    assert set(groups_of(signatures(amounts * [1, 0, 0]))) == {0}
    amounts[:40, 0] += 1.0
    amounts[40:, 2] += 1.0
    signature = signatures(amounts)
    assert np.allclose(np.abs(signature).sum(axis=1), 1)
    groups = groups_of(signature)
    assert len(set(groups[:40])) == len(set(groups[40:])) == 1
    assert groups[0] != groups[-1]
    assert leading(signature[:40]) == [0]


def test_what_rows_have_in_common_is_named_by_values_categories_or_that_they_are_missing() -> None:
    everywhere = np.arange(24.0)
    assert (
        condition(HOUR, np.array([17.0, 18, 20, 21]), everywhere) or pytest.fail("none")
    ).words == "hour 17–21 (high)"
    assert (condition(HOUR, np.full(4, np.nan), everywhere) or pytest.fail("none")).words == "hour missing"
    common = condition(CARRIER, np.array([1.0, 1, 1, 2]), np.zeros(3))
    assert (common or pytest.fail("none")).words == "carrier B6"
    many = Feature(name="dest", kind="categorical", categories=[f"D{number}" for number in range(20)])
    assert condition(many, np.arange(20.0), np.arange(20.0)) is None


def test_an_error_belongs_to_the_nearest_earlier_type_or_to_none() -> None:
    types = [type_of(), type_of("b")]
    signature = np.array([[0.95, 0.05], [0.0, 1.0], [0.5, 0.5]])
    assert nearest_type(signature, ["a", "b"], types).tolist() == [0, 1, -1]
    assert nearest_type(signature, ["a", "b"], []).tolist() == [-1, -1, -1]


def test_types_are_found_followed_and_become_a_check_and_a_queue(engine: Engine, trained: Trained) -> None:
    first, second = trained(), trained()
    for run_id in (first, second):
        interpret(JobContext.for_test(engine.store), {"run": run_id})
    before, now = engine.evaluate.failures(first), engine.evaluate.failures(second)
    assert before is not None
    assert now is not None
    assert not before.followups
    assert before.errors == before.sampled == sum(one.count for one in before.types)
    assert {one.kind for one in before.types} == {"missed", "false alarm"}
    assert all((row.actual == "true") == (one.kind == "missed") for one in before.types for row in one.rows)
    (followup,) = now.followups  # the same model on the same rows: as many of each type, but for those far out
    assert (followup.run_id, followup.same_rows) == (first, True)
    assert sum(one.now for one in followup.types) + followup.unlike == now.errors
    assert all(one.now >= 0.85 * one.before for one in followup.types)

    place = next(at for at, one in enumerate(before.types) if one.conditions and one.fits < 0.6)
    check = engine.evaluate.failure_check(first, place)
    engine.validate.declare([check], who="ada", why="it fails there")
    assert check in engine.validate.declared()
    assert engine.evaluate.failure_check(first, place).name != check.name
    version = engine.data.version(None)
    duck = open_duck(1, "256MiB", views={"rows": version.file})
    sql = f'select avg((not ({check.condition}))::int) from rows where late is not null and "at" between ? and ?'
    share = duck.execute(sql, ["2020-04-01", "2020-05-01"]).fetchall()[0][0]
    assert share == pytest.approx(before.types[place].fits, abs=0.01)

    queue = engine.labelling.queue_failures(first, place, "ada")
    assert (queue.labels, queue.kind, queue.rows) == ("late_review", "errors", len(before.types[place].rows))
    assert [item.row_key for item in engine.explore.labels.items(queue.id)] == [
        row.key for row in before.types[place].rows
    ]
    assert engine.labelling.queue_failures(first, place, "ada").labels == "late_review"
    with pytest.raises(NotFound, match="no failure type 99"):
        engine.labelling.queue_failures(first, 98, "ada")


def test_a_type_without_anything_in_common_makes_no_check() -> None:
    with pytest.raises(BadInput, match="no value in common"):
        check_of(type_of(), 1, set())
    common = [Condition(feature="a b'c", categories=["it's"])]
    check = check_of(type_of(conditions=common, fits=0.003), 1, {"failing_a_b_c"})
    assert (check.name, check.warn_if) == ("failing_a_b_c_2", "> 1%")
    assert "\"a b'c\" in ('it''s')" in check.condition
    with pytest.raises(BadInput, match="Most rows"):
        check_of(type_of(conditions=common, fits=0.9), 1, set())
