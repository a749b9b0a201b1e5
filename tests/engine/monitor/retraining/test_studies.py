# pyright: basic, reportOptionalMemberAccess=false

import numpy as np
import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.monitor.retraining import growing, plans, studied, studying
from lemnis.engine.monitor.retraining.records import Figure
from lemnis.engine.monitor.retraining.splits import served
from lemnis.engine.monitor.retraining.studied import Point

from .conftest import declare, work

pytestmark = pytest.mark.usefixtures("in_process")


def started(flown) -> None:
    """Give the champion's run what a training of ours records."""
    with flown.store.write() as db:
        db.execute("update runs set rounds = 8, best_round = 6, task = 'binary', target = 'late' where id = 1")
        for key, value in (("num_leaves", "7"), ("rounds", "8"), ("early_stopping", "0")):
            db.table("run_params").insert({"run_id": 1, "key": key, "value": value}, replace=True)


def test_each_choice_of_rows_is_judged_on_the_same_rows_before_the_newest_window(until_november, independent) -> None:
    flown = until_november
    started(flown)
    made = flown.room.retraining.start_curve("late", "ada", ["all", "last:60d", "decay:30d"])
    work(flown.store, made.job_id)
    made = flown.room.retraining.study(made.id)
    assert (made.state, [point.name for point in made.points]) == ("finished", ["all", "last:60d", "decay:30d"])
    assert len({(point.judged, point.main.champion) for point in made.points}) == 1
    september = flown.between("2013-09-01", "2013-10-01")
    september = september.filter(september.column("late").is_valid())
    assert made.points[0].judged == september.num_rows
    told = independent(np.asarray(september.column("late")), flown.scores(september))
    assert made.points[0].main.champion == pytest.approx(told)
    everything, last, weighted = made.points
    assert everything.learnt == weighted.learnt > last.learnt > 0
    assert everything.main.challenger != weighted.main.challenger
    assert all(point.rounds == 6 and point.cpu_seconds > 0 for point in made.points)
    assert not flown.room.retraining.retrainings()


def test_a_warm_start_goes_on_from_the_champion_or_refits_it(until_november) -> None:
    flown = until_november
    started(flown)
    made = flown.room.retraining.start_warm("late", "ada")
    work(flown.store, made.job_id)
    full, on, refit = flown.room.retraining.study(made.id).points
    assert (full.rounds, on.rounds, refit.rounds) == (6, 25 + 6, 25)
    assert on.learnt == refit.learnt < full.learnt
    assert len({point.main.challenger for point in (full, on, refit)}) == 3


def test_a_month_is_judged_by_what_was_known_before_it_and_a_stopped_study_goes_on(
    until_november, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown = until_november
    started(flown)
    declare(flown, '\n[dataset]\nlabel_delay = "10d"\n')
    config = load_config(flown.store.workspace.config)
    plan = plans.backtest(flown.store, served(flown.store, "late"), config, every="month", spans=0, window="all")
    assert [one.name for one in plan] == ["2013-07", "2013-08", "2013-09", "2013-10"]
    assert plan[0].until == parse_ms("2013-07-01") - 10 * 86_400_000
    made = flown.room.retraining.start_backtest("late", "ada", spans=3)
    tried: list[str] = []
    attempt = growing.Bench.attempt

    def stopping(bench, one, told):
        if len(tried) == 1:
            tried.append("stopped")
            raise Cancelled("cancelled")
        tried.append(one.name)
        return attempt(bench, one, told)

    monkeypatch.setattr(growing.Bench, "attempt", stopping)
    work(flown.store, made.job_id)
    halfway = flown.room.retraining.study(made.id)
    assert (halfway.state, [point.name for point in halfway.points]) == ("cancelled", ["2013-08"])
    JobsRoom(flown.store).retry(made.job_id)
    work(flown.store, made.job_id)
    made = flown.room.retraining.study(made.id)
    assert tried == ["2013-08", "stopped", "2013-09", "2013-10"]
    known = flown.between("2013-01-01", "2013-07-22")
    assert made.points[0].learnt == known.num_rows - known.column("late").null_count
    # From September on the wind means something else: only what learnt from September knows October.
    assert made.points[2].main.verdict == "better"
    assert made.mean.spans == 3
    assert made.mean.gain == pytest.approx(np.mean([point.main.delta for point in made.points]))
    assert made.mean.low < made.mean.gain < made.mean.high
    worth = [figure.delta * point.judged / 1000 for point in made.points for figure in point.figures
             if figure.metric == "value_per_1000"]  # fmt: skip
    assert made.mean.money == pytest.approx(sum(worth))


def test_without_rows_that_the_champion_has_not_seen_there_is_nothing_to_look_back_on(until_november) -> None:
    flown = until_november
    started(flown)
    with flown.store.write() as db:
        db.execute(
            """update versions set split = '{"train": {"start": 0, "end": 1383264000000, "rows": 1, "labelled": 1}}'"""
        )
    with pytest.raises(BadInput, match="No whole month of labelled rows lies behind"):
        flown.room.retraining.start_backtest("late", "ada")
    with pytest.raises(BadInput, match="is not all"):
        flown.room.retraining.start_curve("late", "ada", ["some"])
    with pytest.raises(BadInput, match="too many"):
        flown.room.retraining.start_curve("late", "ada", [f"last:{days}d" for days in range(1, 99)])


def test_the_interval_of_one_span_is_its_own_and_lower_losses_are_gains() -> None:
    figure = Figure(
        metric="rmse", champion=2.0, challenger=1.5, delta=-0.5, low=-0.6, high=-0.4, p=0.0, verdict="better"
    )
    point = Point(name="2013-07", learnt=9, judged=9, rounds=1, cpu_seconds=1.0, seconds=1.0, figures=[figure])
    mean = studied.mean_gain([point])
    assert (mean.gain, mean.low, mean.high, mean.better, mean.money) == (-0.5, -0.6, -0.4, 1, None)
    assert studied.mean_gain([]) is None


def test_an_interrupted_worker_reports_how_far_it_is_and_what_is_left(until_november) -> None:
    flown = until_november
    started(flown)
    made = flown.room.retraining.start_curve("late", "ada", ["all", "last:60d"])
    told: list[str] = []
    context = JobContext.for_test(flown.store)
    context.progress = lambda share, text, **_: told.append(text)
    studying.study(context, {"study": made.id})
    assert told[0] == "reading the rows"
    assert "1 of 2: all" in told
    assert any(text.startswith("2 of 2: last:60d, ") and text.endswith("left") for text in told)
