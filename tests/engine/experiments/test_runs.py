"""Finding, marking and comparing runs."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from small_problem import add_run

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.compare import compare_runs, larger_is_better
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.tracked import Announced, Logged, announce, log_batch


def test_runs_are_found_sorted_and_paged_with_missing_values_last(engine: Engine) -> None:
    ids = [add_run(engine, f"r{n}", metrics={"auc": value}) for n, value in enumerate([0.7, None, 0.9, 0.8])]
    bare = add_run(engine, "bare")
    room = engine.experiments
    best = room.search(sort="metrics.auc")
    assert [run.id for run in best.runs] == [ids[2], ids[3], ids[0], bare, ids[1]]
    assert [run.id for run in room.search(sort="metrics.auc", descending=False).runs] == [
        ids[0],
        ids[3],
        ids[2],
        bare,
        ids[1],
    ]
    page = room.search("metrics.auc > 0.75", limit=1, offset=1)
    assert (page.total, [run.id for run in page.runs]) == (2, [ids[2]])
    assert [run.id for run in room.search().runs] == [bare, *reversed(ids)]
    with pytest.raises(BadInput, match="no field"):
        room.search(sort="colour")


def test_the_first_hundred_of_ten_thousand_runs_come_fast(engine: Engine) -> None:
    with engine.store.write() as db:
        db.conn.executemany(
            "insert into runs (id, name, state, created_at) values (?, ?, 'finished', 0)",
            [(n, f"run {n}") for n in range(1, 10_001)],
        )
        db.conn.executemany(
            "insert into run_metrics (run_id, key, value, step) values (?, 'auc', ?, 0)",
            [(n, n % 997 / 997) for n in range(1, 10_001)],
        )
        db.conn.executemany(
            "insert into run_params values (?, 'learning_rate', ?, ?)", [(n, "0.1", 0.1) for n in range(1, 10_001)]
        )
    began = time.perf_counter()
    page = engine.experiments.search("metrics.auc > 0.8 and params.learning_rate = 0.1", sort="metrics.auc")
    assert time.perf_counter() - began < 0.5
    assert (page.total, len(page.runs)) == (1990, 100)
    assert page.runs[0].metrics["auc"] == 996 / 997


def test_a_deleted_run_is_hidden_until_it_is_restored(engine: Engine) -> None:
    first, second = add_run(engine, "first"), add_run(engine, "second")
    room = engine.experiments
    room.pin(first)
    assert room.delete([first]) == 1
    assert room.delete([first]) == 0
    assert [run.id for run in room.search().runs] == [second]
    assert [run.id for run in room.search(shelf="deleted").runs] == [first]
    assert room.run(first).deleted_at is not None
    assert room.baseline() is None
    assert room.restore([first, second]) == 1
    assert room.search().total == 2
    with pytest.raises(BadInput, match="is queued"):
        room.delete([room.start()])
    assert room.delete([add_run(engine, state="running")]) == 1  # no job of ours works on it: its client may be gone


def test_one_run_is_pinned_at_a_time(engine: Engine) -> None:
    first, second = add_run(engine), add_run(engine)
    engine.experiments.pin(first)
    engine.experiments.pin(second)
    assert [engine.experiments.run(run_id).pinned for run_id in (first, second)] == [False, True]
    engine.experiments.pin(None)
    assert engine.experiments.baseline() is None


def test_tags_and_notes_are_kept_and_can_be_asked_for(engine: Engine) -> None:
    run_id = add_run(engine)
    room = engine.experiments
    room.tag(run_id, "team", "[blue]")
    room.tag(run_id, "fold", "3")
    room.tag(run_id, "old")
    room.untag(run_id, "old")
    room.note(run_id, "looks\nfine")
    assert room.run(run_id).tags == {"fold": "3", "team": "[blue]"}
    assert room.search("tag:team tags.fold < 10 note:fine").total == 1
    assert room.search("tag:old").total == 0
    with pytest.raises(BadInput):
        room.tag(run_id, "  ")
    with pytest.raises(NotFound):
        room.note(99, "x")


def test_comparing_shows_what_differs_and_how_far_from_the_baseline(engine: Engine) -> None:
    a = add_run(
        engine, "a", seed=1, device="cpu", metrics={"auc": 0.8, "logloss": 0.5}, params={"num_leaves": 31, "x": 1}
    )
    b = add_run(engine, "b", seed=2, device="cpu", metrics={"auc": 0.75, "logloss": 0.4}, params={"num_leaves": 63})
    shown = engine.experiments.compare([a, b])
    assert [row.name for row in shown.conditions if row.differs] == ["seed"]
    assert {row.name: row.values for row in shown.parameters} == {"num_leaves": ["31", "63"], "x": ["1", None]}
    auc, logloss = shown.metrics
    assert (auc.name, auc.deltas, auc.better) == ("auc", [None, pytest.approx(-0.05)], [None, False])
    assert (logloss.deltas[1], logloss.better[1]) == (pytest.approx(-0.1), True)
    assert engine.experiments.compare([a, b], baseline=b).runs[0].id == b
    engine.experiments.pin(b)
    assert engine.experiments.compare([a, b]).runs[0].id == b
    with pytest.raises(BadInput, match="can't be compared"):
        engine.experiments.compare([a, a])


def test_a_metric_of_unknown_direction_is_not_judged(trained: Callable[..., Run]) -> None:
    assert [larger_is_better(name) for name in ("auc", "train_logloss", "peak_memory_mib", "mystery")] == [
        True, False, False, None,
    ]  # fmt: skip
    one, two = trained(), trained(overrides={"num_leaves": 3})
    names = [row.name for row in compare_runs([one, two]).metrics]
    assert names == ["auc", "logloss", "train_auc", "train_logloss", "peak_memory_mib", "train_seconds"]


def test_a_run_follows_its_job_from_queue_to_cancellation_and_back(engine: Engine) -> None:
    room = engine.experiments
    run = room.run(room.start(name="model[v2]\x1b[31m"))
    assert (run.state, run.name) == ("queued", "model[v2]␛[31m")
    job = engine.jobs.job(run.job_id or 0)
    assert (job.kind, job.run_id, job.allocation.cores, job.allocation.memory_bytes) == (
        "experiments.train", run.id, 1.0, 1024**3,
    )  # fmt: skip
    room.cancel(run.id)
    run = room.run(run.id)
    assert (run.state, run.why) == ("cancelled", "cancelled before it started")
    room.resume(run.id)
    assert room.run(run.id).state == "queued"


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"preset": "deep"}, "There is no preset"),
        ({"version": 9}, "9"),
        ({"features": ["colour"]}, "no column 'colour'"),
        ({"features": []}, "at least one feature"),
        ({"overrides": {"rounds": "many"}}, "rounds"),
        ({"overrides": {"memory": "a lot"}}, "a lot"),
        ({"device": "tpu"}, "tpu"),
    ],
)
def test_a_wish_that_can_not_be_met_starts_nothing(engine: Engine, wish: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        engine.experiments.start(**wish)
    assert engine.experiments.search().total == 0
    assert engine.jobs.jobs() == []


def test_what_is_logged_moves_the_topic_once_and_is_there_once(engine: Engine) -> None:
    store, room = engine.store, engine.experiments
    known = Announced(name="r", params={"p": "1"}, metrics=[Logged("m", 0, 5, 0.5)])
    run_id = announce(store, known)
    run = room.run(run_id)
    assert (run.params, run.metrics) == ({"p": "1"}, {"m": 0.5})
    again = [Logged("m", 0, 5, 0.5), Logged("m", 0, 5, 0.6), Logged("m", 1, 6, None)]
    for metrics, tags in ((again, []), (again, []), ([], [("t", "x")])):
        before = engine.revisions()["experiments"]
        log_batch(store, room.run(run_id), metrics=metrics, tags=tags)
        assert engine.revisions()["experiments"] > before
    assert [point[1:] for point in all_points(store, run_id)] == [(0, 5, 0.5), (0, 5, 0.6), (1, 6, None)]
