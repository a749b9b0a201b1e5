"""What is pushed or exported in one workspace is the same in the other: rows, conditions, answers."""

import subprocess
import zipfile
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from sharing import Desk, Pair

from lemnis.engine.errors import BadInput, LemnisError, NotFound
from lemnis.engine.features.requests import encode_rows

QUIET = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
CONDITIONS = (
    *(
        "name",
        "state",
        "why",
        "preset",
        "algorithm",
        "group_name",
        "task",
        "target",
        "version_id",
        "features",
        "seed",
        "device",
        "cores",
    ),
    *("machine", "code_version", "libraries", "rounds", "rounds_done", "best_round", "model_sha256", "note", "user"),
    *("created_at", "started_at", "ended_at", "params", "metrics", "tags"),
)


def assert_same_version(pair: Pair) -> None:
    ours, theirs = pair.a.engine.data.version(1), pair.b.engine.data.version(1)
    assert theirs.file.read_bytes() == ours.file.read_bytes()
    same = ("id", "name", "number", "rows", "columns", "split", "label_counts", "repeated_keys", "recipe", "linked_at")
    assert [getattr(theirs, field) for field in same] == [getattr(ours, field) for field in same]
    origin = pair.b.engine.share.origin("dataset", theirs.id)
    assert origin is not None
    assert origin.text.startswith("small v1 of workspace ours (")


def assert_same_model(pair: Pair) -> None:
    """The model of both gives the same answers bit for bit, and its run has the same conditions and curves."""
    ours, theirs = (desk.engine.deploy.version("late", 1) for desk in pair)
    signatures = [desk.engine.deploy.signature("late", 1) for desk in pair]
    rows = [
        {"distance": d / 10, "carrier": c, "weekend": d % 2 == 0} for d in range(-20, 20) for c in ("AA", "[UA]", None)
    ]
    answers = [
        lightgbm.Booster(model_file=str(one.path)).predict(encode_rows(rows, signature))
        for one, signature in zip((ours, theirs), signatures, strict=True)
    ]
    assert np.asarray(answers[0]).tobytes() == np.asarray(answers[1]).tobytes()
    first, second = pair.a.engine.experiments.run(ours.run_id), pair.b.engine.experiments.run(theirs.run_id)
    assert [getattr(second, field) for field in CONDITIONS] == [getattr(first, field) for field in CONDITIONS]
    curves = [desk.engine.experiments.curve(one.run_id) for desk, one in zip(pair, (ours, theirs), strict=True)]
    assert curves[0] == curves[1] != {}
    assert pair.b.engine.experiments.model_path(second.id).read_bytes() == ours.path.read_bytes()
    assert pair.b.engine.share.origin("model", "late@1") is not None


def test_a_dataset_version_goes_through_a_folder(pair: Pair) -> None:
    for desk in pair:
        desk.remote("../hub")
    sent = pair.a.push("v1")
    assert (sent["things"][0]["state"], sent["files"], sent["kept"]) == ("new", 1, 0)
    again = pair.a.push("small@v1")
    assert (again["things"][0]["state"], again["files"], again["bytes"]) == ("there already", 0, 0)
    pair.b.pull("small@v1")
    assert_same_version(pair)
    before = pair.b.state()
    assert pair.b.pull()["things"][0]["state"] == "here already"
    assert pair.b.state() == before


def test_a_remote_folder_is_read_by_duckdb_as_it_is(pair: Pair, tmp_path: Path) -> None:
    import duckdb

    pair.a.remote("../hub")
    pair.a.push("v1")
    with duckdb.connect() as duck:
        rows = duck.execute(f"select count(*) from '{tmp_path}/hub/objects/*/*.parquet'").fetchall()
    assert rows == [(pair.a.engine.data.version(1).rows,)]


def test_a_model_brings_its_run_and_knows_its_data_without_the_rows(pair: Pair) -> None:
    for desk in pair:
        desk.remote("../hub")
    pair.a.push("late@v1")
    things = pair.b.pull("late@v1")["things"]
    assert [(one["kind"], one["state"]) for one in things] == [("run", "new"), ("model", "new")]
    assert_same_model(pair)
    assert pair.b.engine.data.versions() == []
    run = pair.b.engine.experiments.run(1)
    assert run.data_version == "small v1"
    with pytest.raises(Exception, match="not kept here"):
        _ = pair.b.engine.data.version(run.version_id).file
    pair.a.push("v1")
    pair.b.pull("small@v1")  # the rows come later
    assert_same_version(pair)


