"""The pool's screen: shares as bars, who waits why and until when, a dry run, and keys that move a job in line."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from overtaking import Held
from support import becomes, screen_text, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.resources import Account, Change, Fate, Moved, Start, Waiting, WhatIf
from lemnis.engine.resources.room import ResourcesRoom
from lemnis.engine.resources.scheduling import Claim
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.stages.resources.pool import words
from lemnis.tui.stages.resources.pool.screen import PoolScreen
from lemnis.tui.stages.resources.room import ResourcesStage
from lemnis.tui.widgets.cells import plain
from lemnis.tui.widgets.table import Table

CONFIG = """[problem]
title = "Test"
[pool]
cores = 2
memory = "4GiB"
[pool.quotas.ann]
guaranteed = { cores = 1 }
limit = { cores = 2 }
"""
JOBS = ((1, "bob", "running", 1), (2, "ann", "queued", 2), (3, "bob", "queued", 1))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Bob borrows one of two cores; ann waits for both, bob for another."""
    opened = Engine(create_workspace(tmp_path / "box", CONFIG))
    began = now_ms() - 100_000
    with opened.store.write() as db:
        for number, user, state, cores in JOBS:
            db.table("jobs").insert(
                {
                    "id": number, "kind": "x", "title": f"work [bold]{number}", "arguments": "{}", "state": state,
                    "cores": cores, "created_at": began + number, "submitted_by": user,
                    "started_at": began if state == "running" else None, "progress": 0.5 if number == 1 else None,
                }
            )  # fmt: skip
        db.execute("insert into allocations (job_id, epoch, account, cores, memory_bytes, gpu, started_at) "
                   "values (1, 0, 'bob', 1, 0, 0, ?)", [began])  # fmt: skip
    yield opened
    opened.store.close()


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int]) -> AsyncGenerator[Pilot[None]]:
    app = Console(engine, stage="resources", supervise=False)
    async with app.run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(ResourcesStage).loaded_at is not None)
        await pilot.press("P")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, PoolScreen))
        await becomes(pilot, lambda: pilot.app.screen.query_one("#pool-jobs", Table).total == 3)
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_shares_are_bars_and_every_waiting_job_says_why_and_when(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press("j")
        text = await shows(pilot, "waits for 2 cores: 1 of 2 free", "starts in about")
        assert "work [bold]1" in text
        assert "0 cores, 1 guaranteed, limit 2, 1 waiting" in text
        assert "1 core, 1 borrowed, 1 waiting" in text
        assert "▓" in text
        assert "░" in text


async def test_plus_raises_the_priority_and_what_if_shows_it_before(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("j", "w")
        await shows(pilot, "What if", "priority 50, 2 cores", "place 1")
        await pilot.press("less_than_sign")
        await shows(pilot, "priority 50, 1 core", "starts with 1 core, within what ann is guaranteed")
        await pilot.press("enter")
        await shows(pilot, "Cores are only tried out")
        assert engine.jobs.job(2).allocation.cores == 2
        await pilot.press("greater_than_sign", "plus")
        await shows(pilot, "priority 60, 2 cores")
        await pilot.press("enter")
        await becomes(pilot, lambda: engine.jobs.job(2).priority == 60)
        await becomes(pilot, lambda: isinstance(pilot.app.screen, PoolScreen))
        await shows(pilot, "Job 2 has priority 60.")
        await pilot.press("minus")
        await becomes(pilot, lambda: engine.jobs.job(2).priority == 50)


async def test_what_is_tried_last_is_shown_though_what_was_tried_before_is_found_last(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    what_if = ResourcesRoom.what_if
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("j", "w")
        await shows(pilot, "priority 50, 2 cores")
        held = Held()

        def slowly(room: ResourcesRoom, job_id: int, change: Change) -> WhatIf:
            found = what_if(room, job_id, change)
            held.wait(change.priority)
            return found

        monkeypatch.setattr(ResourcesRoom, "what_if", slowly)
        for priority in (60, 70):
            await pilot.press("plus")
            await becomes(pilot, lambda priority=priority: priority in held.begun)
        held.end(70)
        await shows(pilot, "priority 70, 2 cores")
        held.end(60)
        await pilot.pause()
        assert "priority 70, 2 cores" in screen_text(pilot)


async def test_stopping_asks_and_escape_leads_back(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("j", "x")
        await shows(pilot, "Stop job 2?")
        await pilot.press("x")
        assert engine.jobs.job(2).state == "queued"
        await pilot.press("y")
        await becomes(pilot, lambda: engine.jobs.job(2).state == "cancelled")
        await pilot.press("escape")
        await becomes(pilot, lambda: not isinstance(pilot.app.screen, PoolScreen))
        assert "Processes" in screen_text(pilot)


def test_a_bar_shows_what_is_guaranteed_borrowed_free_and_up_to_the_limit() -> None:
    account = Account(
        name="ann", guaranteed=(2, 0, 0), limit=(6, None, None), held=(4, 0, 0), borrowed=(2, 0, 0), waiting=0, use=0.5,
        declared=True,
    )  # fmt: skip
    assert words.account_bar(account, 0, 8, 8).plain == "▕██▓▓··  ▏"
    idle = Account(
        name="ann", guaranteed=(2, 0, 0), limit=(None, None, None), held=(0, 0, 0), borrowed=(0, 0, 0), waiting=0,
        use=0, declared=True,
    )  # fmt: skip
    assert words.account_bar(idle, 0, 8, 8).plain == "▕░░······▏"


def test_an_estimate_is_as_exact_as_it_is() -> None:
    assert [words.rough(seconds) for seconds in (2, 33, 100, 7200)] == ["1 s", "35 s", "2 min", "2.0 h"]


async def test_a_bar_has_every_part_of_a_share_in_a_colour_there_is(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute("update jobs set state = 'running', cores = 1, started_at = created_at where id = 2")
        db.execute("insert into allocations (job_id, epoch, account, cores, memory_bytes, gpu, started_at) "
                   "values (2, 0, 'ann', 1, 0, 0, ?)", [now_ms()])  # fmt: skip
    async with opened(engine, (80, 24)) as pilot:
        await shows(pilot, "1 core, 1 guaranteed, limit 2", "█")


def test_a_job_that_made_room_says_so_first_and_one_that_never_starts_has_no_time() -> None:
    asked = {"run_id": None, "kind": "x", "title": "x", "cores": 1, "memory_bytes": 0, "gpu": 0.0, "priority": 50}
    left = "preempted by job 8 (ann is guaranteed 1 core); begins again"
    stopped = Waiting(job_id=2, since=0, why="waits for 1 core", refused=False, left=left, **asked)  # type: ignore[arg-type]
    never = Waiting(job_id=3, since=0, why="needs 8 cores", refused=True, **asked)  # type: ignore[arg-type]
    rows = [[plain(cell) for cell in words.waiting_row(job, 0).cells] for job in (stopped, never)]
    assert rows[0][3:4] + rows[0][-1:] == ["○ preempted", f"{left}; waits for 1 core"]
    assert rows[1][3:4] + rows[1][-2:] == ["✖ refused", "never", "needs 8 cores"]


def test_a_dry_run_counts_who_is_stopped_who_starts_later_and_who_only_stands_elsewhere() -> None:
    def fate(place: int, at: int | None) -> Fate:
        return Fate(place=place, why="waits", start=Start(at=at))

    def moved(job_id: int, before: Fate, after: Fate, *, preempted: bool = False) -> Moved:
        return Moved(job_id=job_id, title="x", account="bob", before=before, after=after, preempted=preempted)

    others = [
        moved(1, Fate(place=None, why="runs"), Fate(place=None, why="stops"), preempted=True),
        moved(2, fate(1, 60_000), fate(2, 120_000)),
        moved(3, fate(2, 60_000), fate(3, None)),
        moved(4, fate(3, None), fate(4, None)),
    ]
    found = WhatIf(job_id=9, title="x", asked=Claim(job_id=9), before=fate(4, None), after=fate(1, 0), others=others)
    told = "1 stopped, 2 would start later, 1 would stand elsewhere in line"
    assert dict(words.what_if_lines(found, 0))["others"] == told
    cells = [[plain(cell) for cell in row.cells][3:5] for row in words.moved_rows(found, 0)]
    assert cells == [["runs", "stopped"], ["in 60 s", "in 2 min"], ["in 60 s", "–"], ["place 3", "place 4"]]
