"""Time travel: the whole console as it was, its banner, its refusals, and the way back."""

import weakref
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from commanding import call, document
from support import NOTHING_DECLARED, becomes, engine_at, screen_text, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.problem.history import record_text
from lemnis.tui import travel
from lemnis.tui.address import address, parsed
from lemnis.tui.app import Console
from lemnis.tui.commands.session import hoisted
from lemnis.tui.format import when
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.moment import moment_ms, moment_text
from lemnis.tui.warming import settle_memory

HOUR = 3_600_000
T0 = 1_779_999_960_000  # a whole minute
SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A workspace in which a run was queued at T0 + 1 h, began at + 2 h and ended at + 3 h."""
    made = engine_at(tmp_path / "flights")
    record_text(made.store, NOTHING_DECLARED, "ana", "stated", now=T0)
    with made.store.write() as db:
        times = {"created_at": T0 + HOUR, "started_at": T0 + 2 * HOUR, "ended_at": T0 + 3 * HOUR}
        db.table("runs").insert({"id": 1, "name": "first", "state": "failed", "why": "out of memory", **times})
        db.table("models").insert({"name": "late", "created_at": T0})
        event = {"model": "late", "alias": "champion", "kind": "withdraw", "version": None, "who": "ana", "why": "w"}
        db.table("alias_events").insert({"at": T0 + 4 * HOUR, **event})
    yield made
    made.store.close()


async def told(pilot: Pilot[Any], words: str) -> None:
    """Wait until a toast says this."""
    toasts: Any = pilot.app._notifications  # pyright: ignore[reportPrivateUsage]
    await becomes(pilot, lambda: any(words in toast.message or words in toast.title for toast in toasts))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_console_goes_to_a_time_and_back(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await shows(pilot, "first", "failed")
        await pilot.press("at")
        await shows(pilot, "Go to a time", "run 1 first: failed", "Not kept")
        await pilot.press(*"no time", "enter")
        await shows(pilot, "'no time' is no time")
        for _ in "no time":
            await pilot.press("backspace")
        await pilot.press(*when(T0 + 2 * HOUR), "enter")
        screen = await shows(pilot, f"as it was at {when(T0 + 2 * HOUR)}", "esc returns to now", "running")
        assert "failed" not in screen
        await pilot.press("t")
        await told(pilot, "This is the past")
        await pilot.press("greater_than_sign")
        await shows(pilot, when(T0 + 3 * HOUR), "run 1 first: failed", "✖ failed")
        await pilot.press("less_than_sign")
        await shows(pilot, f"as it was at {when(T0)}", "No runs yet")
        await pilot.press("less_than_sign")
        await told(pilot, "Nothing is recorded before this.")
        await pilot.press("escape")
        screen = await shows(pilot, "✖ failed")
        assert "as it was" not in screen
        await settle(pilot)


async def test_steps_lead_to_what_happened_last_and_on_to_now(engine: Engine) -> None:
    async with Console(engine, stage="problem").run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "A problem")
        await pilot.press("greater_than_sign")
        await told(pilot, "This is now.")
        await pilot.press("less_than_sign")
        await shows(pilot, f"as it was at {when(T0 + 4 * HOUR)}", "late@champion: with")
        await pilot.press("greater_than_sign")
        await shows(pilot, "flights")
        await settle(pilot)
        assert "as it was" not in screen_text(pilot)


async def test_a_time_that_was_left_is_let_go_of_once_nothing_reads_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[None] = []
    monkeypatch.setattr(travel, "settle_memory", lambda: settled.append(settle_memory()))
    console = Console(engine, stage="experiments")
    async with console.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "first", "failed")
        await pilot.press("less_than_sign")
        await shows(pilot, "as it was at")
        await pilot.press("9", "6")
        past, read = weakref.ref(console.engine.store), [console.engine]
        await pilot.press("escape")
        await shows(pilot, "✖ failed")
        await becomes(pilot, lambda: settled)
        assert past() is not None
        read.clear()

        def closed() -> bool:
            store = past()
            return store is None or not any(each._idle for each in store._connections.values())

        await becomes(pilot, closed, seconds=60.0)  # it is tried again more and more rarely


async def test_the_console_opens_in_the_past(engine: Engine) -> None:
    async with Console(engine.as_of(T0 + HOUR), stage="experiments").run_test(size=SIZES[0]) as pilot:
        await shows(pilot, f"as it was at {when(T0 + HOUR)}", "queued")
        await pilot.press("escape")
        await shows(pilot, "✖ failed")
        await settle(pilot)


def test_commands_tell_the_past_or_say_that_they_can_not(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    def states(hours: float) -> list[str]:
        found = document(engine, capsys, f"--at={when(T0 + round(hours * HOUR))}", "runs", "list")
        return [run["state"] for run in found["runs"]]

    assert [states(hours) for hours in (0.5, 1, 2, 3)] == [[], ["queued"], ["running"], ["failed"]]
    for arguments, said in (
        (("--at", "1h", "jobs", "cancel", "1"), "`lemnis jobs cancel` can't tell the past."),
        (("--at", "1999-01-01", "status"), "no record of 1999-01-01"),
        (("--at", "soon", "status"), "'soon' is no time"),
    ):
        assert call(engine, *arguments) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(BadInput, match="--at needs a time"):
        hoisted(["--at"])


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-05-28 23:26", T0),
        ("2026-05-28T22:26+01:00", T0 + HOUR),
        ("23:26:30", T0 + 30_000),
        ("23:26", T0),
        ("yesterday 23:26", T0 - 24 * HOUR),
        ("today", T0 - 23 * HOUR - 26 * 60_000),
        ("2h ago", T0 - 2 * HOUR),
        ("90 min", T0 - HOUR - HOUR // 2),
        ("1d", T0 - 24 * HOUR),
    ],
)
def test_a_moment_is_read_in_the_readers_zone(text: str, means: int) -> None:
    assert moment_ms(text, T0, timezone(timedelta(hours=3))) == means


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "1e9 weeks", "999999999999w"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no time"):
        moment_ms(text, T0, UTC)


@pytest.mark.parametrize("size", SIZES)
async def test_an_address_with_a_time_opens_the_place_as_it_was_then(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        await shows(pilot, "A problem")
        place = address("run", 1, at=when(T0 + 2 * HOUR))
        pilot.app.post_message(PlaceWanted(place))
        await shows(pilot, f"as it was at {when(T0 + 2 * HOUR)}", "first", "running")
        assert isinstance(pilot.app, Console)
        app = pilot.app
        copied = await becomes(pilot, lambda: str(app.where()) if app.where().kind == "run" else "")
        assert parsed(copied).option("at") == moment_text(T0 + 2 * HOUR)
        pilot.app.post_message(PlaceWanted(parsed("run/1")))
        screen = await shows(pilot, "✖ failed")
        assert "as it was" not in screen
        pilot.app.post_message(PlaceWanted(parsed(copied)))
        await shows(pilot, "as it was at", "running")
        pilot.app.post_message(PlaceWanted(address("runs", at="yesterdayish")))
        await told(pilot, "is no time")
        assert engine.at is None, "the engine of now stays what it was"
        await pilot.press("escape", "escape")  # the run, then the past
        await shows(pilot, "✖ failed")
        await settle(pilot)
