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


def test_a_set_is_shown_with_its_choices_compared_renamed_and_noted(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    first = document(engine, capsys, "features", "select", "hour", "--name", "calm", "--why", "small")
    document(engine, capsys, "features", "select", "hour", "wind", "--name", "calm", "--why", "wind helps")
    found = document(engine, capsys, "features", "diff", f"calm@{first['revision']}", "calm")
    assert (found["added"], found["removed"], found["kept"]) == (["wind"], [], ["hour"])
    noted = document(engine, capsys, "features", "note", "calm", "from the review")
    assert [note["note"] for note in noted["notes"]] == ["from the review"]
    assert document(engine, capsys, "features", "rename", "calm", "still")["renamed_from"] == "calm"
    assert [one["name"] for one in document(engine, capsys, "features", "show", "still")["revisions"]] == [
        "still", "calm", "calm",
    ]  # fmt: skip
    assert lemnis(engine, "features", "show", "still") == 0
    shown = capsys.readouterr().out
    assert "renamed from calm" in shown
    assert "+wind" in shown
    assert lemnis(engine, "features", "show", "calm") == 2
    assert "is called 'still' now" in capsys.readouterr().err
    assert lemnis(engine, "features", "show", "base") == 0
    assert "nobody yet" in capsys.readouterr().out


def test_an_ablation_is_queued_and_listed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(engine, capsys, "features", "ablations")["ablations"] == []
    assert lemnis(engine, "features", "ablate", "nope", "--no-wait") == 2
    capsys.readouterr()
    found = document(engine, capsys, "features", "ablate", "hour", "--no-wait")["ablations"]
    engine.jobs.stop_supervisor()
    assert [(one["features"], one["verdict"], one["found"]) for one in found] == [(["hour"], "", None)]
    assert lemnis(engine, "features", "ablations") == 0
    assert "hour" in capsys.readouterr().out
