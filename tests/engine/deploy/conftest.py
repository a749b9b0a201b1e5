"""Models and workspaces that tests of the deployment share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from late_flights import CONFIG, Bench, Server, Trained, bench_at, end, spawn, train, until

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace


@pytest.fixture(scope="session")
def first_model(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("models") / "first", seed=1)


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("models") / "second", seed=2, rounds=20)


@pytest.fixture
def make_bench(tmp_path: Path, first_model: Trained) -> Callable[..., Bench]:
    def make(config: str = CONFIG) -> Bench:
        return bench_at(tmp_path, first_model, config)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory, first_model: Trained, second_model: Trained) -> Bench:
    """A workspace with two versions, the first of them champion; made once, copied by `two_versions`."""
    bench = bench_at(tmp_path_factory.mktemp("registered"), first_model)
    for model in (first_model, second_model):
        bench.room.register(bench.add_run(model), "late", "ada", "to serve")
    bench.room.promote("late", 1, "champion", "ada", "first")
    bench.store.close()
    return bench


@pytest.fixture
def two_versions(tmp_path: Path, registered: Bench) -> Bench:
    """A workspace of one's own with two versions, the first of them champion."""
    shutil.copytree(registered.store.workspace.root, tmp_path / "workspace")
    store = Store(Workspace(tmp_path / "workspace"))
    return Bench(store, DeployRoom(store), registered.version_id)


@pytest.fixture
def wait() -> Callable[..., None]:
    return until


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start servers that are ended with the test."""
    started: list[Server] = []

    def start(bench: Bench, **options: Any) -> Server:
        started.append(spawn(bench, **options))
        return started[-1]

    yield start
    for server in started:
        end(server)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, registered: Bench) -> Iterator[Server]:
    """One ready server of the first model for the tests of a module that only ask."""
    root = tmp_path_factory.mktemp("served") / "workspace"
    shutil.copytree(registered.store.workspace.root, root)
    store = Store(Workspace(root))
    running = spawn(Bench(store, DeployRoom(store), registered.version_id))
    try:
        running.wait_ready(1)
        yield running
    finally:
        end(running)
