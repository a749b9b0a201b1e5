# pyright: basic

"""A watch that is killed again and again trains for a cause once."""

import random
import subprocess
import sys
import time

import pytest

from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.retraining.ledger import act, events, listed

WATCH = """
import sys
from pathlib import Path
from lemnis.engine.config import load_config
from lemnis.engine.monitor.retraining.ledger import act
from lemnis.engine.store import Store
from lemnis.engine.workspace import find_workspace

store = Store(find_workspace(Path(sys.argv[1])))
print("ready", flush=True)
while True:
    act(store, load_config(store.workspace.config))
"""


@pytest.mark.slow
def test_a_watch_that_is_killed_trains_for_a_cause_once(until_november) -> None:
    flown, chance = until_november, random.Random(7)
    advance(flown.store, flown.config, "late", flown.room.windows("late"))
    for _ in range(10):
        watch = subprocess.Popen(
            [sys.executable, "-c", WATCH, str(flown.store.workspace.root)], stdout=subprocess.PIPE, text=True
        )
        assert watch.stdout is not None
        assert watch.stdout.readline() == "ready\n"
        time.sleep(chance.random() * 0.3)  # how far it came is to be anything
        watch.kill()
        watch.wait()
        watch.stdout.close()
        made, jobs = listed(flown.store), JobsRoom(flown.store).jobs()
        assert len(made) == len(jobs) <= 1
        assert [one.job_id for one in made] == [job.id for job in jobs]
        assert len([event for event in events(flown.store) if event.what == "queued"]) == len(made)
    act(flown.store, flown.config)
    assert len(listed(flown.store)) == 1
