"""A workspace with one dataset version of every type that exploration meets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lemnis.engine.data import Version
from lemnis.engine.data.versions import record_version
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

ROWS = 70_000  # more than one row group


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder: Path = tmp_path_factory.mktemp("workspace")
    return Store(create_workspace(folder, ""))


@pytest.fixture(scope="module")
def table() -> pa.Table:
    random = np.random.default_rng(1)
    late = random.random(ROWS) < 0.25
    start = datetime(2013, 1, 1, tzinfo=UTC)
    delay = np.where(late, random.exponential(60, ROWS) + 16, random.normal(0, 8, ROWS))
    gust = [None if (is_late and place % 2) else float(place % 30) for place, is_late in enumerate(late)]
    return pa.table(
        {
            "id": pa.array(range(ROWS)),
            "at": pa.array([start + timedelta(minutes=5 * row) for row in range(ROWS)], pa.timestamp("us", tz="UTC")),
            "delay": pa.array(delay),
            "gust": pa.array(gust),
            "odd": pa.array([None, float("nan"), float("inf"), 1.0] * (ROWS // 4)),
            "same": pa.array([7] * ROWS),
            "carrier": pa.array(random.choice(["UA", "B6", "EV"], ROWS, p=[0.5, 0.3, 0.2])),
            "tail": pa.array([None if row % 50 == 0 else f"N{row % 600}" for row in range(ROWS)]),
            "parts": pa.array([[row % 3] for row in range(ROWS)]),
            "none": pa.nulls(ROWS, pa.string()),
            "[/x]\x1b": pa.array(["[bold]\x1b[2J"] * ROWS),
            "late": pa.array([None if row % 100 == 0 else bool(value) for row, value in enumerate(late)]),
        }
    )


@pytest.fixture(scope="module")
def version(store: Store, table: pa.Table) -> Version:
    return record_version(store, table, name="trips", roles={"late": "label", "at": "time", "id": "key"}, split={})
