"""Queues that need a registered model: champion, challenger, and the audit slice that measures them."""

import pytest
from labelled import TRUE, answered, made
from small_problem import do_train

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.explore.labels.apply import apply
from lemnis.engine.jobs.context import JobContext

pytestmark = pytest.mark.slow


@pytest.fixture
def served(engine: Engine) -> Engine:
    """The complaints with 200 labels in the dataset, and two models of different features learnt from them."""
    answered(engine, made(engine, "order", rows=200).id, "kim")
    apply(JobContext.for_test(engine.store), {"labels": "topic", "who": "kim"})
    for alias, features in (("champion", ["처리금액", "지역"]), ("challenger", ["지역", "접수경로"])):
        run = do_train(engine, engine.experiments.start(features=features, name=alias))
        version = engine.deploy.register(run.id, "topics", "kim", "first")
        engine.deploy.promote("topics", version.version, alias, "kim", "to label with it", force=True)
    return engine


def test_the_champion_is_asked_without_being_named_and_a_run_or_an_alias_by_name(served: Engine) -> None:
    assert "by entropy of topics v1" in made(served, "uncertainty", rows=20).recipe
    assert (
        "by margin of topics v2" in made(served, "uncertainty", rows=20, model="topics@challenger", by="margin").recipe
    )
    queue = made(served, "uncertainty", rows=20, model="1")
    assert "of run 1" in queue.recipe
    first = served.explore.labels.items(queue.id)[0]
    assert first.suggested_by == "run 1"
    assert first.reason.startswith("entropy 0.")


def test_champion_and_challenger_disagree_on_the_rows_of_a_queue_the_furthest_apart_first(served: Engine) -> None:
    items = served.explore.labels.items(made(served, "disagreement", rows=600).id)
    assert 10 < len(items) <= 400  # of the 400 without a label
    scores = [item.score or 0 for item in items]
    assert scores == sorted(scores, reverse=True)
    assert all("topics v1 says " in item.reason and ", topics v2 " in item.reason for item in items)
    labelled = {row.row_key for row in served.explore.labels.resolved("topic")}
    assert not labelled & {item.row_key for item in items}


def test_the_audit_slice_measures_the_model_that_was_recorded_with_it(served: Engine) -> None:
    audit = made(served, "audit", rows=100)
    items = served.explore.labels.items(audit.id)
    assert all(item.suggested_by == "topics v1" for item in items)
    answered(served, audit.id, "kim")
    figure = served.explore.labels.agreement("topic").audit
    right = sum(item.suggested == TRUE[item.row_key] for item in items)
    assert figure is not None
    assert figure[:2] == (100, right)
    assert figure[2] < right / 100 < figure[3]


def test_a_model_of_another_column_is_refused(served: Engine) -> None:
    with served.store.write() as db:
        db.execute("update runs set target = 'other'")
    with pytest.raises(BadInput, match="No registered model predicts"):
        made(served, "disagreement")
