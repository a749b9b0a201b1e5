"""`lemnis features`: its documents, its refusals and its exit codes."""

import json
from typing import Any

import pytest

from lemnis.engine import Engine
from lemnis.tui.commands.group import run


def lemnis(engine: Engine, *arguments: str) -> int:
    return run(["-w", str(engine.workspace.root), *arguments])


def document(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert lemnis(engine, "--json", *arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_select_and_sets_tell_the_same_story(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    kept = document(engine, capsys, "features", "select", "hour", "wind", "--name", "calm", "--why", "no leaks")
    assert (kept["name"], kept["features"], kept["why"]) == ("calm", ["hour", "wind"], "no leaks")
    sets = document(engine, capsys, "features", "sets")["sets"]
    assert [one["name"] for one in sets] == ["calm", "base"]
    assert sets[1]["at"] is None


def test_a_set_is_changed_by_what_is_added_and_taken_out(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    document(engine, capsys, "features", "select", "+delay", "^wind")
    assert engine.features.feature_set().features == ["hour", "delay"]


def test_what_goes_together_is_listed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = document(engine, capsys, "features", "associate", "hour", "--limit", "1")["pairs"]
    assert pairs == [{"first": "hour", "second": "delay", "association": 0.77, "measure": "spearman"}]
    assert lemnis(engine, "features", "associate") == 0
    shown = capsys.readouterr().out
    assert "correlation ratio" in shown
    assert "on 20,000 of 336,776 rows" in shown
    assert document(engine, capsys, "features", "associate", "--measure", "pearson")["pairs"] == []


def test_a_column_that_is_not_there_is_bad_input(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert lemnis(engine, "features", "select", "nope") == 2
    assert lemnis(engine, "features", "associate", "nope") == 2
    assert "has no column 'nope'" in capsys.readouterr().err


def test_names_of_the_data_are_harmless(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    lemnis(engine, "features", "select", "[b]\x1b[2J")
    assert lemnis(engine, "features", "sets") == 0
    assert "\x1b" not in capsys.readouterr().out
