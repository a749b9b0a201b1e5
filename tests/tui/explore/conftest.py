"""A workspace with one small version, whose names and values try to be markup and escape codes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.explore import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

ROWS = 900
START = datetime(2013, 1, 1, tzinfo=UTC)


def trips(rows: int = ROWS) -> pa.Table:
    late = [None if row % 10 == 0 else row % 4 == 0 for row in range(rows)]
    return pa.table(
        {
            "id": list(range(rows)),
            "at": pa.array([START + timedelta(hours=row) for row in range(rows)], pa.timestamp("us", tz="UTC")),
            "delay": pa.array([float(row % 60 + (40 if row % 4 == 0 else 0)) for row in range(rows)]),
            "carrier": [("UA", "B6", "[bold]\x1b[2J")[row % 3] for row in range(rows)],
            "gust": pa.array([None if row % 2 else row % 7 for row in range(rows)]),
            "[/x]": [1] * rows,
            "late": late,
        }
    )


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    """The version, not measured yet."""
    engine = Engine(create_workspace(tmp_path / "box", ""))
    roles = {"late": "label", "at": "time", "id": "key"}
    record_version(engine.store, trips(), name="trips", roles=roles, split={}, now=1)
    yield engine
    engine.store.close()


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """The version and its profile."""
    jobs.profile(JobContext.for_test(bare.store), {})
    return bare
