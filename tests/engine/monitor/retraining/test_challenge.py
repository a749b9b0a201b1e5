# pyright: basic, reportOptionalMemberAccess=false

import numpy as np
import pyarrow.compute as pc
import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.config import parse_window
from lemnis.engine.data.versions import find_version, list_versions
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import ExperimentsRoom
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.models.files import read_model
from lemnis.engine.monitor.retraining import Way
from lemnis.engine.monitor.retraining.splits import begin_of, earliest_of, later_split, resplit

from .conftest import work


def test_the_challenger_learns_from_later_rows_and_is_judged_beside_the_champion(
    until_november, in_process: None, independent
) -> None:
    flown = until_november
    room = flown.room.retraining
    made = room.start("late", "ada", "the weather is another", Way(window="last:60d"))
    with pytest.raises(BadInput, match="under way already"):
        room.start("late", "bob", "me too")
    work(flown.store, made.job_id)
    made = room.retraining(made.id)
    assert (made.state, made.doing, made.outcome) == ("finished", "finished", "challenger")
    found = made.found
    assert found is not None
    assert found.part == ("2013-10-01T00:00:00Z", "2013-11-01T00:00:00Z")
    assert (found.champion_version, found.challenger_version) == (1, 3)
    october = flown.between("2013-10-01", "2013-11-01")
    october = october.filter(pc.is_valid(october.column("late")))
    assert found.rows == october.num_rows
    target = np.asarray(october.column("late"))
    assert found.main.metric == "roc_auc"
    assert found.main.champion == pytest.approx(independent(target, flown.scores(october)))
    assert found.main.delta == pytest.approx(found.main.challenger - found.main.champion)
    assert found.main.low <= found.main.delta <= found.main.high
    assert "value_per_1000" in {figure.metric for figure in found.figures}
    deploy = DeployRoom(flown.store)
    assert deploy.alias("late", "challenger").version == 3
    assert deploy.alias("late", "champion") is None
    assert deploy.history("late")[0].why == "the weather is another"
    version = find_version(flown.store, "v2")
    assert version.title == found.dataset == "flights v2"
    assert find_version(flown.store).title == "flights v1"  # what a person linked last stays the latest
    assert version.split["train"].start == parse_ms("2013-07-03")
    assert version.split["train"].end == parse_ms("2013-09-01")


def test_a_job_that_was_killed_goes_on_with_the_run_it_had_begun(
    until_november, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown = until_november
    room, jobs = flown.room.retraining, JobsRoom(flown.store)
    made = room.start("late", "ada", "try", Way(window="decay:30d"))
    from lemnis.engine.monitor.retraining import challenge

    with monkeypatch.context() as killed:
        killed.setattr(challenge, "name_challenger", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        work(flown.store, made.job_id)
    assert room.retraining(made.id).state == "failed"
    jobs.retry(made.job_id)
    work(flown.store, made.job_id)
    found = room.retraining(made.id)
    assert found.outcome == "challenger"
    experiments = ExperimentsRoom(flown.store)
    assert [run.params.get("half_life") for run in experiments.search("").runs] == ["30d", None]
    assert experiments.run(experiments.reproduce(found.run_id)).params["half_life"] == "30d"


def test_the_rows_are_the_same_and_only_the_split_is_another(until_november) -> None:
    flown = until_november
    earliest = earliest_of(flown.store, flown.version)
    split = later_split(flown.room.windows("late"), earliest)
    made = resplit(flown.store, flown.version, split)
    assert [one.id for one in list_versions(flown.store)] == [flown.version.id, made.id]
    assert (flown.version.linked, made.linked) == (True, False)
    assert resplit(flown.store, flown.version, split).linked_at == made.linked_at
    assert made.rows == flown.version.rows
    assert made.columns == flown.version.columns
    assert made.id != flown.version.id
    assert resplit(flown.store, flown.version, split).id == made.id
    assert [(part.start, part.end) for part in made.split.values()] == [
        (parse_ms("2013-01-01"), parse_ms("2013-09-01")),
        (parse_ms("2013-09-01"), parse_ms("2013-10-01")),
        (parse_ms("2013-10-01"), parse_ms("2013-11-01")),
    ]
    narrow = resplit(flown.store, flown.version, later_split(flown.room.windows("late"), parse_ms("2013-08-01")))
    assert earliest_of(flown.store, narrow) == earliest  # the next retraining on all rows begins with the first again


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("all", "2013-01-01"),
        ("decay:30d", "2013-01-01"),
        ("last:31d", "2013-08-01"),
        ("last:9999d", "2013-01-01"),
        ("last:2windows", "2013-07-01"),
        ("last:99_999_999rows", "2013-01-01"),
    ],
)
def test_training_begins_where_the_choice_of_rows_says(flown, text: str, begins: str) -> None:
    until = parse_ms("2013-09-01")
    earliest = earliest_of(flown.store, flown.version)
    found = begin_of(flown.version, parse_window(text), until, width="month", earliest=earliest)
    assert found == parse_ms(begins)


