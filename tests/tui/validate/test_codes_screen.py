"""The codes screen: unknown codes by their rows, added, mapped, put in quarantine and taken back by keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support import settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.config import load_config
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs
from lemnis.tui.app import Console


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="validate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_unknown_codes_are_shown_and_added_with_a_reason(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press("c")
        text = await shows(pilot, "Unknown code code_known · 1 of 1 · 100 rows", "[/x]␛[2J", "100.0")
        assert "\x1b" not in text
        await pilot.press("a")
        await shows(pilot, "Add [/x]␛[2J")
        await pilot.press("enter", "enter", "enter")
        await shows(pilot, "Say why.")
        pilot.app.screen.query_one("#ask-why", Input).value = "the carrier says so"
        await pilot.press("enter")
        await shows(pilot, "code_known v1", "the carrier says so", "added")
        await pilot.press("escape")
        await shows(pilot, "The codes were changed. Press n")
        jobs.run(JobContext.for_test(engine.store), {})
        await shows(pilot, "✖ 0 failed" if size[0] > 100 else "● 2 passed")


@pytest.mark.slow
async def test_a_code_is_mapped_to_another_and_that_is_undone(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("c")
        await shows(pilot, "code_known · 1 of 1")
        await pilot.press("m")
        await shows(pilot, "Map [/x]")
        pilot.app.screen.query_one("#ask-to", Input).value = "nope"
        pilot.app.screen.query_one("#ask-why", Input).value = "typed wrong"
        pilot.app.screen.query_one("#ask-who", Input).focus()
        await pilot.press("enter")
        await shows(pilot, "stands for 'nope', which is no code")
        await pilot.press("m")
        await shows(pilot, "Map [/x]")
        pilot.app.screen.query_one("#ask-to", Input).value = "a"
        pilot.app.screen.query_one("#ask-why", Input).value = "typed wrong"
        pilot.app.screen.query_one("#ask-who", Input).focus()
        await pilot.press("enter")
        await shows(pilot, "stands for a", "synonym")
        await pilot.press("u")
        await shows(pilot, "Take back: map")
        pilot.app.screen.query_one("#ask-why", Input).value = "it was right"
        pilot.app.screen.query_one("#ask-who", Input).focus()
        await pilot.press("enter")
        await shows(pilot, "map (undone)")
    assert load_config(engine.workspace.config).code_lists["code_known"].synonyms == {}


@pytest.mark.slow
async def test_rows_go_into_quarantine_by_a_rule(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("c")
        await shows(pilot, "code_known · 1 of 1")
        await pilot.press("q")
        await shows(pilot, "100 rows are copied aside")
        pilot.app.screen.query_one("#ask-why", Input).value = "a broken feed"
        pilot.app.screen.query_one("#ask-who", Input).focus()
        await pilot.press("enter")
        await shows(pilot, "in quarantine", "100 rows are kept aside")
    assert [rule.column for rule in load_config(engine.workspace.config).dataset.quarantine] == ["code"]


async def test_a_check_without_codes_says_so(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("G", "c")
        await shows(pilot, "Choose a check that judges codes")
