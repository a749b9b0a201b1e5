"""The Deploy tab as a person uses it: what it shows, and what its keys do to the registry."""

# pyright: basic

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import becomes, screen_text, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import Candidate, DeployRoom
from lemnis.engine.deploy.predictions import Entry, PredictionLog, write_entries
from lemnis.engine.deploy.recorder import Recorder
from lemnis.engine.evaluate import CalibrationMap, PairedTest
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.modelcard import Card, CardRoom, Fact, Section
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.screens.decision import Decision
from lemnis.tui.stages.deploy.room import DeployStage
from lemnis.tui.widgets import Table

SIGNATURE = Signature(features=[Feature(name="wind", kind="numeric")], task="binary", target="late")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Two versions, the first of them champion and served, and one run that could be the third."""
    opened = Engine(create_workspace(tmp_path / "w", '[problem]\ntitle = "T"\ntarget = "late"\n'))
    now = now_ms()
    with opened.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2, 3):
            run = {"id": number, "name": f"run [{number}]", "state": "finished", "model_sha256": "0", "created_at": 1}
            db.table("runs").insert(run)
        for number in (1, 2):
            db.table("model_versions").insert(
                {
                    "model": "late", "version": number, "run_id": number, "sha256": "0" * 64, "path": "none",
                    "bytes": 10, "signature": msgspec.json.encode(SIGNATURE).decode(),
                    "golden": '{"rows": [{"wind": 1.5}], "answers": [[0.5]]}', "who": "ada", "why": "first",
                    "created_at": now,
                }
            )  # fmt: skip
        db.table("endpoints").insert(
            {
                "name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123,
                "serving_version": 1, "ready": 1, "created_at": 1, "changed_at": 1,
            }
        )  # fmt: skip
        service = {"name": "endpoint:late", "module": "none", "arguments": "[]", "state": "up", "updated_at": now}
        db.table("services").insert(service)
    with opened.store.write("predictions") as db:
        entries = [Entry(now - n * 100, 1, 1, 900, 200 if n % 10 else 400) for n in range(600)]
        write_entries(db.conn, "late", "late", entries)
    opened.deploy.promote("late", 1, "champion", "ada", "it passes")
    return opened


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Pilot[None]]:
    app = Console(engine, stage="deploy")
    async with app.run_test(size=size) as pilot:
        await becomes(pilot, lambda: stage(pilot).loaded_at is not None and stage(pilot).endpoint is not None)
        yield pilot


def stage(pilot: Pilot[None]) -> DeployStage:
    return pilot.app.query_one(DeployStage)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_state_version_errors_and_latency_are_seen_at_once(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await becomes(pilot, lambda: "late@champion → 1" in screen_text(pilot))
        text = screen_text(pilot)
        for words in ("● ready", "600", "▲ 60", "0.90", "● champion", "– → 1", "it passes"):
            assert words in text, words
        assert ":8123" in text


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_log_that_is_behind_says_so_under_the_figures_it_gives(engine: Engine, size: tuple[int, int]) -> None:
    log = PredictionLog(engine.store, "late", "late")
    log.add(log.frame(Entry(now_ms() - 40_000, 1, 1, 900, 200)))
    log.start()
    log.close()
    async with opened(engine, size) as pilot:
        await becomes(pilot, lambda: re.search(r"live · log 4\d\.\d s behind", screen_text(pilot)) is not None)
        Recorder(engine.store).record()
        await becomes(pilot, lambda: "behind" not in screen_text(pilot))


async def test_wide_screens_draw_the_traffic(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await becomes(pilot, lambda: "requests/s" in screen_text(pilot) and "p99" in screen_text(pilot))


async def decide(pilot: Pilot[None], key: str, name: str, reason: str) -> None:
    """Press a key and answer its question."""
    await pilot.press(key)
    await becomes(pilot, lambda: isinstance(pilot.app.screen, Decision))
    await pilot.press(*name, "enter", *reason, "enter")


async def test_promoting_needs_the_models_name_and_a_reason(engine: Engine) -> None:
    async with opened(engine) as pilot:
        stage(pilot).query_one("#versions", Table).focus()
        await decide(pilot, "P", "lat", "")
        assert isinstance(pilot.app.screen, Decision)
        await pilot.press("e", "enter", *"better", "enter")
        await becomes(pilot, lambda: engine.deploy.alias("late", "champion").version == 2)  # pyright: ignore[reportOptionalMemberAccess]
    event = engine.deploy.history("late")[0]
    assert (event.why, event.previous, event.forced) == ("better", 1, False)


async def test_rolling_back_moves_the_alias_to_the_version_before(engine: Engine) -> None:
    engine.deploy.promote("late", 2, "champion", "ada", "better")
    async with opened(engine) as pilot:
        await pilot.press("b")
        await becomes(pilot, lambda: "Roll late@champion back to version 1?" in screen_text(pilot))
        await pilot.press(*"late", "enter", *"slow", "enter")
        await becomes(pilot, lambda: engine.deploy.alias("late", "champion").version == 1)  # pyright: ignore[reportOptionalMemberAccess]
        await becomes(pilot, lambda: "rollback" in screen_text(pilot))


async def test_leaving_the_question_changes_nothing(engine: Engine) -> None:
    engine.deploy.promote("late", 2, "champion", "ada", "better")
    async with opened(engine) as pilot:
        await pilot.press("b")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, Decision))
        await pilot.press("escape")
        await becomes(pilot, lambda: not isinstance(pilot.app.screen, Decision))
    assert len(engine.deploy.history("late")) == 2


def told(pilot: Pilot[None], words: str) -> bool:
    return any(words in toast.title for toast in pilot.app._notifications)


async def test_what_can_not_be_done_is_said_before_anything_is_asked(engine: Engine) -> None:
    engine.deploy.promote("late", 2, "challenger", "ada", "to compare")
    async with opened(engine) as pilot:
        await pilot.press("b")
        await becomes(pilot, lambda: told(pilot, "late@champion has no earlier version"))
        stage(pilot).query_one("#versions", Table).focus()
        await pilot.press("C")
        await becomes(pilot, lambda: told(pilot, "late@challenger is version 2 already"))
        stage(pilot).query_one("#events", Table).focus()
        await pilot.press("b")
        await becomes(pilot, lambda: told(pilot, "late@challenger has no earlier version"))
        assert not isinstance(pilot.app.screen, Decision)


async def test_traffic_that_is_none_says_so(engine: Engine) -> None:
    with engine.store.write("predictions") as db:
        for table in ("predictions", "requests", "traffic"):
            db.execute(f"delete from {table}")
    async with opened(engine) as pilot:
        await becomes(pilot, lambda: "No request in the last 5 minutes." in screen_text(pilot))


async def test_a_version_whose_gates_failed_is_promoted_only_with_a_warning(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute(
            """insert into gates (run_id, position, metric, part, rule, observed, verdict, why, at)
               values (2, 0, 'roc_auc', 'test', '>= 0.7', 0.6, 'fail', 'too low', 1)"""
        )
    async with opened(engine) as pilot:
        stage(pilot).query_one("#versions", Table).focus()
        await pilot.press("P")
        await becomes(pilot, lambda: "Its gates say: fail" in screen_text(pilot))
        await pilot.press(*"late", "enter", *"urgent", "enter")
        await becomes(pilot, lambda: "forced" in screen_text(pilot))
    assert engine.deploy.history("late")[0].forced


async def test_a_promotions_fields_are_seen_on_a_small_screen_however_much_evidence_there_is(engine: Engine) -> None:
    with engine.store.write() as db:
        for place in range(12):
            db.execute(
                """insert into gates (run_id, position, metric, part, rule, observed, verdict, why, at)
                   values (2, ?, ?, 'test', '>= 0.7', 0.6, 'fail', 'too low', 1)""",
                [place, f"measure_{place}"],
            )
    async with opened(engine, (80, 24)) as pilot:
        stage(pilot).query_one("#versions", Table).focus()
        await pilot.press("P")
        await shows(pilot, "It replaces version 1.", "type late", "why, in one", "force it", "↑ ↓")
        assert "measure_11" not in screen_text(pilot)
        await pilot.press("down", "down", "down")
        await shows(pilot, "measure_11", "type late", "force it")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "decision-name"


async def test_stopping_an_endpoint_asks_first(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("x", "x")
        await pilot.pause()
        assert engine.store.value("select wanted from services") == "up"
        await pilot.press("y")
        await becomes(pilot, lambda: engine.store.value("select wanted from services") == "down")


async def test_enter_on_an_endpoint_shows_its_servers_log_and_escape_goes_back(engine: Engine) -> None:
    folder = engine.workspace.service_dir("endpoint:late")
    folder.mkdir(parents=True)
    (folder / "log").write_text("version 2 is not served \x1b[31m\n")
    async with opened(engine, (80, 24)) as pilot:
        stage(pilot).query_one("#endpoints", Table).focus()
        await pilot.press("enter")
        await becomes(pilot, lambda: "version 2 is not served ␛[31m" in screen_text(pilot))
        await pilot.press("escape")
        await becomes(pilot, lambda: "Versions" in screen_text(pilot))


async def test_a_copied_curl_asks_the_endpoint(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(Console, "copy", lambda _self, text, _what="": copied.append(text))
    async with opened(engine) as pilot:
        await pilot.press("u")
        await becomes(pilot, lambda: copied)
    assert copied[0].startswith("curl -sS ")
    assert copied[0].endswith("http://127.0.0.1:8123/invocations")


async def test_read_only_leaves_every_alias_where_it_is(engine: Engine) -> None:
    reading = Engine(engine.workspace, read_only=True)
    async with opened(reading) as pilot:
        await pilot.press("P", "b", "x", "n")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Decision)
    assert len(engine.deploy.history("late")) == 1


async def test_an_empty_workspace_says_what_to_press(tmp_path: Path) -> None:
    bare = Engine(create_workspace(tmp_path / "bare", '[problem]\ntitle = "T"\n'))
    async with Console(bare, stage="deploy").run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: stage(pilot).loaded_at is not None)
        await becomes(pilot, lambda: "Press n to register" in screen_text(pilot))
        await pilot.press("n")
        await becomes(pilot, lambda: any("no finished run" in toast.title for toast in pilot.app._notifications))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_model_card_of_what_is_under_the_cursor_opens_with_the_key_it_has_in_evaluate(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    def card(room: CardRoom, model: str, version: int) -> Card:
        facts = [Fact(name="roc_auc", value=0.7 + version / 100)]
        return Card(model=model, version=version, at=0, sections=[Section(title="Measured", facts=facts)])

    monkeypatch.setattr(CardRoom, "card", card)
    async with opened(engine, size) as pilot:
        await pilot.press("M")  # the endpoint: what it answers with
        await shows(pilot, "late version 1", "0.71")
        await pilot.press("escape")
        pilot.app.query_one("#versions", Table).focus()
        await becomes(pilot, lambda: stage(pilot).version is not None)
        pilot.app.query_one("#versions", Table).select("late@2")
        await becomes(pilot, lambda: (v := stage(pilot).version) is not None and v.version == 2)
        await pilot.press("M")
        await shows(pilot, "late version 2", "0.72")
        await pilot.press("left_square_bracket")
        await shows(pilot, "late version 1", "0.71")
        await pilot.press("escape")
        pilot.app.query_one("#events", Table).focus()
        await becomes(pilot, lambda: stage(pilot).event is not None)
        await pilot.press("M")
        await shows(pilot, "late version 1", "0.71")


async def test_a_model_card_without_a_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    engine = Engine(create_workspace(tmp_path / "w", '[problem]\ntitle = "T"\ntarget = "late"\n'))
    async with Console(engine, stage="deploy").run_test(size=(80, 24), notifications=True) as pilot:
        await becomes(pilot, lambda: stage(pilot).loaded_at is not None)
        await pilot.press("M")
        await shows(pilot, "There is no version to describe", "Register a run first")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_run_is_registered_with_the_map_that_is_chosen(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    test = PairedTest(metric="brier", base=0.125, value=0.111, delta=-0.014)
    made = CalibrationMap(method="isotonic", rows=9, points=[[0.0, 0.0]], tests=[test], wins=True)
    asked: list[Any] = []

    def register(_room: Any, run_id: int, model: str, _who: str, _why: str, *, calibrate: str) -> Any:
        asked.append((run_id, model, calibrate))
        return engine.deploy.versions("late")[0]

    candidate = Candidate(run_id=7, run_name="better", model="late")
    monkeypatch.setattr(DeployRoom, "candidate", lambda _room: candidate)
    monkeypatch.setattr(DeployRoom, "maps_left", lambda _room, _run, _model: [made])
    monkeypatch.setattr(DeployRoom, "register", register)
    async with opened(engine, size) as pilot:
        await pilot.press("n")
        await shows(pilot, "Register run 7 better as late", "as it is", "Brier 0.125 → 0.111")
        await pilot.press("escape", "n")
        await shows(pilot, "isotonic")
        await pilot.press("down", "enter")
        await becomes(pilot, lambda: asked == [(7, "late", "isotonic")])
        monkeypatch.setattr(DeployRoom, "maps_left", lambda _room, _run, _model: [])
        await pilot.press("n")
        await becomes(pilot, lambda: asked[1:] == [(7, "late", "")])
