"""An endpoint whose minutes a test writes."""

# pyright: basic

from collections.abc import Iterator
from pathlib import Path

import pytest
from alert_bench import CONFIG, Bench
from support import engine_at


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = engine_at(tmp_path / "flights", CONFIG)
    yield Bench(engine)
    engine.store.close()
