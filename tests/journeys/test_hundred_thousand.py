"""From 100,000 runs to two of them compared, with significance, by a handful of keys in a real terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import CONFIG, SPLIT, do_train, flights
from tmux import ROOT, Tmux, lemnis

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.workspace import Workspace

sys.path.insert(0, str(ROOT / "tests" / "bench"))
from many_runs import fill

pytestmark = pytest.mark.slow
RUNS = 100_000
RECORDING = ROOT / "build" / "compare-two-of-100000-runs.txt"
# Each key, and what has to be on the screen before the next one is pressed.
SESSION = (
    ("6", ("Runs 100,002", "100002", "100001")),
    ("Space", ("✓● finished     100002",)),
    ("Space", ("✓● finished     100001",)),
    ("c", ("Compare 2 runs", "roc_auc")),
    ("2", ("DeLong", "paired bootstrap", "p (Holm)", "<0.001")),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace with 100,000 runs, and two more whose answers to the same rows are kept."""
    root = tmp_path / "runs"
    filled = fill(root, RUNS)
    filled.workspace.config.write_text(CONFIG.format(task="binary"))
    filled.store.close()
    engine = Engine(Workspace(root))
    roles = {"id": "key", "at": "time", "late": "label"}
    record_version(engine.store, flights(4000), name="small", roles=roles, split=SPLIT)
    for overrides in ({}, {"num_leaves": 31, "learning_rate": 0.5}):
        do_train(engine, engine.experiments.start(overrides=overrides))
    yield root
    engine.jobs.stop_supervisor()
    engine.store.close()


def test_two_of_a_hundred_thousand_runs_are_compared_with_significance_by_five_keys(workspace: Path) -> None:
    terminal = Tmux(lemnis("-w", str(workspace)), 160, 48)
    try:
        recorded = [terminal.shows("Experiments", "engine ● up")]
        for key, wanted in SESSION:
            terminal.keys(key)
            recorded.append(f"\n――― key {key} ―――\n{terminal.shows(*wanted)}")
    finally:
        terminal.close()
    assert len(SESSION) <= 8
    RECORDING.parent.mkdir(exist_ok=True)
    RECORDING.write_text("".join(recorded), encoding="utf-8")
