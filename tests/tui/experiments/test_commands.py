"""`lemnis train` and `lemnis runs`: documents of the described shape, tables for people, errors with a place."""
# pyright: basic

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commanding import call, document
from small_problem import add_run, make_engine

from lemnis.engine import Engine
from lemnis.engine.experiments.points import write_points
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.commands.group import run


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    opened = make_engine(tmp_path / "box")
    for place, auc in enumerate((0.7, 0.9), 1):
        add_run(
            opened, f"run{place}", metrics={"auc": auc}, params={"num_leaves": 7 * place}, started_at=1, ended_at=2001
        )
        write_points(opened.store, place, [("auc", step, 0, auc) for step in (1, 2)])
    yield opened
    opened.store.close()


def test_list_gives_exactly_the_documented_shape(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(
        engine, capsys, "runs", "list", "--query", "metrics.auc > 0.6", "--sort", "metrics.auc", "--limit", "1"
    )
    assert found == {
        "total": 2,
        "runs": [
            {
                "id": 2, "name": "run2", "state": "finished", "params": {"num_leaves": "14"}, "metrics": {"auc": 0.9},
                "tags": {}, "started_at": 1, "duration_s": 2.0, "data_version": "",
            }
        ],
    }  # fmt: skip
    assert call(engine, "runs", "list") == 0
    assert "● finished" in capsys.readouterr().out


def test_a_wrong_query_is_bad_input_with_its_column(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(engine, "runs", "list", "-q", "metrics.auc > high") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "where: column 15" in err
    assert call(engine, "runs", "show", "99", "--json") == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not_found"


def test_marks_are_made_and_taken_away(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(engine, capsys, "runs", "tag", "1", "team=blue", "good")["tags"] == {"good": "", "team": "blue"}
    assert document(engine, capsys, "runs", "tag", "1", "good", "--remove")["tags"] == {"team": "blue"}
    assert document(engine, capsys, "runs", "note", "1", "fine")["note"] == "fine"
    assert document(engine, capsys, "runs", "pin", "1")["baseline"]["pinned"] is True
    assert document(engine, capsys, "runs", "pin")["baseline"] is None
    assert document(engine, capsys, "runs", "delete", "1", "2") == {"changed": 2}
    assert document(engine, capsys, "runs", "list", "--deleted")["total"] == 2
    assert document(engine, capsys, "runs", "restore", "1") == {"changed": 1}


def test_compare_curve_and_export_agree_on_the_numbers(
    engine: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = document(engine, capsys, "runs", "compare", "1", "2", "--baseline", "2")
    assert [shown["id"] for shown in found["runs"]] == [2, 1]
    assert found["metrics"][0]["deltas"] == [None, pytest.approx(-0.2)]
    assert found["metrics"][0]["better"] == [None, False]
    curves = document(engine, capsys, "runs", "curve", "1")["curves"]
    assert curves == {"auc": [[1, 0.7], [2, 0.7]]}
    assert document(engine, capsys, "runs", "export", "1")["runs"][0]["curves"] == curves
    file = tmp_path / "runs.json"
    assert document(engine, capsys, "runs", "export", "-o", str(file)) == {"written": str(file), "runs": 2}
    assert len(json.loads(file.read_text())["runs"]) == 2
    for command in (["compare", "1", "2"], ["curve", "1"], ["show", "1"]):
        assert call(engine, "runs", *command) == 0
        assert capsys.readouterr().out.strip()


def test_train_queues_what_it_is_told(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(
        engine, capsys, "train", "stopping", "--set", "num_leaves=9", "--set", "seed=4", "--device", "auto"
    )
    assert (found["preset"], found["seed"], found["device_asked"], found["state"]) == ("stopping", 4, "auto", "queued")
    assert found["params"]["num_leaves"] == "9"
    assert document(engine, capsys, "runs", "reproduce", str(found["id"]))["reproduces"] == found["id"]
    assert call(engine, "train", "--set", "rounds") == 2
    assert "NAME=VALUE" in capsys.readouterr().err
    assert call(engine, "train", "deep") == 2
    assert "default, stopping" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["train", "--help"], ["runs", "list", "--help"], ["runs", "compare", "--help"]])
def test_help_describes_the_document(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    assert "With --json:" in capsys.readouterr().out


def test_a_view_is_saved_listed_used_and_removed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    saved = ("runs", "save-view", "best", "-q", "metrics.auc > 0.6", "--sort", "metrics.auc", "--ascending")
    assert document(engine, capsys, *saved, "--column", "name", "--column", "metrics.auc") == {
        "view": "best",
        "changed": True,
    }
    assert document(engine, capsys, "runs", "views")["views"]["best"]["columns"] == ["name", "metrics.auc"]
    assert [run["id"] for run in document(engine, capsys, "runs", "list", "--view", "best")["runs"]] == [1, 2]
    assert [run["id"] for run in document(engine, capsys, "runs", "list", "--view", "best", "-q", "run2")["runs"]] == [
        2
    ]
    assert call(engine, "runs", "list", "--view", "best") == 0
    shown = capsys.readouterr().out
    assert [word for word in ("run1", "0.9000", "name", "auc") if word not in shown] == []
    assert "state" not in shown
    assert call(engine, "runs", "list", "--view", "worst") == 2
    assert "There are: best." in capsys.readouterr().err
    assert call(engine, "runs", "save-view", "bad", "-q", "metrics.auc >") == 2
    assert "column 14" in capsys.readouterr().err
    assert document(engine, capsys, "runs", "save-view", "best", "--remove")["changed"]
    assert document(engine, capsys, "runs", "views") == {"views": {}}


def test_runs_are_archived_and_brought_back(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(engine, capsys, "runs", "archive", "1") == {"changed": 1}
    assert [run["id"] for run in document(engine, capsys, "runs", "list", "--archived")["runs"]] == [1]
    assert document(engine, capsys, "runs", "list")["total"] == 1
    assert document(engine, capsys, "runs", "unarchive", "1", "2") == {"changed": 1}
    assert document(engine, capsys, "runs", "list")["total"] == 2


def test_a_note_without_a_text_is_written_in_the_editor(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "from the editor" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    assert call(engine, "runs", "note", "1") == 0
    assert engine.experiments.run(1).note == "from the editor"
    monkeypatch.setenv("VISUAL", str(tmp_path / "absent"))
    assert call(engine, "runs", "note", "1") == 2
