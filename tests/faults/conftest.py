"""A workspace with a table that takes long enough to learn from that there is time to kill things."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.processes import send_signal
from lemnis.engine.workspace import create_workspace

ROUNDS = 6000
CONFIG = f"""
[problem]
question = "Will it?"
target = "late"
[presets.default]
rounds = {ROUNDS}
cores = 1
parameters = {{ num_leaves = 15, learning_rate = 0.02 }}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine whose workspace has one dataset version; whatever it started is stopped afterwards."""
    opened = Engine(create_workspace(tmp_path / "workspace", CONFIG))
    generator = np.random.default_rng(7)
    rows = 40_000
    first = datetime(2026, 1, 1, tzinfo=UTC)
    columns = {f"x{number}": generator.normal(size=rows) for number in range(8)}
    score = columns["x0"] + columns["x1"] * columns["x2"] + generator.normal(size=rows)
    table = pa.table(
        {
            **columns,
            "late": pa.array(score > 0.5),
            "at": pa.array([first + timedelta(minutes=row) for row in range(rows)], pa.timestamp("ms", "UTC")),
        }
    )
    record_version(
        opened.store,
        table,
        name="rows",
        roles={"late": "label", "at": "time"},
        split={"train": ("2026-01-01", "2026-01-22"), "validation": ("2026-01-22", "2026-02-01")},
    )
    yield opened
    opened.jobs.stop_supervisor()
    for job in opened.jobs.jobs(states=("preparing", "running")):
        if job.identity is not None:
            with suppress(ProcessLookupError):
                send_signal(job.identity, signal.SIGKILL, group=True)
    opened.store.close()
