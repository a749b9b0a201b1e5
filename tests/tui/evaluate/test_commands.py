"""`lemnis evaluate` and `lemnis explain`: their documents, their refusals and their exit codes."""

import json

import pytest

from lemnis.engine import Engine
from lemnis.tui.commands.group import run


def lemnis(engine: Engine, *arguments: str) -> int:
    return run(["-w", str(engine.workspace.root), *arguments])


def test_a_gate_that_does_not_pass_ends_in_1_and_says_why(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert lemnis(engine, "evaluate", "1", "--kept") == 1
    said = capsys.readouterr().out
    assert "✖ fail" in said
    assert "0.31 breaks <= 0.2." in said
    assert "2013-11  later" in said
    with engine.store.write() as db:
        db.execute("delete from gates where verdict != 'pass'")
    assert lemnis(engine, "evaluate", "1", "--kept") == 0


def test_the_document_has_gates_evaluations_and_importances(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    lemnis(engine, "--json", "evaluate", "1", "--kept")
    document = json.loads(capsys.readouterr().out)
    assert [gate["verdict"] for gate in document["gates"]] == ["pass", "not enough data", "fail"]
    assert [one["part"] for one in document["evaluations"]] == ["train", "validation", "test"]
    assert document["evaluations"][2]["speed"]["latency_p99_ms"] == 0.31
    assert document["importances"][0]["feature"] == "sched_dep_time"


def test_a_run_is_explained_by_its_features_and_its_telling_rows(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lemnis(engine, "explain", "1") == 0
    said = capsys.readouterr().out
    assert "sched_dep_time" in said
    assert "7-30-[DL]" in said
    assert lemnis(engine, "--json", "explain", "1") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["bias"] + sum(one["amount"] for one in rows[0]["contributions"]) == pytest.approx(rows[0]["raw"])


def test_dependence_and_interactions_are_printed_and_given_as_documents(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lemnis(engine, "explain", "1", "--dependence", "sched_dep_time") == 0
    said = capsys.readouterr().out
    assert "P(true) by sched_dep_time, 40 test rows" in said
    assert "0.2000" in said
    assert lemnis(engine, "--json", "explain", "1", "--interactions") == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["strength"] == 0.123
    assert lemnis(engine, "explain", "1", "--dependence", "none") == 2
    assert "Features with one: sched_dep_time, carrier[x]." in capsys.readouterr().err


def test_what_is_not_there_is_bad_input(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert lemnis(engine, "explain", "2") == 2
    assert "was not evaluated yet" in capsys.readouterr().err
    assert lemnis(engine, "evaluate", "99") == 2
    assert lemnis(engine, "explain", "99") == 2
    assert "There is no run 99" in capsys.readouterr().err
