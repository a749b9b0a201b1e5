"""The complaints, synced and linked, and the label jobs run in this very process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from korean import make_workspace

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(make_workspace(tmp_path / "민원실"))
    context = JobContext.for_test(opened.store)
    jobs.sync(context, {})
    jobs.link(context, {})
    yield opened
    opened.store.close()
