"""Exporting a version from the Deploy tab: a form, the job's progress, what was found, and the path to copy."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import becomes, screen_text
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.exports.records import FORMS
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.stages.deploy.exporting import ExportScreen
from lemnis.tui.stages.deploy.room import DeployStage


def nothing(_: JobsRoom) -> None:
    """Start no supervisor."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A version that is asked by nobody: jobs stay in the queue until a test ends them."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", nothing)
    opened = Engine(create_workspace(tmp_path / "w", '[problem]\ntitle = "T"\ntarget = "late"\n'))
    with opened.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        db.table("runs").insert({"id": 1, "name": "run", "state": "finished", "model_sha256": "0", "created_at": 1})
        db.table("model_versions").insert(
            {
                "model": "late", "version": 1, "run_id": 1, "sha256": "0" * 64, "path": "none", "bytes": 10,
                "signature": "{}", "golden": '{"rows": [], "answers": []}', "who": "ada", "why": "first",
                "created_at": now_ms(),
            }
        )  # fmt: skip
    return opened


def stage(pilot: Pilot[None]) -> DeployStage:
    return pilot.app.query_one(DeployStage)


async def ask(pilot: Pilot[None]) -> ExportScreen:
    """Open the form on the version."""
    await becomes(pilot, lambda: stage(pilot).version is not None)
    await pilot.press("E")
    await becomes(pilot, lambda: isinstance(pilot.app.screen, ExportScreen))
    screen = pilot.app.screen
    assert isinstance(screen, ExportScreen)
    await becomes(pilot, lambda: bool(screen.query_one(Input).value))
    return screen


def end(engine: Engine, state: str, **columns: Any) -> None:
    """End the job as its worker would."""
    values = {"state": state, "ended_at": now_ms(), **columns}
    sets = ", ".join(f"{name} = ?" for name in values)
    with engine.store.write() as db:
        db.execute(f"update jobs set {sets}", [*values.values()])


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_version_is_exported_and_the_path_is_copied(
    engine: Engine, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(Console, "copy", lambda _, text, what="text": copied.append(text))  # pyright: ignore
    async with Console(engine, stage="deploy").run_test(size=size) as pilot:
        screen = await ask(pilot)
        for form in FORMS:
            assert form in screen_text(pilot)
        await pilot.press("g", "j")
        await becomes(pilot, lambda: screen.query_one(Input).value.endswith("exports/late-1-onnx"))
        await pilot.press("enter", "enter")
        await becomes(pilot, lambda: bool(screen.job_id))
        job = engine.jobs.job(screen.job_id)
        assert job.arguments == {
            "model": "late", "version": 1, "form": "onnx", "who": job.arguments["who"], "float32": False,
            "to": str(engine.workspace.root / "exports" / "late-1-onnx"),
        }  # fmt: skip
        checked = {"rows": 9012, "farthest": 2e-16, "against": "rows of test"}
        row = {"model": "late", "version": 1, "form": "onnx", "path": "/there", "sha256": "ab" * 32, "files": 2}
        with engine.store.write() as db:
            made = row | {"bytes": 10, "checked": json.dumps(checked), "warnings": '["it rains"]', "who": "a", "at": 1}
            db.table("model_exports").insert(made | {"id": 7})
        end(engine, "finished", result='{"id": 7}')
        await becomes(pilot, lambda: "at most 2e-16 apart" in screen_text(pilot))
        assert "▲ it rains" in screen_text(pilot)
        await pilot.press("y")
        assert copied == ["/there"]
        await pilot.press("escape")
        await becomes(pilot, lambda: len(pilot.app.screen_stack) == 1)


async def test_what_was_refused_is_said_and_another_place_can_be_named(engine: Engine) -> None:
    async with Console(engine, stage="deploy").run_test(size=(80, 24)) as pilot:
        screen = await ask(pilot)
        await pilot.press("enter", "ctrl+u", *"/nowhere/x", "enter")
        await becomes(pilot, lambda: "The folder above does not exist" in screen_text(pilot))
        screen.query_one(Input).value = str(engine.workspace.root / "out")
        await pilot.press("enter", "enter")
        await becomes(pilot, lambda: bool(screen.job_id))
        end(engine, "failed", why="8 of 10,949 rows otherwise")
        await becomes(pilot, lambda: "8 of 10,949 rows otherwise" in screen_text(pilot))
        assert not screen.query_one(Input).disabled


async def test_leaving_stops_the_job(engine: Engine) -> None:
    async with Console(engine, stage="deploy").run_test(size=(80, 24)) as pilot:
        screen = await ask(pilot)
        await pilot.press("enter", "enter")
        await becomes(pilot, lambda: bool(screen.job_id))
        await pilot.press("escape")
        await becomes(pilot, lambda: engine.jobs.job(screen.job_id).state == "cancelled")
