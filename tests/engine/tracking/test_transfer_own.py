"""Versions that Lemnis registered go out with their runs, as a registry that MLflow's own client loads them from."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import do_train, make_engine
from support import engine_at
from tracking_server import Served, run_client

from lemnis.engine import Engine
from lemnis.engine.tracking.clients import folder_of
from lemnis.engine.tracking.transfer.registered import registered_models
from lemnis.engine.workspace import Workspace


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two versions of one model, a linear one and a constant; the first has an alias."""
    engine = make_engine(tmp_path_factory.mktemp("own") / "workspace")
    for algorithm in ("linear", "constant"):
        run = do_train(engine, engine.experiments.start(overrides={"algorithm": algorithm}))
        engine.deploy.register(run.id, "late", "ana", f"the {algorithm} one")
    engine.deploy.promote("late", 1, "champion", "ana", "first", force=True)
    engine.store.close()
    return engine.workspace.root


@pytest.fixture
def here(template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copytree(template, tmp_path / "here")
    engine = Engine(Workspace(tmp_path / "here"))
    yield engine
    engine.store.close()


def test_a_folder_has_the_versions_whose_runs_it_has(here: Engine, tmp_path: Path) -> None:
    assert here.tracking.export_runs(tmp_path / "one", [2]).registered == 1
    assert [path.name for path in (tmp_path / "one" / "models" / "late").glob("version-*")] == ["version-2"]
    assert list((tmp_path / "one" / "models" / "late" / "aliases").iterdir()) == []
    assert here.tracking.export_runs(tmp_path / "mlruns", [1, 2]).registered == 2
    there = engine_at(tmp_path / "there")
    done = there.tracking.import_runs(str(tmp_path / "mlruns"))
    assert (done.registered, done.missing) == (2, [])
    (model,) = registered_models(there.store)
    assert (model.name, model.aliases) == ("late", {"champion": 1})
    assert [(one.version, one.user, one.description) for one in model.versions] == [
        (1, "ana", "the linear one"),
        (2, "ana", "the constant one"),
    ]
    version = here.deploy.version("late", 1)
    assert model.versions[0].tags["lemnis.sha256"] == version.sha256
    assert model.versions[0].tags["lemnis.gates"] == version.verdict
    assert (folder_of(there.store, "late", 1) / "data" / "model.txt").read_bytes() == version.path.read_bytes()
    there.store.close()


def test_a_server_gets_each_version_once_and_one_that_came_later_too(
    served: Served, here: Engine, tmp_path: Path
) -> None:
    first = here.tracking.send_runs(served.url, [1])
    assert (first.runs, first.registered, first.missing) == (1, 1, [])
    both = here.tracking.send_runs(served.url, [1, 2])
    assert (both.runs, both.known, both.registered) == (1, 1, 1)
    here.deploy.promote("late", 2, "champion", "ana", "second", force=True)
    again = here.tracking.send_runs(served.url, [1, 2])
    assert (again.registered, again.files) == (0, 0)
    (model,) = registered_models(served.engine.store)
    assert (model.aliases, [one.version for one in model.versions]) == ({"champion": 2}, [1, 2])
    assert (folder_of(served.engine.store, "late", 2) / "MLmodel").is_file()


def test_a_version_that_has_no_directory_is_left_out_with_its_reason(here: Engine, tmp_path: Path) -> None:
    path = here.deploy.version("late", 2).path
    path.chmod(0o600)
    path.write_bytes(b"damaged")
    done = here.tracking.export_runs(tmp_path / "mlruns", [1, 2])
    assert done.registered == 1
    assert [text for text in done.missing if text.startswith("late 2: ")]


@pytest.mark.slow
def test_the_real_client_loads_them_from_the_folder_by_alias(here: Engine, tmp_path: Path) -> None:
    here.tracking.export_runs(tmp_path / "mlruns", [1, 2])
    golden = tmp_path / "here" / ".lemnis" / "exports"
    path = next(golden.glob("late-1-*")) / "data" / "golden.json"
    run_client(Path(__file__).parent / "client_own.py", f"file://{tmp_path / 'mlruns'}", str(path))
