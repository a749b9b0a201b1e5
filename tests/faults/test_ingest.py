"""kill -9 at every single step of a sync: files, renames, fsyncs, statements and commits."""

import shutil
from itertools import count
from pathlib import Path

from ingest import kill_at, prepared, steps_of


def test_whatever_the_step_a_killed_sync_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "workspace")
    template = Path(shutil.copytree(folder, tmp_path / "template"))
    steps = steps_of(folder)
    assert steps > 40
    survived = next(step for step in count(1) if not kill_at(template, folder, step))
    assert survived > steps / 2
