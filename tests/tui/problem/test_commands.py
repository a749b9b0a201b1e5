import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted

CONFIG = """
[problem]
title = "Late flights" # short
target = "late"
[problem.value]
true_positive = 240.0
false_positive = -60.0
[[problem.acquisition]]
source = "flights"
expected_rows = 100
"""


class Shell:
    """Runs `lemnis -w …` in this process and returns code, output and errors."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = run(hoisted(["-w", str(self.root), *arguments]))
        out, err = self.capsys.readouterr()
        return code, out, err

    def json(self, *arguments: str) -> Any:
        code, out, _ = self(*arguments, "--json")
        assert code == 0
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(create_workspace(tmp_path / "w", CONFIG).root, capsys)


def test_the_problem_is_shown_as_text_and_as_a_document(shell: Shell) -> None:
    code, out, _ = shell("problem", "show")
    assert code == 0
    assert "Late flights" in out
    assert "$240" in out
    document = shell.json("problem", "show")
    assert document["problem"]["value"]["false_positive"] == -60.0
    assert document["break_even"] == 0.2


def test_a_key_is_set_with_a_reason_and_the_history_tells(shell: Shell) -> None:
    assert shell.json("problem", "set", "threshold", "0.3", "--why", "cheaper") == {"changed": True}
    newest, oldest = shell.json("problem", "history")["changes"]
    assert (newest["why"], oldest["why"]) == ("cheaper", "as it was first found")
    assert newest["differences"] == [{"key": "threshold", "before": "0.5", "after": "0.3"}]
    assert "# short" in (shell.root / "lemnis.toml").read_text()
    code, out, _ = shell("problem", "history")
    assert code == 0
    assert "threshold: 0.5 → 0.3" in out


def test_a_bad_value_is_refused_with_its_line(shell: Shell) -> None:
    code, out, err = shell("problem", "set", "threshold", "3")
    assert (code, out) == (2, "")
    assert "where: lemnis.toml:" in err


def test_counts_are_turned_into_money(shell: Shell) -> None:
    assert shell.json("problem", "value", "--tp", "10", "--fp", "5")["money"] == 2100.0
    assert shell.json("problem", "value")["money"] is None
    assert "$2,100" in shell("problem", "value", "--tp", "10", "--fp", "5")[1]


def test_the_plan_says_what_has_not_arrived(shell: Shell) -> None:
    (line,) = shell.json("problem", "plan")["plan"]
    assert (line["source"], line["state"], line["rows"]) == ("flights", "waiting", None)
    assert "nothing arrived yet" in shell("problem", "plan")[1]


def editor(shell: Shell, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    script = shell.root / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        f"path = pathlib.Path(sys.argv[1])\npath.write_text(path.read_text().replace({old!r}, {new!r}))\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")


def test_an_edit_is_taken_over(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(shell, monkeypatch, "Late flights", "Very late flights")
    assert shell.json("problem", "edit", "--why", "clearer") == {"changed": True}
    assert shell.json("problem", "show")["problem"]["title"] == "Very late flights"
    assert shell.json("problem", "edit") == {"changed": False}


def test_an_edit_that_would_not_be_read_changes_nothing_and_the_text_is_kept(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(shell, monkeypatch, "240.0", "lots")
    code, _, err = shell("problem", "edit")
    assert code == 2
    assert "where: lemnis.toml:" in err
    (draft,) = (shell.root / ".lemnis").glob("draft.*")
    assert str(draft) in err
    assert "lots" in draft.read_text()
    assert "240.0" in (shell.root / "lemnis.toml").read_text()


@pytest.mark.parametrize("command", ["show", "edit", "set", "history", "value", "plan"])
def test_every_command_describes_its_document(shell: Shell, command: str) -> None:
    code, out, _ = shell("problem", command, "--help")
    assert code == 0
    assert "With --json: {" in out
