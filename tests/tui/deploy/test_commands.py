"""The commands of deployment: their documents, their refusals and their exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.engine import Engine
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands.group import run


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A workspace with two versions of a model whose files nobody will load, and one endpoint."""
    opened = Engine(create_workspace(tmp_path / "w", '[problem]\ntitle = "T"\n'))
    with opened.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2):
            db.table("runs").insert({"id": number, "name": f"run [{number}]", "state": "finished", "created_at": 1})
            golden = {"rows": [{"wind": 1.5}], "answers": [[0.5]]}
            db.table("model_versions").insert(
                {
                    "model": "late",
                    "version": number,
                    "run_id": number,
                    "sha256": "0" * 64,
                    "path": "models/none.txt",
                    "bytes": 10,
                    "signature": "{}",
                    "golden": json.dumps(golden),
                    "who": "ada",
                    "why": "first\x1b[2J",
                    "created_at": 1,
                }
            )
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"created_at": 1, "changed_at": 1})
    return opened


def lemnis(engine: Engine, *arguments: str) -> int:
    return run(["-w", str(engine.workspace.root), *arguments])


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def log_requests(store: Store, count: int) -> None:
    entries = [Entry(1_000 + n, 1, 2, 500, 200 if n else 400) for n in range(count)]
    with store.write("predictions") as db:
        write_entries(db.conn, "late", "late", entries)


def test_promote_history_and_rollback_tell_the_same_story(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    for number in ("1", "2"):
        assert lemnis(engine, "--json", "models", "promote", "late", number, "--reason", f"why {number}") == 0
    capsys.readouterr()
    assert lemnis(engine, "--json", "models", "rollback", "late", "--reason", "slow") == 0
    moved = document(capsys)
    assert (moved["kind"], moved["version"], moved["previous"], moved["why"]) == ("rollback", 1, 2, "slow")
    assert lemnis(engine, "--json", "models", "history", "late") == 0
    assert [event["version"] for event in document(capsys)["events"]] == [1, 2, 1]
    assert lemnis(engine, "--json", "models", "history", "--at", "1999-01-01") == 0
    assert document(capsys)["events"] == []
    assert lemnis(engine, "models", "history") == 0
    assert "2 → 1" in capsys.readouterr().out


def test_list_shows_versions_and_aliases_and_no_control_character(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.deploy.promote("late", 2, "champion", "ada", "better")
    assert lemnis(engine, "--json", "models", "list") == 0
    listed = document(capsys)["models"]
    assert listed[0]["aliases"] == {"champion": 2}
    assert [(v["version"], v["aliases"], v["verdict"]) for v in listed[0]["versions"]] == [
        (2, ["champion"], "no gates"),
        (1, [], "no gates"),
    ]
    assert lemnis(engine, "models", "list") == 0
    out = capsys.readouterr().out
    assert "run [2]" in out
    assert "\x1b" not in out


def test_what_was_exported_is_listed_with_the_hash_of_its_manifest(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lemnis(engine, "models", "exports") == 0
    assert "Nothing was exported yet" in capsys.readouterr().out
    with engine.store.write() as db:
        row = {
            "model": "late",
            "version": 2,
            "form": "onnx",
            "path": "/tmp/\x1b[2Jout",
            "sha256": "ab" * 32,
            "files": 2,
        }
        checked = '{"rows": 9012, "farthest": 2e-16, "against": "rows of test"}'
        db.table("model_exports").insert(row | {"bytes": 10, "checked": checked, "who": "ada", "at": 1})
    assert lemnis(engine, "--json", "models", "exports", "late") == 0
    (made,) = document(capsys)["exports"]
    assert (made["form"], made["checked"]["rows"], made["warnings"]) == ("onnx", 9012, [])
    assert lemnis(engine, "models", "exports") == 0
    out = capsys.readouterr().out
    assert "at most 2e-16 apart" in out
    assert "\x1b" not in out


def test_endpoints_list_has_the_promised_document(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    log_requests(engine.store, 5)
    assert lemnis(engine, "--json", "endpoints", "list") == 0
    found = document(capsys)["endpoints"][0]
    assert {"name", "url", "state", "model", "version", "requests", "errors"} <= set(found)
    assert (found["url"], found["state"], found["requests"], found["errors"], found["rows"]) == (
        "http://127.0.0.1:8123",
        "down",
        5,
        1,
        10,
    )


def test_show_gives_a_curl_that_asks_a_golden_row(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.deploy.promote("late", 1, "champion", "ada", "first")
    assert lemnis(engine, "endpoints", "show", "late") == 0
    assert """-d '{"dataframe_records":[{"wind":1.5}]}' http://127.0.0.1:8123/invocations""" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("models", "promote", "late", "9", "--reason", "x"), 2, "no version 9"),
        (("models", "promote", "early", "1", "--reason", "x"), 2, "no model 'early'"),
        (("models", "promote", "late", "1", "--reason", " "), 2, "needs a reason"),
        (("models", "rollback", "late", "--reason", "x"), 2, "no earlier version"),
        (("models", "history", "--at", "noon"), 2, "'noon' is no time"),
        (("models", "register", "99", "late"), 2, "no run 99"),
        (("endpoints", "show", "nobody"), 2, "no endpoint 'nobody'"),
        (("endpoints", "stop", "nobody"), 2, "no endpoint 'nobody'"),
        (("deploy", "late@champion"), 2, "no champion to serve"),
        (("deploy", "late@2"), 2, "follows an alias"),
        (("predict", "late@1", "none.csv", "-o", "out.csv"), 2, "no such file"),
        (("models", "export", "late@1", "--to", "nowhere/out"), 2, "folder above does not exist"),
        (("models", "export", "late@1", "--to", "out", "--as", "pickle"), 2, "Forms: native, onnx, mlflow, folder"),
        (("models", "export", "late@1", "--to", "out", "--float32"), 2, "Only ONNX"),
        (("--read-only", "models", "promote", "late", "1", "--reason", "x"), 2, "read-only"),
    ],
)
def test_refusals_say_what_and_end_with_their_code(
    engine: Engine, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, says: str
) -> None:
    assert lemnis(engine, *arguments) == code
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_a_token_is_shown_once(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert lemnis(engine, "--json", "endpoints", "token", "late") == 0
    assert len(document(capsys)["token"]) > 32
    assert lemnis(engine, "endpoints", "token", "late") == 2
