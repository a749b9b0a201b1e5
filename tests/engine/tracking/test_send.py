"""Runs are sent to a server over REST: each once, whole, with their models and the registry."""

import math
from pathlib import Path

import pytest
from registered import mlmodel, register
from support import engine_at
from tracking_server import Served

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.experiments import groups, tracked
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.runs import Run, get_run, read_runs
from lemnis.engine.experiments.tracked import Announced, Logged
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.artifacts import Incoming, run_folder
from lemnis.engine.tracking.clients import folder_of
from lemnis.engine.tracking.runs import keep_datasets
from lemnis.engine.tracking.transfer.registered import registered_models


def runs_of(engine: Engine) -> dict[str, Run]:
    runs = read_runs(engine.store, [row["id"] for row in engine.store.rows("select id from runs")])
    return {run.name: run for run in runs if run.deleted_at is None}


def filled(engine: Engine) -> list[int]:
    """Log a run with everything, and register a model of another."""
    store = engine.store
    other = groups.create_experiment(store, "late flights", {"owner": "ana"}, 1_600_000_000_000)
    announced = Announced(name="été", experiment_id=other, user="ana", started_at=5, tags={"team": "blue"})
    run = get_run(store, tracked.announce(store, announced))
    points = [Logged("loss", step, 1_700_000_000_000 + step, 1 / (step + 1)) for step in range(1500)]
    odd = [Logged("odd", 0, 7, value) for value in (None, math.inf, 0.1 + 0.2)]
    tracked.log_batch(store, run, metrics=[*points, *odd], params={f"p{n}": str(n) for n in range(150)}.items())
    dataset = protocol.Dataset(name="flights", digest="abc", source_type="http", source="{}")
    keep_datasets(store, run, [protocol.DatasetInput(dataset=dataset, tags=[])])
    incoming = Incoming(run_folder(store, run) / "d" / "ü#.bin", 0)
    incoming.write(bytes(range(256)))
    incoming.keep()
    tracked.move(store, run, state="failed", ended_at=9)
    register(engine, "late flights", {"MLmodel": mlmodel("sklearn"), "data/m": b"1"}, ("champion",))
    return [row["id"] for row in store.rows("select id from runs order by id")]


def test_runs_are_sent_once_with_models_files_and_the_registry(served: Served, tmp_path: Path) -> None:
    here, there = engine_at(tmp_path / "here"), served.engine
    ids = filled(here)
    done = here.tracking.send_runs(served.url, ids)
    assert (done.runs, done.models, done.registered, done.points, done.files) == (2, 1, 1, 1503, 3)
    ours, theirs = runs_of(here)["été"], runs_of(there)["été"]
    assert (theirs.state, theirs.user, theirs.params) == (ours.state, ours.user, ours.params)
    assert (theirs.experiment, theirs.started_at, theirs.ended_at) == ("late flights", 5, 9)
    assert theirs.tags["team"] == "blue"
    points = all_points(there.store, theirs.id)
    assert sorted(map(repr, points)) == sorted(map(repr, all_points(here.store, ours.id)))
    assert (run_folder(there.store, theirs) / "d" / "ü#.bin").read_bytes() == bytes(range(256))
    (model,) = registered_models(there.store)
    assert (model.name, model.description, model.aliases) == ("late flights", "Words.", {"champion": 1})
    assert (model.versions[0].description, model.versions[0].tags["seen"]) == ("d", "yes")
    assert (folder_of(there.store, "late flights", 1) / "data" / "m").read_bytes() == b"1"
    again = here.tracking.send_runs(served.url, ids)
    assert (again.runs, again.known, again.registered, again.files) == (0, 2, 0, 0)
    with there.store.write() as db:  # as if it had broken off before its end
        db.execute("delete from run_tags where run_id = ? and key = 'lemnis.sent'", [theirs.id])
    once_more = here.tracking.send_runs(served.url, ids)
    assert (once_more.runs, once_more.known) == (1, 1)
    assert len([run for run in runs_of(there).values() if run.name == "été"]) == 1


def test_a_server_that_does_not_answer_or_is_our_own_is_refused(served: Served, tmp_path: Path) -> None:
    here = engine_at(tmp_path / "here")
    with pytest.raises(Unavailable, match="does not answer"):
        here.tracking.send_runs("http://127.0.0.1:9", [])
    with pytest.raises(BadInput, match="this very workspace"):
        served.engine.tracking.send_runs(served.url, [])
