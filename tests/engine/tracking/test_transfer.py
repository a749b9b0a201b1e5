"""Runs go out and come in again, and nothing is lost: folders, SQLite files and servers of MLflow."""

import math
import os
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from support import engine_at
from tracking_server import Served, run_client

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import groups, tracked
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.runs import Run, get_run, read_runs
from lemnis.engine.experiments.tracked import Announced, Logged
from lemnis.engine.tracking import models, protocol
from lemnis.engine.tracking.artifacts import Incoming, model_folder, run_folder
from lemnis.engine.tracking.runs import keep_datasets, link_models, log_values, run_documents

HERE = Path(__file__).parent


def filled(engine: Engine) -> list[int]:
    """Log runs that have everything a run can have, and return their numbers."""
    store = engine.store
    other = groups.create_experiment(store, "late: flights", {"owner": "ana\nbob"}, 1_600_000_000_000)
    first = tracked.announce(
        store,
        Announced(
            name="été: {1} # two",
            experiment_id=other,
            user="ana",
            started_at=1_700_000_000_000,
            tags={"team": "", tracked.NOTE: "A note.\nOf two lines: yes", "text": "a: [b] 'c'\r\n"},
        ),
    )
    run = get_run(store, first)
    points = [Logged("loss", step, 1_700_000_000_000 + step, 1 / (step + 1)) for step in range(500)]
    odd = [Logged("odd", 0, 1_700_000_000_000, value) for value in (0.1, 0.2, None, math.inf, -math.inf, 0.1 + 0.2)]
    params = {"a/b": "1", "empty": "", "long": "x" * 6000, "ü": "é"}
    tracked.log_batch(store, run, metrics=[*points, *odd, Logged("odd", -3, 5, 7.0)], params=params.items())
    dataset = protocol.Dataset(name="flights", digest="abc", source_type="http", source='{"url": "x"}', schema="{}")
    context = [protocol.Pair(key="mlflow.data.context", value="training")]
    keep_datasets(store, run, [protocol.DatasetInput(dataset=dataset, tags=context)])
    link_models(store, run, [protocol.ModelLink(model_id="m-1")], "input")
    link_models(store, run, [protocol.ModelLink(model_id="m-2", step=4)], "output")
    for path, content in {"a.txt": b"a", "d/e f/ü#?.bin": bytes(range(256)), "empty": b""}.items():
        incoming = Incoming(run_folder(store, run) / path, 0)
        incoming.write(content)
        incoming.keep()
    asked = models.CreateModel(
        experiment_id=str(other), name="net", model_type="agent", source_run_id=tracked.uid_of(run),
        tags=[protocol.Pair(key="t", value="u")], params=[protocol.Pair(key="depth", value="3")],
    )  # fmt: skip
    model_id = models.create(store, asked)["model"]["info"]["model_id"]
    log_values(store, run, [protocol.Value(key="acc", value="NaN", timestamp=9, model_id=model_id)])
    incoming = Incoming(model_folder(store, other, model_id) / "data" / "weights", 0)
    incoming.write(b"weights")
    incoming.keep()
    models.finalize(store, models.FinalizeModel(model_id=model_id, status="LOGGED_MODEL_READY"))
    tracked.move(store, run, state="failed", ended_at=1_700_000_100_000)
    deleted = tracked.announce(
        store,
        Announced(name="gone", state="finished", started_at=1, ended_at=2, deleted_at=1_700_000_000_003),
    )
    killed = tracked.announce(store, Announced(name="killed", state="cancelled", started_at=1, ended_at=2))
    return [first, deleted, killed]


def everything(engine: Engine, runs: list[Run]) -> list[dict[str, Any]]:
    """Return all that is known of runs, but for their numbers here."""
    found: list[dict[str, Any]] = []
    for run, document in zip(runs, run_documents(engine.store, runs), strict=True):
        folder = run_folder(engine.store, run)
        files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
        for name in ("experiment_id", "artifact_uri"):
            document["info"].pop(name)
        for name in ("params", "tags", "metrics"):
            document["data"][name].sort(key=itemgetter("key"))
        fields = (run.note, run.state, run.experiment, run.started_at, run.ended_at, run.deleted_at, run.user)
        experiment = groups.experiment_of(engine.store, run.experiment_id)
        # Several values at one step and moment have no order but their own.
        points = sorted(all_points(engine.store, run.id), key=repr)
        found.append(
            {"document": document, "files": files, "points": points, "fields": fields, "tags": experiment.tags}
        )
    return sorted(found, key=lambda one: one["document"]["info"]["run_id"])


def all_models(engine: Engine) -> list[dict[str, Any]]:
    """Return all that is known of logged models, but for the numbers of their experiments here."""
    found = models.documents(engine.store, [row["id"] for row in engine.store.rows("select id from logged_models")])
    for document in found:
        number = int(document["info"].pop("experiment_id"))
        document["info"].pop("artifact_uri")
        folder = model_folder(engine.store, number, document["info"]["model_id"])
        document["files"] = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return found


def all_runs(engine: Engine) -> list[Run]:
    return read_runs(engine.store, [row["id"] for row in engine.store.rows("select id from runs order by id")])