def test_a_bundle_holds_everything_and_is_taken_in_once(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "late.zip"
    made = pair.a.export(file, "late@1", data=True)
    assert [one["kind"] for one in made["things"]] == ["dataset", "run", "model"]
    before = pair.b.state()
    looked = pair.b.take(file, dry_run=True)
    assert {one["state"] for one in looked["things"]} == {"new"}
    assert pair.b.state() == before
    pair.b.take(file)
    assert_same_version(pair)
    assert_same_model(pair)
    before = pair.b.state()
    assert {one["state"] for one in pair.b.take(file)["things"]} == {"here already"}
    assert pair.b.state() == before
    assert {one["state"] for one in pair.a.take(file)["things"]} == {"here already"}  # where it was made
    content = file.read_bytes()
    file.write_bytes(content[:-5000] + bytes([content[-5000] ^ 1]) + content[-4999:])
    with pytest.raises(LemnisError, match=r"damaged|whole|hash"):  # a dry run reads every file, here or not
        pair.b.take(file, dry_run=True)


def test_a_bundle_can_be_read_without_lemnis(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "a.zip", "v1")
    pair.a.export(tmp_path / "b.zip", "v1")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert names[0] == "README.txt"
        card = archive.read(next(name for name in names if name.startswith("cards/"))).decode()
        archive.extractall(tmp_path / "out")
    assert "| late | bool | label |" in card
    table = next((tmp_path / "out/objects").rglob("*.parquet"))
    said = subprocess.run(["sha256sum", str(table)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert said == table.parent.name + table.stem


def test_names_that_clash_get_another_number_and_say_where_they_came_from(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "a.zip", "late@1", data=True)
    other = pair.b.engine.store
    with other.write() as db:
        db.execute("insert into runs (name, state, created_at) values ('own', 'finished', 5)")
        db.execute("insert into models (name, created_at) values ('late', 5)")
        db.execute(
            """insert into model_versions (model, version, run_id, sha256, path, bytes, signature, golden, threshold,
               who, why, created_at) values ('late', 1, 1, 'x', 'models/x.txt', 1,
               '{"features":[],"task":"binary","target":"t"}', '{"rows":[],"answers":[]}', null, 'b', 'own', 5)"""
        )
        db.execute(
            """insert into versions (id, name, number, rows, bytes, columns, snapshots, recipe, split, target_summary,
               repeated_keys, created_at, linked_at)
               values ('f', 'small', 1, 1, 1, '[]', '{}', '', '{}', '{}', 0, 5, 5)"""
        )
    things = {one["kind"]: one["here"] for one in pair.b.take(tmp_path / "a.zip")["things"]}
    assert things == {"dataset": "small v2", "run": "run 2 default", "model": "late v2"}
    origins = {origin.kind: (origin.here[:6], origin.title) for origin in pair.b.engine.share.origins()}
    assert origins["model"] == ("late@2", "late v1")
    assert origins["run"] == ("2", "run 1 default")


def test_what_came_from_elsewhere_is_handed_on_with_its_first_origin(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "a.zip", "v1")
    pair.b.take(tmp_path / "a.zip")
    pair.b.export(tmp_path / "b.zip", "v1")
    manifest = pair.b.engine.share.contents(tmp_path / "b.zip")[0]
    assert manifest.maker.workspace_name == "ours"


def test_the_overview_says_what_is_where(pair: Pair) -> None:
    for desk in pair:
        desk.remote("../hub")
    pair.a.push("v1")
    ahead = {item.ref: (item.here, item.there) for item in pair.a.engine.share.overview().items}
    assert ahead == {"small@v1": (True, True), "run:1": (True, False), "late@v1": (True, False)}
    behind = {item.ref: (item.here, item.there) for item in pair.b.engine.share.overview().items}
    assert behind == {"small@v1": (False, True)}


def test_what_is_not_there_is_said(pair: Pair) -> None:
    with pytest.raises(NotFound, match="No remote is declared"):
        pair.a.push("v1")
    pair.a.remote("../hub")
    with pytest.raises(NotFound, match="This workspace has no 'v7'"):
        pair.a.push("v7")
    with pytest.raises(BadInput, match="has no dataset version"):
        pair.a.pull()


def both(pair: Pair, url: str) -> tuple[Desk, Desk]:
    for desk in pair:
        desk.remote(url)
    return pair


@pytest.mark.slow
@QUIET
def test_everything_goes_through_s3(pair: Pair, bucket: object) -> None:
    a, b = both(pair, "s3://rows/team/hub")
    a.push("late@v1", data=True)
    assert a.push("late@v1", data=True)["bytes"] == 0
    assert [item.there for item in b.engine.share.overview().items] == [True] * 3
    b.pull("late@v1", data=True)
    assert_same_version(pair)
    assert_same_model(pair)


@QUIET
def test_everything_goes_through_sftp(pair: Pair, sftp: str, tmp_path: Path) -> None:
    a, b = both(pair, f"{sftp}{tmp_path}/far/hub")
    a.push("late@v1", data=True)
    assert a.push("late@v1", data=True)["bytes"] == 0
    b.pull("late@v1", data=True)
    assert_same_version(pair)
    assert_same_model(pair)
