"""The Deploy tab while a version comes into production: workers, split, test, drill and steps, and their keys."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import becomes, screen_text, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.deploy.rollout import splits, workers
from lemnis.engine.deploy.rollout.judge import Judge
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.stages.deploy.rollout import next_share
from lemnis.tui.stages.deploy.room import DeployStage
from lemnis.tui.stages.deploy.splitting import Splitting

SIGNATURE = Signature(features=[Feature(name="wind", kind="numeric")], task="binary", target="late")
SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Champion and challenger of a model, served by two workers that have changed once."""
    opened = Engine(create_workspace(tmp_path / "w", '[problem]\ntitle = "T"\ntarget = "late"\n'))
    now = now_ms()
    with opened.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2):
            db.table("runs").insert({"id": number, "name": "run", "state": "finished", "created_at": 1})
            db.table("model_versions").insert(
                {
                    "model": "late", "version": number, "run_id": number, "sha256": "0" * 64, "path": "none",
                    "bytes": 10, "signature": msgspec.json.encode(SIGNATURE).decode(),
                    "golden": '{"rows": [{"wind": 1.5}], "answers": [[0.5]]}', "who": "ada", "why": "first",
                    "created_at": now,
                }
            )  # fmt: skip
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"workers": 2, "created_at": 1, "changed_at": 1})
        for name in ("endpoint:late", "endpoint:late#2"):
            service = {"name": name, "module": "none", "arguments": "[]", "state": "up", "updated_at": now}
            db.table("services").insert(service)
    opened.deploy.promote("late", 1, "champion", "ada", "it passes")
    opened.deploy.promote("late", 2, "challenger", "ada", "to compare")
    for number in (1, 2):
        facts = {"pid": 70 + number, "version": 1, "ready": 1, "standby": 2, "swap_ms": 41.0, "drill_ms": 3.5}
        workers.tell(opened.store, "late", number, **facts)
    monkeypatch.setattr(opened.deploy.jobs, "ensure_supervisor", lambda: None)
    return opened


def log(engine: Engine, version: int, count: int, status: int = 200) -> None:
    entries: list[Entry[Any]] = [
        Entry(now_ms(), version, 1, 900, 200, "", [[1.0]], [[0.5]])
        if status == 200
        else Entry(now_ms(), version, 0, 900, status, "no")
        for _ in range(count)
    ]
    with engine.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", entries)


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int]) -> AsyncGenerator[Pilot[None]]:
    app = Console(engine, stage="deploy")
    async with app.run_test(size=size) as pilot:
        await becomes(pilot, lambda: stage(pilot).loaded_at is not None and stage(pilot).endpoint is not None)
        yield pilot


def stage(pilot: Pilot[None]) -> DeployStage:
    return pilot.app.query_one(DeployStage)


@pytest.mark.parametrize("size", SIZES)
async def test_a_split_is_begun_moved_and_ended_by_keys(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press("t")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, Splitting))
        pilot.app.screen.query_one("#splitting-percent", Input).value = "10"
        await pilot.press("enter", "enter", "enter", *"try it", "enter")
        await shows(pilot, "+10%→2")
        await pilot.press("full_stop")
        await shows(pilot, "+20%→2")
        await pilot.press("comma", "comma")
        await shows(pilot, "+5%→2")
        await pilot.press("t")
        await shows(pilot, "End the canary of version 2 at late?")
        await pilot.press("y")
        await becomes(pilot, lambda: splits.running(engine.store, "late") is None)
    kinds = [step.kind for step in engine.deploy.endpoint_events("late")]
    assert kinds == ["stop", "share", "share", "share", "split"]


@pytest.mark.parametrize("size", SIZES)
async def test_workers_drill_and_an_abort_with_its_figures_are_seen(engine: Engine, size: tuple[int, int]) -> None:
    log(engine, 1, 200)
    engine.deploy.split("late", "challenger", 10, "ada", "try it")
    log(engine, 1, 300)
    log(engine, 2, 40, status=500)
    Judge(engine.store, "late").look()
    async with opened(engine, size) as pilot:
        await pilot.press("i")
        await shows(pilot, "✖ aborted", "told apart by", "errors  ▰▰▰▰▰▰▰▰▰▰ 100%  v2 100.0% of 40, v1 0.0% of 300")
        await becomes(pilot, lambda: "errors: share of requests that failed" in screen_text(pilot).replace("│", ""))
        if size == SIZES[1]:
            await shows(pilot, "v1  pid 71  in 41 ms  ● drill v2 3.5 ms", "answers 0%, 10% before", "lemnis: errors")
        await pilot.press("escape")
        await shows(pilot, "Versions")


