"""Registered models go out and come in with the runs: versions, aliases, tags and words, and their files."""

import sqlite3
from pathlib import Path

import pytest
from registered import mlmodel, register
from support import engine_at
from tracking_server import Served, run_client

from lemnis.engine import Engine
from lemnis.engine.tracking import registry, versions
from lemnis.engine.tracking.clients import folder_of
from lemnis.engine.tracking.transfer.records import MovedRegistered
from lemnis.engine.tracking.transfer.registered import registered_models


def filled(engine: Engine) -> None:
    """Register two versions of one model and a model without versions."""
    register(engine, "late ü flights", {"MLmodel": mlmodel("sklearn"), "data/m": b"1"}, ("champion", "old"))
    register(engine, "late ü flights", {"MLmodel": mlmodel("sklearn"), "data/m": b"2"}, ("champion",))
    asked = versions.MoveVersion(name="late ü flights", version="1", stage="Staging")
    versions.move(engine.store, asked)
    registry.create(engine.store, registry.CreateRegistered(name="empty"))


def facts(engine: Engine) -> list[MovedRegistered]:
    """Return the registry, but for when it was last changed."""
    return list(registered_models(engine.store))


def numbers(engine: Engine) -> list[int]:
    return [row["id"] for row in engine.store.rows("select id from runs order by id")]


def test_a_round_trip_keeps_the_registry_and_the_files_of_its_versions(tmp_path: Path) -> None:
    here, there = engine_at(tmp_path / "here"), engine_at(tmp_path / "there")
    filled(here)
    assert here.tracking.export_runs(tmp_path / "mlruns", numbers(here)).registered == 2
    done = there.tracking.import_runs(str(tmp_path / "mlruns"))
    assert (done.registered, done.missing) == (2, [])
    assert facts(there) == facts(here)
    assert [model.aliases for model in facts(there)] == [{}, {"champion": 2, "old": 1}]
    assert (folder_of(there.store, "late ü flights", 2) / "data" / "m").read_bytes() == b"2"
    registry.delete_alias(there.store, registry.Alias(name="late ü flights", alias="old"))
    before = facts(there)
    again = there.tracking.import_runs(str(tmp_path / "mlruns"))
    assert (again.registered, again.runs) == (0, 0)
    assert [model.versions for model in facts(there)] == [model.versions for model in before]


def test_only_what_is_exported_is_registered_there(tmp_path: Path) -> None:
    here = engine_at(tmp_path / "here")
    filled(here)
    assert here.tracking.export_runs(tmp_path / "mlruns", numbers(here)[:1]).registered == 1
    model = tmp_path / "mlruns" / "models" / "late ü flights"
    assert {path.name for path in model.iterdir()} == {"meta.yaml", "tags", "aliases", "version-1"}
    assert [path.name for path in (model / "aliases").iterdir()] == ["old"]


def test_a_registry_comes_from_a_server(served: Served, tmp_path: Path) -> None:
    filled(served.engine)
    there = engine_at(tmp_path / "there")
    assert there.tracking.import_runs(served.url).registered == 2
    assert facts(there) == facts(served.engine)


def test_a_registry_comes_from_a_sqlite_file_and_no_path_of_its_machine_is_kept(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mlflow.db") as db:
        db.executescript("""
            create table experiments (experiment_id, name, lifecycle_stage, creation_time);
            create table runs (run_uuid, experiment_id, name, status, start_time, lifecycle_stage, artifact_uri);
            create table params (run_uuid, key, value); create table tags (run_uuid, key, value);
            create table metrics (run_uuid, key, value, timestamp, step, is_nan);
            create table registered_models (name, creation_time, last_updated_time, description);
            create table registered_model_tags (name, key, value);
            create table registered_model_aliases (name, alias, version);
            create table model_versions (name, version, creation_time, last_updated_time, description, user_id,
              current_stage, source, run_id, run_link);
            create table model_version_tags (name, version, key, value);
            insert into registered_models values ('late', 5, 6, 'Words.');
            insert into registered_model_tags values ('late', 'team', 'blue');
            insert into registered_model_aliases values ('late', 'champion', 2);
            insert into model_versions values ('late', 1, 5, 6, null, 'ana', 'None', '/etc/passwd', null, null),
              ('late', 2, 5, 6, 'd', 'ana', 'Production', 's3://bucket/m', null, null),
              ('late', 3, 5, 6, 'd', 'ana', 'Deleted_Internal', 's3://bucket/m', null, null);
            insert into model_version_tags values ('late', '2', 'seen', 'yes');
        """)
    there = engine_at(tmp_path / "there")
    done = there.tracking.import_runs(str(tmp_path / "mlflow.db"))
    assert done.registered == 2
    assert done.missing == ["late 1: its files are at /etc/passwd"]
    (model,) = facts(there)
    assert (model.description, model.tags, model.aliases) == ("Words.", {"team": "blue"}, {"champion": 2})
    assert [(one.version, one.stage, one.source, one.tags) for one in model.versions] == [
        (1, "None", "", {}),
        (2, "Production", "s3://bucket/m", {"seen": "yes"}),
    ]


def test_a_model_of_lemnis_is_not_overwritten(tmp_path: Path) -> None:
    here, there = engine_at(tmp_path / "here"), engine_at(tmp_path / "there")
    register(here, "late", {"MLmodel": b""})
    here.tracking.export_runs(tmp_path / "mlruns", numbers(here))
    with there.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
    done = there.tracking.import_runs(str(tmp_path / "mlruns"))
    assert done.missing == ["late: a model of Lemnis is called so here"]
    assert facts(there) == []


@pytest.mark.slow
def test_the_real_client_reads_the_registry_that_we_write(tmp_path: Path) -> None:
    here = engine_at(tmp_path / "here")
    register(here, "late", {"MLmodel": mlmodel("sklearn"), "data/m": b"1"}, ("champion",))
    here.tracking.export_runs(tmp_path / "mlruns", numbers(here))
    run_client(Path(__file__).parent / "client_registry.py", f"file://{tmp_path / 'mlruns'}")
