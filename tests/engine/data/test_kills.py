"""A sync that is killed leaves the old state or the new; `make faults` kills it at every step there is."""

import shutil
from pathlib import Path

import pytest
from ingest import kill_at, prepared, steps_of

pytestmark = pytest.mark.slow


def test_a_sync_that_is_killed_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "workspace")
    template = Path(shutil.copytree(folder, tmp_path / "template"))
    steps = steps_of(folder)
    assert steps > 40
    for step in (steps // 5, steps // 2, steps * 9 // 10):
        assert kill_at(template, folder, step)
