"""A tracking server for the tests of a file, and the real client."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tracking_server import Served, run_client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("tracking") / "workspace")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(served: Served) -> Callable[..., str]:
    def run(script: str, *arguments: str) -> str:
        return run_client(Path(__file__).parent / script, served.url, *arguments)

    return run
