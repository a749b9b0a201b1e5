# pyright: basic
"""What tells a window's rows from training rows: a classifier that learns to."""

import msgspec
import numpy as np
import pytest

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.monitor.drift import contrasting
from lemnis.engine.monitor.drift.contrast import shares_of, tell_apart
from lemnis.engine.monitor.drift.contrasting import KIND, contrast, kept_contrast, span_of, wanted
from lemnis.engine.monitor.watch import Watch
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


def test_rows_of_one_kind_are_not_told_apart_and_moved_ones_by_what_moved() -> None:
    chance = np.random.default_rng(1)
    before, same, moved = (chance.normal(size=(600, 4)) for _ in range(3))
    moved[:, 2] += 1.5
    assert tell_apart(before, same, []).auc == pytest.approx(0.5, abs=0.08)
    told = tell_apart(before, moved, [])
    assert told.auc > 0.8
    assert shares_of(told, list("abcd"))[0].feature == "c"
    assert sum(one.share for one in shares_of(told, list("abcd"))) == pytest.approx(1)


@pytest.mark.slow
def test_a_month_with_other_weather_is_told_by_the_wind_and_shows_its_rows(
    flown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrasting, "PAST", 3)
    monkeypatch.setattr(contrasting, "ROWS", 400)
    flown.answer(flown.between("2013-08-01", "2013-10-01"))
    refresh(flown.store, flown.config, now=NOW)
    august, september = flown.room.windows("late")
    context = JobContext.for_test(flown.store, kind=KIND)
    assert flown.room.contrast(september) is None
    contrast(context, msgspec.to_builtins(span_of(september)))
    found = flown.room.contrast(september)
    assert found is not None
    assert found.differs
    assert found.told[0].feature == "wind"
    assert found.past == 3
    assert all(float(example.values[0]) > 10 for example in found.examples)
    assert "differs from training" in found.words
    contrast(context, msgspec.to_builtins(span_of(august)))
    alike = flown.room.contrast(august)
    assert alike is not None
    assert alike.auc < 0.6 < found.auc


def test_too_few_rows_say_nothing(flown) -> None:
    flown.answer(flown.between("2013-08-01", "2013-08-03"))
    refresh(flown.store, flown.config, now=NOW)
    with pytest.raises(BadInput, match="60 rows are too few"):
        contrast(JobContext.for_test(flown.store, kind=KIND), msgspec.to_builtins(span_of(flown.room.windows()[0])))


@pytest.mark.slow
def test_the_watch_has_it_found_out_once_when_a_window_closes_with_drift(flown) -> None:
    watch = Watch(flown.store)
    flown.answer(flown.between("2013-09-01", "2013-11-01"))
    watch.look()
    jobs = JobsRoom(flown.store)
    assert [job.kind for job in jobs.jobs()] == []  # October is not closed
    flown.answer(flown.between("2013-09-01", "2013-09-02"))
    with flown.store.write() as db:
        db.execute("update monitor_windows set closed = 1")
    watch.look()
    flown.answer(flown.between("2013-09-01", "2013-09-02"))
    watch.look()
    queued = [job for job in jobs.jobs() if job.kind == KIND]
    assert [job.title for job in queued] == ["what changed in late from 2013-10-01"]
    october = flown.room.windows()[-1]
    assert kept_contrast(flown.store, span_of(october)) is None
    assert wanted(flown.store) == []
