"""kill -9 at every single step of a sync: files, renames, fsyncs, statements and commits."""

import shutil
from pathlib import Path

from ingest import kill_at, prepared, steps_of


def test_whatever_the_step_a_killed_sync_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "workspace")
    template = Path(shutil.copytree(folder, tmp_path / "template"))
    steps = steps_of(folder)
    assert steps > 40
    for step in range(1, steps + 1):
        kill_at(template, folder, step)
