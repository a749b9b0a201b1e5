"""Each kind of queue over the Korean complaints: which rows it holds, why, and what it leaves out."""

import random
from contextlib import suppress

import pytest
from korean import CLASSES
from labelled import TRUE, answered, made

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, LemnisError, NotFound
from lemnis.engine.explore.labels.apply import apply
from lemnis.engine.jobs.context import JobContext


def keys(engine: Engine, queue_id: int) -> list[str]:
    return [item.row_key for item in engine.explore.labels.items(queue_id)]


def test_rows_in_order_are_the_first_without_a_label(engine: Engine) -> None:
    first = made(engine, "order", rows=5)
    assert keys(engine, first.id) == list(TRUE)[:5]
    answered(engine, first.id, "kim")
    assert keys(engine, made(engine, "order", rows=5).id) == list(TRUE)[5:10]
    assert keys(engine, made(engine, "order", rows=5, again=True).id) == list(TRUE)[:5]


def test_the_audit_slice_is_drawn_alike_again_and_kept_out_of_other_queues(engine: Engine) -> None:
    audit = set(keys(engine, made(engine, "audit", rows=60).id))
    assert len(audit) == 60
    assert not audit & set(keys(engine, made(engine, "order", rows=600).id))
    assert not audit & set(keys(engine, made(engine, "audit", rows=60).id))
    places = sorted(list(TRUE).index(key) for key in audit)
    assert 200 < sum(places) / len(places) < 400  # over the whole of the table, not its beginning


def test_the_rows_a_reader_of_the_labels_is_least_sure_of_come_first(engine: Engine) -> None:
    answered(engine, made(engine, "order", rows=120).id, "kim")
    queue = made(engine, "uncertainty", rows=50, by="margin")
    items = engine.explore.labels.items(queue.id)
    scores = [item.score or 0 for item in items]
    assert scores == sorted(scores, reverse=True)
    assert "margin of reader of the labels so far (120 rows)" in queue.recipe
    assert all(item.suggested in CLASSES and item.suggested_by for item in items)
    assert sum(item.suggested == TRUE[item.row_key] for item in items) > 25  # it has learnt something even of these


def test_without_labels_a_reader_says_what_it_needs(engine: Engine) -> None:
    with pytest.raises(BadInput, match="at least 2 rows of each of two classes"):
        made(engine, "uncertainty")


@pytest.mark.slow
def test_planted_errors_are_found_reviewed_and_never_changed_in_bulk(engine: Engine) -> None:
    rng = random.Random(5)
    order = made(engine, "order", rows=400)
    planted = set(rng.sample(keys(engine, order.id), 24))

    def said(key: str) -> str:
        right = TRUE[key]
        return rng.choice([name for name in CLASSES if name != right]) if key in planted else right

    answered(engine, order.id, "kim", said)
    before = {row.row_key: row.value for row in engine.explore.labels.resolved("topic")}
    errors = made(engine, "errors")
    found = set(keys(engine, errors.id))
    print(f"{len(found & planted)} of {len(planted)} found among {len(found)}")
    assert len(found & planted) >= 16  # of 24: a class counts only above its mean, so not every error is told
    assert len(found - planted) <= len(found) / 2
    assert {row.row_key: row.value for row in engine.explore.labels.resolved("topic")} == before
    answered(engine, errors.id, "park")
    after = {row.row_key: row.value for row in engine.explore.labels.resolved("topic")}
    assert all(after[key] == TRUE[key] for key in found)
    progress = engine.explore.labels.progress(errors.id, "park")
    assert (progress.reviewed, progress.changed) == (min(50, len(found)), len(found & planted))
    with suppress(BadInput):  # nothing left is as good: what was decided is not asked again
        assert not found & set(keys(engine, made(engine, "errors").id))


