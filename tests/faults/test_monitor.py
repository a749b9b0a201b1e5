"""The watch killed, stopped for a while, or under a clock of its own: every row is counted once and nothing is told."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from served import START_MS, Served, served
from support import until

from lemnis.engine.clock import now_ms
from lemnis.engine.monitor import MonitorRoom, room

ROWS, KILLS = 20_000, 20
WATCH = """
import sys
from pathlib import Path
from lemnis.engine.monitor import counting, watch
counting.PAGE, counting.PAGES = 200, 2
watch.EVERY_S = 0.01
sys.argv = ["watch", "--workspace", sys.argv[1]]
sys.exit(watch.main())
"""


def test_a_watch_that_is_killed_again_and_again_counts_every_row_once(tmp_path: Path) -> None:
    made = served(tmp_path / "workspace", 4)
    chance = random.Random(3)
    matrix = np.random.default_rng(2).normal(size=(ROWS, 4))
    made.log(matrix, [START_MS + place * 1_000 for place in range(ROWS)])

    def counted() -> int:
        return made.store.value("select coalesce(max(prediction_id), 0) from monitor_cursors") or 0

    kills = 0
    while counted() < ROWS:
        begun = counted()
        process = subprocess.Popen([sys.executable, "-c", WATCH, str(made.store.workspace.root)])
        try:
            if kills < KILLS:
                until(lambda: counted() > begun)  # noqa: B023
                time.sleep(chance.random() * 0.05)
            else:
                until(lambda: counted() >= ROWS, 120)
        finally:
            process.kill()
            process.wait()
        kills += 1
        totals = made.rows_by_tier()
        assert totals["day"] == totals["hour"] == counted()
    assert kills > KILLS / 2
    assert made.store.value("select sum(rows) from monitor_windows") == ROWS
    assert made.store.value("pragma integrity_check") == "ok"


FOREIGN = ["unshare", "--time", "--monotonic", "86400", "--fork", "--kill-child"]  # its monotonic clock is a day ahead


def log(made: Served, rows: int, seed: int) -> None:
    """Log rows of the day that training rows are like."""
    matrix = np.random.default_rng(seed).normal(size=(rows, made.features))
    made.log(matrix, [START_MS + seed * 60_000 + place for place in range(rows)])


@contextmanager
def watching(made: Served, under: list[str] | None = None) -> Generator["subprocess.Popen[bytes]"]:
    """Run the watch while the block lasts."""
    process = subprocess.Popen([*(under or []), sys.executable, "-c", WATCH, str(made.store.workspace.root)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows_seen(made: Served) -> int:
    return made.store.value("select coalesce(sum(rows), 0) from monitor_windows") or 0


def test_a_watch_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = served(tmp_path / "workspace", 4)
    monitor = MonitorRoom(made.store)
    log(made, 300, 1)
    with watching(made) as process:
        until(lambda: rows_seen(made) == 300 and monitor.status().watching)
        process.send_signal(signal.SIGSTOP)
        log(made, 300, 2)
        with monkeypatch.context() as patch:
            patch.setattr(room, "STALE_MS", 200)
            until(lambda: not monitor.status().watching)
        process.send_signal(signal.SIGCONT)
        until(lambda: rows_seen(made) == 600 and monitor.status().watching)
    assert made.rows_by_tier()["day"] == 600
    assert monitor.alerts(open_only=False) == []


@pytest.mark.slow
def test_a_watch_whose_monotonic_clock_is_a_day_ahead_tells_the_right_age(tmp_path: Path) -> None:
    if subprocess.run([*FOREIGN, "true"], check=False, capture_output=True).returncode:
        pytest.skip("time namespaces need rights that are missing here")
    made = served(tmp_path / "workspace", 4)
    monitor = MonitorRoom(made.store)
    log(made, 300, 1)
    with watching(made, FOREIGN):
        until(lambda: rows_seen(made) == 300 and monitor.status().watching)
        assert abs(now_ms() - (monitor.status().at or 0)) < room.STALE_MS
    log(made, 300, 2)
    with watching(made):
        until(lambda: rows_seen(made) == 600)
    assert monitor.alerts(open_only=False) == []
