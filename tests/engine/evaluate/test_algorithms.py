"""Runs of other algorithms are evaluated, explained where that can be done, and tested against each other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.interpretation.jobs import interpret
from lemnis.engine.evaluate.jobs import evaluate, explain
from lemnis.engine.evaluate.pairing import pair
from lemnis.engine.experiments import Run
from lemnis.engine.jobs.context import JobContext


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


@pytest.fixture
def evaluated(engine: Engine) -> Callable[[str], Run]:
    def now(algorithm: str) -> Run:
        run = do_train(engine, engine.experiments.start(overrides={"algorithm": algorithm}))
        evaluate(JobContext.for_test(engine.store), {"run": run.id})
        return run

    return now


@pytest.mark.slow
def test_a_linear_model_and_a_constant_are_evaluated_explained_and_tested(
    engine: Engine, evaluated: Callable[[str], Run]
) -> None:
    trees, linear, constant = (evaluated(name) for name in ("gbdt", "linear", "constant"))
    found = engine.evaluate.importances(linear.id)
    assert (found[0].feature, found[0].splits) == ("distance", 0)
    assert found[0].contribution is not None
    assert found[0].contribution > 0
    for one in engine.evaluate.explanations(linear.id):
        assert one.bias + sum(part.amount for part in one.contributions) == pytest.approx(one.raw)
    assert [one.contribution for one in engine.evaluate.importances(constant.id)] == [0.0, 0.0, 0.0]
    interpret(JobContext.for_test(engine.store), {"run": linear.id})
    curves, pairs = engine.evaluate.dependences(linear.id), engine.evaluate.interactions(linear.id)
    assert curves is not None
    assert curves.features[0].feature == "distance"
    assert pairs is not None
    assert "adds up" in pairs.note
    runs = [constant.id, linear.id, trees.id]
    pair(JobContext.for_test(engine.store), {"runs": runs, "part": "validation"})
    tested = engine.evaluate.significance(runs, "validation")
    assert not tested.missing
    first = tested.pairs[linear.id].tests[0]
    assert (first.metric, first.base, first.method, first.better) == ("roc_auc", 0.5, "DeLong", True)
    assert first.p is not None
    assert first.p < 0.001


def test_linear_trees_are_evaluated_but_their_answers_are_not_taken_apart(
    engine: Engine, evaluated: Callable[[str], Run]
) -> None:
    run = evaluated("linear_tree")
    assert engine.evaluate.evaluations(run.id)[-1].metrics["roc_auc"] is not None
    assert {one.contribution for one in engine.evaluate.importances(run.id)} == {None}
    interpret(JobContext.for_test(engine.store), {"run": run.id})
    assert engine.evaluate.contributions(run.id) is None
    assert engine.evaluate.dependences(run.id) is not None
    assert engine.evaluate.explanations(run.id) == []
    with pytest.raises(BadInput, match="no contributions"):
        explain(JobContext.for_test(engine.store), {"run": run.id, "key": "1"})