def test_the_last_rows_are_counted_by_those_that_have_a_label(flown) -> None:
    until = parse_ms("2013-09-01")
    first = begin_of(flown.version, parse_window("last:500rows"), until, width="month", earliest=0)
    rows = flown.between("2013-01-01", "2013-09-01")
    times = rows.column("flown").cast("timestamp[ms]").cast("int64").to_numpy()
    known = np.asarray(pc.is_valid(rows.column("late")))
    assert int(((times >= first) & known).sum()) == 500


@pytest.mark.parametrize("text", ["", "last", "last:", "last:0d", "last:-3d", "decay:3rows", "newest:3d", "last:3"])
def test_what_chooses_no_rows_is_refused(flown, text: str) -> None:
    with pytest.raises(ValueError, match=r"not all, last:90d|is no age"):
        parse_window(text)


def test_without_labels_there_is_nothing_to_judge_a_challenger_on(flown) -> None:
    with pytest.raises(BadInput, match="0 windows have all their labels"):
        flown.room.retraining.start("late", "ada", "why not")
    with pytest.raises(NotFound, match="No endpoint 'nowhere'"):
        flown.room.retraining.start("nowhere", "ada", "why not")


@pytest.mark.parametrize(("start", "rounds"), [("continue", 25 + 8), ("refit", 25)])
def test_a_warm_start_is_a_condition_of_the_run(until_november, in_process: None, start: str, rounds: int) -> None:
    flown = until_november
    keep_model(flown)
    room = flown.room.retraining
    made = room.start("late", "ada", "warm", room.way("all", start))
    work(flown.store, made.job_id)
    found = room.retraining(made.id)
    assert (found.outcome, found.doing) == ("challenger", "finished")
    run = ExperimentsRoom(flown.store).run(found.run_id)
    assert (run.params["start"], run.params["start_run"]) == (start, "1")
    signature = DeployRoom(flown.store).signature("late", found.challenger_version)
    assert [feature.categories for feature in signature.features] == [f.categories for f in flown.signature.features]
    trees = read_model((flown.store.workspace.run_dir(run.id) / "model.txt").read_text())
    assert trees.current_iteration() == rounds
    version = find_version(flown.store, run.version_id)
    assert version.split["train"].start == parse_ms("2013-06-01")  # where the champion's training ended


def test_what_can_not_be_begun_with_is_refused_before_it_is_queued(until_november) -> None:
    store = until_november.store
    keep_model(until_november)
    names = ["carrier", "wind", "distance", "holiday"]
    for params, features, said in (
        ({"start": "warm", "start_run": "1"}, names, "start is 'warm'"),
        ({"start": "refit"}, names, "needs the run to begin with"),
        ({"start": "refit", "start_run": "9"}, names, "Run 9 has no model"),
        ({"start": "refit", "start_run": "1"}, names[:2], "has other features"),
    ):
        with pytest.raises(BadInput, match=said):
            ExperimentsRoom(store).start(overrides=params, features=features)
    with pytest.raises(BadInput, match="does not start 'half'"):
        until_november.room.retraining.way("all", "half")


def keep_model(flown) -> None:
    """Put the champion's model where the run that trained it keeps it."""
    folder = flown.store.workspace.run_dir(1)
    folder.mkdir(parents=True)
    champion = DeployRoom(flown.store).version("late", 1)
    (folder / "model.txt").write_bytes(champion.path.read_bytes())
    flown.signature.save(folder / "signature.json")
    with flown.store.write() as db:
        sql = """update runs set model_sha256 = ?, task = 'binary', target = 'late', algorithm = 'gbdt', rounds = 8,
                   features = '["carrier", "wind", "distance", "holiday"]' where id = 1"""
        db.execute(sql, [champion.sha256])
        db.table("run_params").insert({"run_id": 1, "key": "rounds", "value": "8"})
