"""Fixtures of the experiments' tests: a workspace with the small problem, and training in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version
from lemnis.engine.experiments import Run


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "workspace")
    yield opened
    opened.store.close()


@pytest.fixture
def version(engine: Engine) -> Version:
    return engine.data.version()


@pytest.fixture
def trained(engine: Engine) -> Callable[..., Run]:
    """Start a run, train it in this process, and return it."""

    def train_now(preset: str | None = None, **wishes: object) -> Run:
        return do_train(engine, engine.experiments.start(preset, **wishes))  # type: ignore[arg-type]

    return train_now
