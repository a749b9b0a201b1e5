"""Folds: rows judge a model that has not seen them, whole groups and months stay on one side, worst and spread kept."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, Cancelled, NotFound
from lemnis.engine.evaluate.folding import fold
from lemnis.engine.features.folds import group_folds, month_folds
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=10, max_size=60), st.integers(2, 4))
def test_a_group_is_never_on_both_sides_and_every_row_judges_once(groups: list[int], count: int) -> None:
    numbered = np.unique(np.array([*groups, *range(4)]), return_inverse=True)[1]
    folds = group_folds(numbered, count)
    assert sorted(np.concatenate([one.judge for one in folds]).tolist()) == list(range(numbered.size))
    for one in folds:
        assert not set(numbered[one.learn]) & set(numbered[one.judge])
        assert one.learn.size + one.judge.size == numbered.size


def test_a_month_is_judged_by_what_was_known_before_it() -> None:
    months = ["2020-01"] * 3 + ["2020-02"] * 2 + ["2020-03"]
    folds = month_folds(months, 2)
    assert [(one.name, one.learn.tolist(), one.judge.tolist()) for one in folds] == [
        ("2020-02", [0, 1, 2], [3, 4]), ("2020-03", [0, 1, 2, 3, 4], [5])
    ]  # fmt: skip


def conditions(engine: Engine, run_id: int, algorithm: str = "gbdt") -> None:
    """Give a run the conditions that a training would have recorded."""
    with engine.store.write() as db:
        db.execute(
            """update runs set features = '["wind", "hour", "carrier"]', algorithm = ?, device = 'cpu', rounds = 12,
                 rounds_done = 12, cores = 1, seed = 1 where id = ?""",
            [algorithm, run_id],
        )
        if algorithm == "gbdt":
            db.execute("insert into run_params (run_id, key, value) values (?, 'num_leaves', '7')", [run_id])


@pytest.mark.parametrize(
    ("scheme", "columns", "names"),
    [
        ("time", [], ["2020-02", "2020-03"]),
        ("k-fold", [], ["part 1", "part 2"]),
        ("group", ["carrier"], ["part 1, 1 groups", "part 2, 2 groups"]),
    ],
)
def test_a_run_is_trained_again_on_folds_and_the_worst_is_named(
    engine: Engine, trained: Trained, scheme: str, columns: list[str], names: list[str]
) -> None:
    run_id = trained()
    conditions(engine, run_id)
    fold(JobContext.for_test(engine.store), {"run": run_id, "scheme": scheme, "k": 2, "columns": columns})
    (found,) = engine.evaluate.folds(run_id)
    assert [one.name for one in found.folds] == names
    values = [one.metrics["roc_auc"] or 0.0 for one in found.folds]
    assert found.mean == pytest.approx(np.mean(values))
    assert found.spread == pytest.approx(np.std(values, ddof=1))
    assert found.worst == names[int(np.argmin(values))]
    assert (found.parts, found.rounds, found.of, found.metric) == (["train", "validation"], 12, 2, "roc_auc")
    assert min(values) > 0.6
    if scheme == "k-fold":
        rows = sum(engine.data.version(None).part(part).labelled for part in found.parts)
        assert sum(one.judged for one in found.folds) == rows


def test_a_baseline_is_folded_too(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    conditions(engine, run_id, "constant")
    context = JobContext.for_test(engine.store)
    fold(context, {"run": run_id, "scheme": "k-fold", "k": 3})
    assert engine.evaluate.folds(run_id)[0].mean == pytest.approx(0.5, abs=0.02)


def test_one_that_is_stopped_ends_soon(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    conditions(engine, run_id)
    stopped = JobContext.for_test(engine.store)
    stopped.stop.set()
    with pytest.raises(Cancelled):
        fold(stopped, {"run": run_id, "scheme": "time", "k": 2})
    assert engine.evaluate.folds(run_id) == []


def test_what_can_not_be_cut_is_refused_before_it_is_queued(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    with pytest.raises(BadInput, match="can't be made"):
        engine.evaluate.start_folds(run_id, "yearly")
    with pytest.raises(BadInput, match="can't be made"):
        engine.evaluate.start_folds(run_id, "time", 1)
    with pytest.raises(BadInput, match="No column says"):
        engine.evaluate.start_folds(run_id, "group")
    with pytest.raises(NotFound):
        engine.evaluate.start_folds(99, "time")
    job = engine.evaluate.start_folds(run_id, "group", 4, ["carrier"])
    assert engine.jobs.job(job).arguments == {"run": run_id, "scheme": "group", "k": 4, "columns": ["carrier"]}