async def test_a_shadow_says_that_it_only_scores(engine: Engine) -> None:
    engine.deploy.split("late", "challenger", 100, "ada", "try it", mode="shadow", key="wind")
    async with opened(engine, SIZES[1]) as pilot:
        await shows(pilot, "late@champion → 1 shadow", "v2 scores 100%", "told apart by wind", "not judged: a shadow")


async def test_what_was_filled_in_wrongly_is_said_at_its_field(engine: Engine) -> None:
    async with opened(engine, SIZES[0]) as pilot:
        await pilot.press("t")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, Splitting))
        pilot.app.screen.query_one("#splitting-percent", Input).value = "much"
        await pilot.press("enter", "enter", "enter", "enter")
        await shows(pilot, "'much' is no percentage")
        await pilot.press("escape")
        await becomes(pilot, lambda: not isinstance(pilot.app.screen, Splitting))
        await pilot.press("full_stop")  # there is none to move
    assert splits.latest(engine.store, "late") is None


def test_shares_form_a_ladder() -> None:
    assert [next_share(5.0, 1), next_share(5.0, -1), next_share(7.0, 1), next_share(7.0, -1)] == [10.0, 2.0, 10.0, 5.0]
    assert (next_share(100.0, 1), next_share(0.0, -1)) == (100.0, 0.0)


def lemnis(engine: Engine, *arguments: str) -> int:
    return run(["-w", str(engine.workspace.root), *arguments])


def test_commands_split_move_show_and_stop(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    assert lemnis(engine, "endpoints", "split", "late") == 0
    assert "never split" in capsys.readouterr().out
    assert lemnis(engine, "--json", "endpoints", "split", "late", "challenger", "5", "--reason", "try") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["percent"], found["challenger"]) == ("running", 5.0, 2)
    assert lemnis(engine, "endpoints", "split", "late", "challenger", "20") == 0
    assert "20 % of the requests go to version 2, the rest to 1" in capsys.readouterr().out
    log(engine, 2, 60, status=500)
    log(engine, 1, 300)
    Judge(engine.store, "late").look()
    assert lemnis(engine, "--json", "endpoints", "split", "late") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["standings"][0]["measure"]) == ("aborted", "errors")
    assert lemnis(engine, "endpoints", "show", "late") == 0
    out = capsys.readouterr().out
    assert "way back to 2 drilled in 3.5 ms" in out
    assert "▰▰▰▰▰▰▰▰▰▰ 100% of the evidence to abort" in out
    assert lemnis(engine, "endpoints", "split", "late", "--stop") == 2
    assert "splits with no version" in capsys.readouterr().err
    assert lemnis(engine, "--json", "endpoints", "events", "late") == 0
    assert [step["kind"] for step in json.loads(capsys.readouterr().out)["events"]] == ["abort", "share", "split"]


def test_an_endpoint_is_rolled_back_by_name(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.deploy.promote("late", 2, "champion", "ada", "better")
    for number in (1, 2):
        workers.tell(engine.store, "late", number, version=1, ready=1)
    assert lemnis(engine, "--json", "endpoints", "rollback", "late", "--reason", "slow") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["event"]["version"], found["event"]["why"], len(found["workers"])) == (1, "slow", 2)
    assert found["took_ms"] >= 0
    assert lemnis(engine, "endpoints", "rollback", "early", "--reason", "x") == 2
    assert "no endpoint 'early'" in capsys.readouterr().err


def undecided(engine: Engine, run: int, auc: float) -> None:
    """Record a gate of a run that needs more rows."""
    with engine.store.write() as db:
        db.execute(
            """insert into gates (run_id, position, metric, part, rule, observed, verdict, why, rows_needed, at)
               values (?, 0, 'roc_auc', 'test', '>= 0.7', ?, 'not enough data', 'both sides', 12000, 1)""",
            [run, auc],
        )


def test_the_evidence_is_shown_before_an_alias_moves_and_the_name_is_typed(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided(engine, 2, 0.72)
    assert lemnis(engine, "models", "evidence", "late", "2") == 1
    out = capsys.readouterr().out
    assert "version 1 as champion" in out
    assert "roc_auc on test >= 0.7: 0.720; about 12,000 rows would decide" in out
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _question: "lat")  # pyright: ignore[reportUnknownLambdaType,reportUnknownArgumentType]
    assert lemnis(engine, "models", "promote", "late", "2", "--reason", "better", "--force") == 2
    assert "That is not late" in capsys.readouterr().err
    assert engine.deploy.resolve("late@champion").version == 1
    monkeypatch.setattr("builtins.input", lambda _question: "late")  # pyright: ignore[reportUnknownLambdaType,reportUnknownArgumentType]
    assert lemnis(engine, "models", "promote", "late", "2", "--reason", "better", "--force") == 0
    assert "late@champion is version 2, was 1" in capsys.readouterr().out
