"""kill -9 of the watch in the middle of counting: every row is counted once, in each of its parts."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from served import START_MS, served
from support import until

ROWS, KILLS = 20_000, 20
WATCH = """
import sys
from pathlib import Path
from lemnis.engine.monitor import counting, watch, windows
counting.PAGE, counting.PAGES = 200, 2
watch.EVERY_S = 0.01
windows.follow_windows = lambda *_, **__: False  # the model behind the rows is made up
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
