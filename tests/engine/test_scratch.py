"""The scratch folders of a killed process are swept by the next one; those of others and of the living stay."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lemnis.engine.jobs.processes import Identity, identity_of
from lemnis.engine.scratch import owner_prefix, scratch_folder, sweep_scratch

MADE = "from lemnis.engine.scratch import scratch_folder as f; a = f(); print(a.name, flush=True); input()"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_only_what_a_killed_process_left_goes(place: Path) -> None:
    (place / "lemnis-rows-abcdefgh").mkdir()  # by a Lemnis that did not write its name down
    (place / "something else").mkdir()
    with scratch_folder() as own:
        child = subprocess.Popen(
            [sys.executable, "-c", MADE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"TMPDIR": str(place)},
        )  # fmt: skip
        assert child.stdout
        theirs = Path(child.stdout.readline().strip())
        (theirs / "spilled.tmp").write_bytes(b"rows")
        assert sweep_scratch() == []
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert theirs.exists()
        assert sweep_scratch() == [theirs]
        assert not theirs.exists()
        assert Path(own).exists()
    assert sorted(path.name for path in place.iterdir()) == ["lemnis-rows-abcdefgh", "something else"]


def test_a_pid_that_was_given_to_another_process_does_not_keep_a_folder(place: Path) -> None:
    me = identity_of(os.getpid())
    assert me is not None
    before, elsewhere = place / f"{owner_prefix(Identity(me.pid, me.started_ticks - 1, me.boot_id))}x", place / "home"
    rebooted = place / f"{owner_prefix(Identity(me.pid, me.started_ticks, 'f' * 36))}x"
    for path in (before, rebooted, elsewhere):
        path.mkdir()
    link = place / f"{owner_prefix(Identity(me.pid, 1, me.boot_id))}link"
    link.symlink_to(elsewhere)
    assert sorted(sweep_scratch()) == sorted([before, rebooted])
    assert elsewhere.exists()
    shutil.rmtree(elsewhere)
