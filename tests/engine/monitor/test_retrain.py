import numpy as np
import pyarrow.compute as pc
import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.data.versions import find_version
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.kinds import handler
from lemnis.engine.monitor.retrain import later_split, resplit
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a job that is waited for in this process, as its worker would."""

    def work(room: JobsRoom, job_id: int, on_progress=None):
        job = room.job(job_id)
        with room.store.write() as db:
            db.execute("update jobs set state = 'running', epoch = 1, why = 'training' where id = ?", [job_id])
        context = JobContext(room.store, job_id, epoch=1, cores=1)
        context.directory.mkdir(parents=True, exist_ok=True)
        handler(job.kind)(context, job.arguments)
        with room.store.write() as db:
            db.execute("update jobs set state = 'finished', why = 'finished' where id = ?", [job_id])
        return room.job(job_id)

    monkeypatch.setattr(JobsRoom, "wait", work)


def served_until_november(flown) -> None:
    rows = flown.between("2013-07-01", "2013-11-01")
    flown.answer(rows)
    flown.label(rows, now=1_000)
    refresh(flown.store, flown.config, now=NOW)
    refresh(flown.store, flown.config, now=NOW + 120_000)


def test_the_challenger_learns_from_later_rows_and_is_judged_beside_the_champion(
    flown, in_process: None, independent
) -> None:
    served_until_november(flown)
    found = flown.room.retrain("late", "ada", "the weather is another")
    assert found.part == ("2013-10-01T00:00:00Z", "2013-11-01T00:00:00Z")
    assert (found.champion_version, found.challenger_version) == (1, 3)
    october = flown.between("2013-10-01", "2013-11-01")
    october = october.filter(pc.is_valid(october.column("late")))
    assert found.champion.labelled == found.challenger.labelled == october.num_rows
    target = np.asarray(october.column("late"))
    assert found.champion.roc_auc == pytest.approx(independent(target, flown.scores(october)))
    deploy = DeployRoom(flown.store)
    challenger = deploy.alias("late", "challenger")
    assert challenger is not None
    assert challenger.version == 3
    assert deploy.alias("late", "champion") is None
    assert deploy.history("late")[0].why == "the weather is another"
    made = find_version(flown.store)
    assert made.title == found.dataset == "flights v2"
    assert made.split["train"].end == parse_ms("2013-09-01")


def test_the_rows_are_the_same_and_only_the_split_is_another(flown) -> None:
    served_until_november(flown)
    split = later_split(flown.version, flown.room.windows("late"))
    made = resplit(flown.store, flown.version, split)
    assert made.rows == flown.version.rows
    assert made.columns == flown.version.columns
    assert made.id != flown.version.id
    assert resplit(flown.store, flown.version, split).id == made.id
    assert [(part.start, part.end) for part in made.split.values()] == [
        (parse_ms("2013-01-01"), parse_ms("2013-09-01")),
        (parse_ms("2013-09-01"), parse_ms("2013-10-01")),
        (parse_ms("2013-10-01"), parse_ms("2013-11-01")),
    ]


def test_without_labels_there_is_nothing_to_judge_a_challenger_on(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-11-01"))
    refresh(flown.store, flown.config, now=NOW)
    with pytest.raises(BadInput, match="0 windows have all their labels"):
        flown.room.retrain("late", "ada", "why not")
    with pytest.raises(NotFound, match="No endpoint 'nowhere'"):
        flown.room.retrain("nowhere", "ada", "why not")
