"""kill -9 at every single step of a push and of a pull: blocks, renames, fsyncs, statements and commits."""

import shutil
from itertools import count
from pathlib import Path

import pytest
from transfers import Way, kill_at, prepared, steps_of


@pytest.mark.parametrize("way", ["push", "pull"])
def test_whatever_the_step_a_killed_transfer_leaves_the_old_state_or_the_new(tmp_path: Path, way: Way) -> None:
    root = prepared(tmp_path / "both", way)
    template = Path(shutil.copytree(root, tmp_path / "template"))
    steps = steps_of(way, root / ("ours" if way == "push" else "theirs"))
    survived = next(step for step in count(1) if not kill_at(template, root, way, step))
    assert survived > steps / 2
