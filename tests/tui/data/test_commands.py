import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine import Engine
from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted

CONFIG = """
[dataset]
name = "pairs"
base = "left"
[[dataset.links]]
source = "right"
on = { k = "k" }
prefix = "r_"
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
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    sources = '[sources.left]\npath = "left.csv"\n[sources.right]\npath = "right.csv"\n'
    workspace = create_workspace(tmp_path / "w", sources + CONFIG)
    (workspace.root / "left.csv").write_text("k,x\na,1\nb,2\n")
    (workspace.root / "right.csv").write_text("k,z\na,5\n")
    yield Shell(workspace.root, capsys)
    Engine(workspace).jobs.stop_supervisor()


def test_sources_are_synced_and_linked_in_workers_and_all_of_it_is_listed(shell: Shell) -> None:
    done = shell.json("data", "sync")
    assert [(source["source"], source["rows"], source["new"]) for source in done["sources"]] == [
        ("left", 2, True),
        ("right", 1, True),
    ]
    assert {source["state"] for source in shell.json("data", "sources")["sources"]} == {"ready"}
    assert len(shell.json("data", "snapshots", "left")["snapshots"]) == 1
    made = shell.json("data", "link")
    assert (made["name"], made["number"], made["rows"]) == ("pairs", 1, 2)
    assert shell.json("data", "versions")["versions"][0]["id"] == made["version"]
    shown = shell.json("data", "show", "1")
    assert shown["links"][0]["match_rate"] == 0.5
    assert shown["links"][0]["orphan_sample"] == [{"key": ["b"], "rows": 1}]
    for command in (["sources"], ["snapshots"], ["versions"], ["show"]):
        code, out, _ = shell("data", *command)
        assert code == 0
        assert out


def test_a_worker_that_refuses_a_source_ends_the_command_with_its_reason(shell: Shell) -> None:
    (shell.root / "left.csv").write_text("k,x\na,1,9\n")
    code, out, err = shell("data", "sync", "left")
    assert (code, out) == (3, "")
    assert "3 cells where the header has 2" in err


def test_a_source_is_declared_with_the_format_of_its_name(shell: Shell) -> None:
    (shell.root / "more.jsonl").write_text('{"a": 1}\n')
    added = shell.json("data", "add", "more", "more.jsonl")
    assert (added["name"], added["source"]["format"]) == ("more", "jsonl")
    assert '[sources.more]\npath = "more.jsonl"\nformat = "jsonl"' in (shell.root / "lemnis.toml").read_text()
    code, _, err = shell("data", "add", "more", "more.jsonl")
    assert code == 2
    assert "already" in err


def test_a_source_whose_file_is_missing_is_not_declared(shell: Shell) -> None:
    before = (shell.root / "lemnis.toml").read_text()
    assert shell("data", "add", "lost", "lost.csv")[0] == 2
    assert (shell.root / "lemnis.toml").read_text() == before


def test_nothing_to_show_is_said_as_an_error_with_the_next_step(shell: Shell) -> None:
    code, _, err = shell("data", "show")
    assert code == 2
    assert "lemnis data link" in err


@pytest.mark.parametrize("command", ["preview", "add", "sync", "link", "sources", "snapshots", "versions", "show"])
def test_every_command_describes_its_document(shell: Shell, command: str) -> None:
    code, out, _ = shell("data", command, "--help")
    assert code == 0
    assert "With --json: {" in out


@pytest.mark.slow
def test_a_file_is_looked_at_before_it_is_added_and_its_dialect_is_written_down(shell: Shell) -> None:
    (shell.root / "고객.csv").write_bytes("이름;값\n김;1,5\n".encode("cp949"))
    found = shell.json("data", "preview", "고객.csv")
    assert (found["source"]["encoding"], found["rows"]) == ("cp949", [["김", "1.5"]])
    code, out, _ = shell("data", "preview", "고객.csv")
    assert code == 0
    assert "semicolons" in out
    assert "이름 varchar" in out
    added = shell.json("data", "add", "customers", "고객.csv")
    assert added["because"]
    declared = (shell.root / "lemnis.toml").read_text()
    assert 'delimiter = ";"\nencoding = "cp949"\ndecimal = ","' in declared
    assert [(s["rows"], s["new"]) for s in shell.json("data", "sync", "customers")["sources"]] == [(1, True)]


def test_a_file_that_a_sync_would_refuse_ends_the_preview_with_1(shell: Shell) -> None:
    (shell.root / "bad.csv").write_text("a,b\n1\n")
    code, out, _ = shell("data", "preview", "bad.csv")
    assert code == 1
    assert "1 cells where the header has 2" in out


def test_sources_say_when_they_are_due(shell: Shell) -> None:
    plan = '[[problem.acquisition]]\nsource = "left"\ncadence = "daily"\n'
    (shell.root / "lemnis.toml").write_text(plan + (shell.root / "lemnis.toml").read_text())
    shell.json("data", "sync", "left")
    left, right = shell.json("data", "sources")["sources"]
    assert (left["cadence"], left["late"], left["next_sync_at"], right["cadence"]) == ("daily", False, None, None)
    assert left["due_at"] > left["synced_at"]
