"""Two workspaces and what can be shared between them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sharing import Desk, Pair, make_things
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.workspace import Workspace


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_things(tmp_path_factory.mktemp("made") / "ours")


@pytest.fixture
def pair(made: Path, tmp_path: Path) -> Iterator[Pair]:
    """A copy of the made workspace, and an empty one."""
    shutil.copytree(made, tmp_path / "ours")
    first = Engine(Workspace(tmp_path / "ours"))
    second = engine_at(tmp_path / "theirs")
    yield Pair(Desk(first), Desk(second))
    first.store.close()
    second.store.close()
