"""The Resources tab as a person sees it: live readings, the queue with its reasons, keys that do what they say."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support import becomes, screen_text
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.resources import Gpu, GpuReport
from lemnis.engine.resources.device import keep
from lemnis.engine.resources.sampler import Sampler
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.stages.resources.live.glance import Glance
from lemnis.tui.stages.resources.room import ResourcesStage
from lemnis.tui.widgets.table import Table

CONFIG = '[problem]\ntitle = "Test"\n[pool]\ncores = 2\nmemory = "4GiB"\n'


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A workspace with a job that runs, one that waits, one that never can, and two readings of the machine."""
    opened = Engine(create_workspace(tmp_path / "box", CONFIG))
    with opened.store.write() as db:
        for number, state, cores in ((1, "running", 2), (2, "queued", 1), (3, "queued", 64)):
            db.table("jobs").insert(
                {
                    "id": number, "kind": "x", "title": f"work [bold]{number}", "arguments": "{}", "state": state,
                    "cores": cores, "created_at": now_ms(), "started_at": now_ms() if state == "running" else None,
                }
            )  # fmt: skip
    sampler = Sampler(opened.store)
    sampler.sample()
    sampler.sample()
    yield opened
    opened.store.close()


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int]) -> AsyncGenerator[Pilot[None]]:
    app = Console(engine, stage="resources", supervise=False)
    async with app.run_test(size=size) as pilot:
        await becomes(pilot, lambda: stage(pilot).loaded_at is not None)
        yield pilot


def stage(pilot: Pilot[None]) -> ResourcesStage:
    return pilot.app.query_one(ResourcesStage)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_the_machine_the_queue_with_its_reasons_and_processes(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with opened(engine, size) as pilot:
        await becomes(pilot, lambda: "job 1 holds 2" in screen_text(pilot) and "Processes" in screen_text(pilot))
        text = screen_text(pilot)
        assert "2 of 2 cores" in text
        assert "GiB" in text
        assert "work [bold]1" in text
        assert size[0] < 100 or "the pool has 2 cores" in text
        assert "CPU" in text
        assert "has not reported" in text or "no GPU" in text


async def test_readings_move_by_themselves_and_the_cursor_stays_on_its_process(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        table = pilot.app.query_one("#processes", Table)
        await becomes(pilot, lambda: table.total > 3)
        table.focus()
        await pilot.press("j", "j")
        key = table.key
        first = stage(pilot).loaded_at
        await becomes(pilot, lambda: stage(pilot).loaded_at != first)
        assert table.key == key


async def test_the_machine_is_read_half_way_too_but_not_over_a_slow_link(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[bool]()

    def look(_glance: Glance) -> None:
        looks.append(True)

    monkeypatch.setattr(Glance, "_look", look)
    async with opened(engine, (160, 48)) as pilot:
        await becomes(pilot, lambda: bool(looks))
        assert isinstance(pilot.app, Console)
        glance = stage(pilot)._glance  # pyright: ignore[reportPrivateUsage]
        assert glance._timer is not None  # pyright: ignore[reportPrivateUsage]
        pilot.app.slow = True
        glance.soon()
        assert glance._timer is None  # pyright: ignore[reportPrivateUsage]


async def test_plus_and_minus_change_the_span_of_the_chart_and_v_what_it_shows(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        assert "15 min" in screen_text(pilot)
        await pilot.press("minus")
        await becomes(pilot, lambda: "use, 1 h" in screen_text(pilot))
        await pilot.press("plus", "plus")
        await becomes(pilot, lambda: "use, 5 min" in screen_text(pilot))
        await pilot.press("v")
        await becomes(pilot, lambda: "waiting, 5 min" in screen_text(pilot))


@pytest.mark.slow
async def test_a_narrow_screen_turns_from_the_summary_to_the_past_and_back(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await becomes(pilot, lambda: "network" in screen_text(pilot))
        await pilot.press("v")
        await becomes(pilot, lambda: "now" in screen_text(pilot) and "▶1" in screen_text(pilot))
        await pilot.press("v", "v", "v", "v")
        await becomes(pilot, lambda: "network" in screen_text(pilot))


async def test_processes_are_filtered_by_a_query_shown_as_a_tree_and_signalled(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        table = pilot.app.query_one("#processes", Table)
        await becomes(pilot, lambda: table.total > 1)
        table.focus()
        await pilot.press("slash", *"owner = 'this console'", "enter")
        await becomes(pilot, lambda: table.total == 1)
        await pilot.press("t", "X")
        await becomes(pilot, lambda: len(pilot.app.screen_stack) == 2)
        assert f"process {os.getpid()}" in screen_text(pilot)
        await pilot.press("escape", "escape")
        await becomes(pilot, lambda: table.total > 1)


async def test_on_a_narrow_screen_the_border_says_why_the_job_under_the_cursor_waits(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        jobs = pilot.app.query_one("#jobs", Table)
        await becomes(pilot, lambda: jobs.total == 3)
        jobs.focus()
        await pilot.press("j", "j")
        await becomes(pilot, lambda: "needs 64 cores, the pool has" in screen_text(pilot).split("Processes")[0])
        assert "raise pool.cores" in screen_text(pilot)


async def test_stopping_a_job_asks_first_and_a_second_x_does_not_confirm(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        jobs = pilot.app.query_one("#jobs", Table)
        await becomes(pilot, lambda: jobs.total == 3)
        jobs.focus()
        await pilot.press("j", "x")
        await becomes(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press("x")
        assert engine.jobs.job(2).state == "queued"
        await pilot.press("y")
        await becomes(pilot, lambda: engine.jobs.job(2).state == "cancelled")


async def test_a_gpu_that_is_lost_says_since_when_and_why(engine: Engine) -> None:
    lost = Gpu(index="0", name="H200", why="the GPU has fallen off the bus", lost_at=now_ms() - 90_000)
    keep(engine.store, GpuReport(at=now_ms(), devices=[lost], driver="999"), tidy_now=False)
    async with opened(engine, (160, 48)) as pilot:
        await becomes(pilot, lambda: "lost since" in screen_text(pilot))
        assert "(1 min): the GPU has fallen off the bus" in screen_text(pilot)


async def test_leaving_does_not_wait_for_a_reading(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        before = asyncio.get_running_loop().time()
        await pilot.press("q")
        assert asyncio.get_running_loop().time() - before < 2
