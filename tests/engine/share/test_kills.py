"""A transfer that is killed leaves nothing half visible; `make faults` kills it at every step there is."""

import shutil
from pathlib import Path

import pytest
from transfers import Way, kill_at, prepared, steps_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("way", ["push", "pull"])
def test_a_transfer_that_is_killed_leaves_nothing_half_visible(tmp_path: Path, way: Way) -> None:
    root = prepared(tmp_path / "both", way)
    template = Path(shutil.copytree(root, tmp_path / "template"))
    steps = steps_of(way, root / ("ours" if way == "push" else "theirs"))
    assert steps > 20
    for step in (steps // 3, steps * 4 // 5):
        assert kill_at(template, root, way, step)
