"""Shell completion and the manual page, by the shells and readers that people have."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import engine_at

from lemnis.tui.commands.group import GROUPS, run


def completed(line: str, folder: Path) -> list[str]:
    """Return what bash would offer after `line`."""
    environment = os.environ | {
        "_LEMNIS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")),
    }  # fmt: skip
    command = [sys.executable, "-m", "lemnis.tui"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_commands_options_and_names_are_completed(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    with engine.store.write() as db:
        db.execute("insert into runs (id, name, state, created_at) values (31, 'nightly', 'queued', 1)")
        db.execute("insert into models (name, created_at) values ('late', 1)")
    engine.store.close()
    assert completed("lemnis ru", tmp_path) == ["run", "runs"]
    assert completed("lemnis runs list --li", tmp_path) == ["--limit"]
    assert completed("lemnis runs show 3", tmp_path) == ["31"]
    assert completed("lemnis models history la", tmp_path) == ["late"]
    assert completed("lemnis runs show 3", tmp_path.parent) == []  # no workspace, and no complaint


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_LEMNIS_COMPLETE=complete_{shell}" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True, capture_output=True, check=False).returncode == 0


def test_the_manual_has_every_command_and_no_broken_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["man"]) == 0
    page = capsys.readouterr().out
    for name in GROUPS:
        assert re.search(rf"^\.SS lemnis {name}\b", page, re.M), name
    assert {line.split()[0] for line in page.splitlines() if line.startswith(".")} <= {
        ".TH", ".SH", ".SS", ".PP", ".TP", ".B"
    }  # fmt: skip
    if shutil.which("groff"):
        done = subprocess.run(
            ["groff", "-man", "-Kutf8", "-Tutf8", "-ww"], input=page, text=True, capture_output=True, check=False
        )
        assert done.stderr == ""
        assert "lemnis runs compare" in re.sub(".\x08", "", done.stdout)  # bold is a letter struck twice
