"""A sweep outlives whatever is killed: no trial is lost, none is counted twice, none begins again."""

import os
import random
import signal

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.experiments.sweep import Sweep, Wishes
from lemnis.engine.experiments.sweep.trials import MOST_ATTEMPTS
from lemnis.engine.jobs import Job

KILLS = int(os.environ.get("LEMNIS_KILLS", "10"))
TRIALS, ROUNDS = max(10, KILLS), 600
VICTIMS = ("training", "driver", "supervisor")


def begun(engine: Engine) -> Sweep:
    wishes = Wishes(
        name="s",
        space=["num_leaves=4..31:log", "learning_rate=0.02..0.3:log"],
        overrides={"rounds": ROUNDS},
        trials=TRIALS,
        parallel=2,
        pruner="none",
    )
    sweep = engine.sweeps.start(wishes=wishes)
    engine.jobs.ensure_supervisor()
    return sweep


def changes(engine: Engine, count: int) -> None:
    """Wait until so many commits of others were seen, or the sweep has ended."""
    seen: list[int] = []

    def moved() -> bool:
        version = engine.store.data_version()
        if seen[-1:] != [version]:
            seen.append(version)
        return len(seen) > count or engine.sweeps.sweep("s").state != "running"

    until(moved, 120.0)


def live(engine: Engine, victim: str) -> list[int]:
    """Return the processes that may be killed now; a trial that is lost too often is given up, with its reason."""
    if victim == "supervisor":
        pid = engine.jobs.status().pid
        return [pid] if pid else []
    kind = {"training": "experiments.train", "driver": "experiments.sweep"}[victim]
    jobs: list[Job] = engine.jobs.jobs(states=("running",))
    often = MOST_ATTEMPTS if victim == "training" else KILLS
    return [job.identity.pid for job in jobs if job.kind == kind and job.identity is not None and job.attempts < often]


def kill(engine: Engine, victim: str, chance: random.Random) -> bool:
    """Kill one process of a kind if there is one; say whether."""
    pids = live(engine, victim)
    if not pids:
        return False
    chosen = chance.choice(pids)
    try:
        os.kill(chosen, signal.SIGKILL)
    except ProcessLookupError:
        return False
    until(lambda: engine.jobs.status().pid != chosen)  # the kernel takes a moment to free what it held
    engine.jobs.ensure_supervisor()
    return True


@pytest.mark.parametrize("seed", range(int(os.environ.get("LEMNIS_SEEDS", "1"))))
def test_kills_of_anything_at_random_moments_lose_no_trial(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    begun(engine)
    killed: list[str] = []
    while len(killed) < KILLS and engine.sweeps.sweep("s").state == "running":
        changes(engine, chance.randrange(1, 25))
        victim = chance.choice(VICTIMS)
        if kill(engine, victim, chance):
            killed.append(victim)
    assert len(killed) >= min(KILLS, 5) if KILLS <= 10 else len(killed) == KILLS, killed
    until(lambda: engine.sweeps.sweep("s").state != "running", 400.0)
    sweep, trials = engine.sweeps.sweep("s"), engine.sweeps.trials("s")
    assert (sweep.state, sweep.counts) == ("finished", {"finished": TRIALS}), (killed, sweep.why, trials)
    assert [trial.number for trial in trials] == list(range(1, TRIALS + 1))
    runs = [engine.experiments.run(trial.run_id or 0) for trial in trials]
    assert len({run.id for run in runs}) == TRIALS == engine.store.value("select count(*) from runs")
    assert engine.store.value("select count(*) from jobs where kind = 'experiments.train'") == TRIALS
    for trial, run in zip(trials, runs, strict=True):
        assert (run.state, run.rounds_done, trial.values) == ("finished", ROUNDS, [run.metrics["auc"]])
        steps = engine.store.rows(
            "select step from metric_points where run_id = ? and key = 'auc' order by step", [run.id], name="metrics"
        )
        assert [row["step"] for row in steps] == list(range(1, ROUNDS + 1)), killed