def test_a_round_trip_loses_nothing_and_a_second_import_adds_nothing(tmp_path: Path) -> None:
    here, there = engine_at(tmp_path / "here"), engine_at(tmp_path / "there")
    ids = filled(here)
    done = here.tracking.export_runs(tmp_path / "mlruns", ids)
    assert (done.runs, done.models, done.points, done.files) == (3, 1, 508, 4)
    brought = there.tracking.import_runs(str(tmp_path / "mlruns"))
    assert (brought.runs, brought.models, brought.known, brought.points, brought.files) == (3, 1, 0, 508, 4)
    assert everything(there, all_runs(there)) == everything(here, all_runs(here))
    again = there.tracking.import_runs(f"file://{tmp_path / 'mlruns'}")
    assert (again.runs, again.models, again.known, again.files, again.experiments) == (0, 0, 3, 0, 0)
    assert all_models(there) == all_models(here)
    assert len(all_models(here)[0]["files"]) == 1
    assert everything(there, all_runs(there)) == everything(here, all_runs(here))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_training_of_ours_goes_out_and_is_known_when_it_comes_back(tmp_path: Path) -> None:
    here, there = engine_at(tmp_path / "here"), engine_at(tmp_path / "there")
    with here.store.write() as db:
        db.execute("insert into runs (id, name, state, created_at) values (7, 'ours', 'finished', 1700000000000)")
        db.execute("insert into run_metrics (run_id, key, value, step) values (7, 'auc', 0.8, 9)")
        db.execute("insert into run_params (run_id, key, value) values (7, 'num_leaves', '31')")
    folder = here.workspace.run_dir(7)
    folder.mkdir()
    (folder / "model.txt").write_text("tree")
    here.tracking.export_runs(tmp_path / "mlruns", [7])
    there.tracking.import_runs(str(tmp_path / "mlruns"))
    run = all_runs(there)[0]
    assert (run.name, run.metrics, run.params) == ("ours", {"auc": 0.8}, {"num_leaves": "31"})
    assert (run_folder(there.store, run) / "model.txt").read_text() == "tree"
    assert here.tracking.import_runs(str(tmp_path / "mlruns")).known == 1
    assert len(all_runs(here)) == 1


def test_what_is_no_store_is_refused_and_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "here")
    (tmp_path / "text").write_text("no store")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "1").mkdir(parents=True)
    (tmp_path / "broken" / "1" / "meta.yaml").write_text("name: [")
    with pytest.raises(NotFound, match="can't be read"):
        engine.tracking.import_runs(str(tmp_path / "nothing"))
    for place in ("text", "empty", "broken"):
        with pytest.raises(BadInput):
            engine.tracking.import_runs(str(tmp_path / place))
    with pytest.raises(BadInput, match="not empty"):
        engine.tracking.export_runs(tmp_path / "broken", [])
    assert all_runs(engine) == []


def test_a_hostile_folder_gives_no_file_from_outside(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "here")
    run = tmp_path / "mlruns" / "1" / ("a" * 32)
    (run / "artifacts").mkdir(parents=True)
    (tmp_path / "mlruns" / "1" / "meta.yaml").write_text("name: evil")
    (run / "meta.yaml").write_text(f"run_id: {'a' * 32}\nstatus: 3\nartifact_uri: file:///etc")
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", run / "artifacts" / "link")
    os.symlink("/etc", run / "artifacts" / "etc")
    (run / "artifacts" / "own").write_text("x")
    (run / "params").mkdir()
    os.symlink(tmp_path / "secret", run / "params" / "p")
    done = engine.tracking.import_runs(str(tmp_path / "mlruns"))
    assert (done.runs, done.files) == (1, 1)
    assert all_runs(engine)[0].params == {}


def test_runs_are_imported_from_a_server(served: Served, tmp_path: Path) -> None:
    filled(served.engine)
    there = engine_at(tmp_path / "there")
    done = there.tracking.import_runs(served.url)
    assert (done.runs, done.models, done.points, done.missing) == (3, 1, 508, [])
    assert all_models(there) == all_models(served.engine)
    # When a run was deleted is not in MLflow's answers.
    theirs, ours = everything(there, all_runs(there)), everything(served.engine, all_runs(served.engine))
    for one in (*theirs, *ours):
        one["fields"] = tuple(bool(value) if index == 5 else value for index, value in enumerate(one["fields"]))
    assert theirs == ours
    assert there.tracking.import_runs(served.url).known == 3


def test_what_was_trained_elsewhere_is_not_repeated_or_registered_but_can_be_put_aside(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "here")
    run_id = tracked.announce(engine.store, Announced(name="open"))
    with pytest.raises(BadInput, match="logged by a client"):
        engine.experiments.reproduce(run_id)
    with pytest.raises(BadInput, match="logged by a client"):
        engine.deploy.register(run_id, "late", "ana", "why not")
    assert engine.experiments.delete([run_id]) == 1  # its client never said that it ended
    assert engine.lifecycle.stages()[5].state == "not started"


@pytest.mark.slow
def test_the_real_client_s_stores_are_read_and_ours_is_read_by_it(tmp_path: Path) -> None:
    for kind, address in (
        ("database", f"sqlite:///{tmp_path / 'mlflow.db'}"),
        ("folder", f"file://{tmp_path / 'runs'}"),
    ):
        run_client(HERE / "client_store.py", address, str(tmp_path))
        engine = engine_at(tmp_path / kind)
        done = engine.tracking.import_runs(address)
        assert done.missing == []
        assert (done.runs, done.files) == (3, 1)
        run = next(run for run in all_runs(engine) if run.name == "first")
        assert (run.state, run.experiment, run.params, run.note) == ("finished", "theirs", {"a/b": "1"}, "A note.")
        values = [value for key, _, _, value in all_points(engine.store, run.id) if key == "m"]
        assert sorted(map(repr, values)) == ["-inf", "0.1", "0.1", "None", "inf"]
        assert {run.name: run.deleted_at is not None for run in all_runs(engine)} == {
            "first": False, "gone": True, "open": False,
        }  # fmt: skip
        exported = tmp_path / f"{kind}-exported"
        engine.tracking.export_runs(exported, [run.id for run in all_runs(engine)])
        run_client(HERE / "client_reads.py", f"file://{exported}")