def test_rows_that_labellers_answer_differently_become_a_queue_that_decides(engine: Engine) -> None:
    queue = made(engine, "order", rows=20, overlap=1.0)
    assert answered(engine, queue.id, "kim") == 20
    wrong = set(keys(engine, queue.id)[:4])
    answered(engine, queue.id, "lee", lambda key: CLASSES[(CLASSES.index(TRUE[key]) + (key in wrong)) % 4])
    (found,) = engine.explore.labels.sets()
    assert (found.labelled, found.split) == (16, 4)
    split = made(engine, "split")
    assert set(keys(engine, split.id)) == wrong
    assert "kim: " in engine.explore.labels.items(split.id)[0].reason
    answered(engine, split.id, "park")
    (found,) = engine.explore.labels.sets()
    assert (found.labelled, found.split) == (20, 0)
    with pytest.raises(BadInput, match="No row fits"):
        made(engine, "split")


def test_rows_after_training_come_in_the_order_of_how_far_their_bins_moved(engine: Engine) -> None:
    queue = made(engine, "drift", rows=600)
    items = engine.explore.labels.items(queue.id)
    rows = list(TRUE)
    assert all(rows.index(item.row_key) >= 486 for item in items)  # after the training span
    assert all(" of rows in training, " in item.reason for item in items)
    scores = [item.score or 0 for item in items]
    assert scores == sorted(scores, reverse=True)


def test_a_model_that_is_not_there_and_a_kind_that_is_none_are_refused(engine: Engine) -> None:
    with pytest.raises(NotFound):
        made(engine, "uncertainty", model="nothing@champion")
    with pytest.raises(BadInput, match="No registered model"):
        made(engine, "disagreement")
    with pytest.raises(BadInput, match="no kind of queue"):
        made(engine, "guess")


def test_labels_become_a_version_and_the_same_labels_the_same_version(engine: Engine) -> None:
    room = engine.explore.labels
    answered(engine, made(engine, "audit", rows=30).id, "kim")
    with pytest.raises(BadInput, match="audit slice"):
        apply(JobContext.for_test(engine.store), {"labels": "topic", "who": "kim"})
    answered(engine, made(engine, "order", rows=100).id, "kim")
    before = engine.workspace.config.read_text()
    result = apply(JobContext.for_test(engine.store), {"labels": "topic", "who": "kim"})
    version = engine.data.version()
    assert (version.label, sum(version.label_counts.values())) == ("분류", 100)
    assert result["applied"]["kept_apart"] == 30
    assert "# 민원 분류" in engine.workspace.config.read_text()
    assert before != engine.workspace.config.read_text()
    (snapshot,) = engine.data.snapshots("labels_topic")
    (applied,) = room.applied("topic")
    assert snapshot.origin_sha256 == applied.sha256
    assert version.snapshots["labels_topic"] == snapshot.sha256
    settled = engine.workspace.config.read_text()
    apply(JobContext.for_test(engine.store), {"labels": "topic", "who": "lee"})
    assert engine.data.version().id == version.id
    assert engine.workspace.config.read_text() == settled
    assert room.applied("topic")[0].sha256 == applied.sha256


def test_nothing_learns_from_the_audit_slice(engine: Engine) -> None:
    answered(engine, made(engine, "audit", rows=90).id, "kim")
    answered(engine, made(engine, "order", rows=60).id, "kim")
    assert "(60 rows)" in made(engine, "uncertainty", rows=5).recipe


DERIVED = ("[dataset.split]", '[dataset.derive]\n"분류" = "지역"\n\n[dataset.split]', "is derived by an expression")
NO_BASE = (
    '[dataset]\nname = "complaints"\nbase = "complaints"',
    '[sources.x]\npath = "x.csv"\n\n[dataset]\nbase = "x"',
    "no snapshot",
)


@pytest.mark.parametrize(("old", "new", "problem"), [DERIVED, NO_BASE])
def test_a_dataset_that_can_not_take_the_labels_stays_declared_as_it_was(
    engine: Engine, old: str, new: str, problem: str
) -> None:
    answered(engine, made(engine, "order", rows=20).id, "kim")
    before = engine.workspace.config.read_text().replace(old, new)
    assert new in before
    engine.workspace.config.write_text(before)
    with pytest.raises(LemnisError, match=problem):
        apply(JobContext.for_test(engine.store), {"labels": "topic", "who": "kim"})
    assert engine.workspace.config.read_text() == before
