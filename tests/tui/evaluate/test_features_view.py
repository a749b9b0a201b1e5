"""What features do, as a person sees it: beeswarms, levels, dependence and what acts together, on every size."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from support import screen_text, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.tui.app import Console


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="evaluate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


async def test_a_large_screen_shows_swarms_levels_dependence_and_interactions_together(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("i")
        await shows(
            pilot, "What each feature adds · 90 test rows · towards true", "low, up to 9", "−0.500", "+0.500",
            "P(true) on sched_dep_time", "mean 0.200 → 0.300", "missing: mean 0.400", "0.123", "40.0%",
        )  # fmt: skip
        await pilot.press("j")
        screen = await shows(pilot, "P(true) on carrier[x]", "␛[31m", "33.3%")
        assert "\x1b" not in screen
        await pilot.press("b")
        await shows(pilot, "centred P(true)", "+0.100")


async def test_a_small_screen_goes_from_swarms_to_curves_to_interactions(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("i")
        await shows(pilot, "What each feature adds", "sched_dep_time", "low, up to 9")
        await pilot.press("i")
        await shows(pilot, "sched_dep_time", "P(true) on sched_dep_time", "mean 0.200 → 0.300")
        await pilot.press("j")
        await shows(pilot, "P(true) on carrier[x]", "●")
        await pilot.press("i")
        await shows(pilot, "What acts together", "0.123")
        await pilot.press("K")
        await shows(pilot, "Friedman")
        await pilot.press("escape", "escape")
        await shows(pilot, "Gates")


async def test_what_was_not_computed_says_how_and_the_key_queues_it(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute("delete from interpretations where kind != 'contributions'")
    async with opened(engine) as pilot:
        await pilot.press("i")
        await shows(pilot, "Not computed yet. Press I")
        await pilot.press("I")
        await settle(pilot)
        assert engine.jobs.jobs()[0].kind == "evaluate.interpret"


async def test_linear_trees_say_that_they_tell_no_contributions(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute("delete from interpretations where kind = 'contributions'")
        db.execute("update importances set contribution = null")
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("i")
        await shows(pilot, "linear trees tell no contributions", "sched_dep_time")
        assert "Traceback" not in screen_text(pilot)
