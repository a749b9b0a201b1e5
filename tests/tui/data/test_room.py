from pathlib import Path
from typing import Any

import pytest
from support import engine_at, settle, shows

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.widgets import Table

CONFIG = """
[problem]
target = "y"
[sources.left]
path = "left.csv"
[sources.right]
path = "right.csv"
[dataset]
name = "pairs"
base = "left"
key = ["id"]
time = "day"
[dataset.derive]
y = "x > 1"
[[dataset.links]]
source = "right"
on = { k = "k" }
prefix = "r_"
[dataset.split]
train = { start = "2013-01-01", end = "2013-02-01" }
"""
EVIL = "\x1b[2J[b]evil[/b]"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = engine_at(tmp_path / "pairs", CONFIG)
    (opened.workspace.root / "left.csv").write_text(f"id,day,k,x\n1,2013-01-01,a,1\n2,2013-01-02,{EVIL},2\n")
    (opened.workspace.root / "right.csv").write_text("k,z\na,5\nb,6\n")
    return opened


def work(engine: Engine) -> None:
    context = JobContext.for_test(engine.store)
    jobs.sync(context, {})
    jobs.link(context, {})
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished'")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_sources_versions_and_links_are_seen_at_once(engine: Engine, size: tuple[int, int]) -> None:
    work(engine)
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await shows(pilot, "left", "● ready", "pairs v1", "train 2", "50.0%", "Links of pairs v1")
        assert pilot.app.query_one("#detail-panel").display == (size[0] >= 140)


async def test_before_anything_came_the_next_key_is_said(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "◌ new", "No version yet. Press u, then n to link.")


async def test_enter_opens_a_link_with_its_orphans_and_escape_closes_it(engine: Engine) -> None:
    work(engine)
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Links of pairs v1")
        pilot.app.query_one("#links", Table).focus()
        await pilot.press("enter")
        await shows(pilot, "1 rows ask for 1 keys nobody has", "␛[2J[b]evil[/b]")
        assert not pilot.app.query_one("#lists").display
        await pilot.press("escape")
        await settle(pilot)
        assert pilot.app.query_one("#lists").display
        assert pilot.app.focused is pilot.app.query_one("#links", Table)


async def test_enter_opens_the_source_under_the_cursor_though_nothing_moved_yet(engine: Engine) -> None:
    work(engine)
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Links of pairs v1")
        await pilot.press("enter")
        await shows(pilot, "left csv", "kept      1 snapshot")


async def test_the_cursor_decides_what_is_shown_in_full(engine: Engine) -> None:
    work(engine)
    async with Console(engine, stage="data").run_test(size=(160, 48)) as pilot:
        await shows(pilot, "pairs v1 6 columns", "label")
        await pilot.press("j")
        await shows(pilot, "right csv", "kept")
        pilot.app.query_one("#snapshots", Table).focus()
        await shows(pilot, "right snapshot", "from")


async def test_keys_queue_the_work(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "◌ new")
        await pilot.press("u", "n")
        await pilot.press("j", "U")
        await settle(pilot)
        queued = sorted((job.kind, str(job.arguments.get("sources"))) for job in engine.jobs.jobs())
        assert queued == [("data.link", "None"), ("data.sync", "None"), ("data.sync", "['right']")]


async def test_a_running_job_shows_its_progress_without_a_key(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "◌ new")
        context = JobContext.for_test(engine.store, kind="data.sync")
        context.progress(0.25, "left: 1,000 rows read")
        stage: Any = pilot.app.query_one("#stage-data")
        stage.reload()
        await shows(pilot, "left: 1,000 rows read", "◐ syncing")


async def test_stopping_asks_first(engine: Engine) -> None:
    job = engine.data.start_sync()
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "queued: waiting")
        await pilot.press("x")
        await shows(pilot, "what is kept stays")
        await pilot.press("y")
        await settle(pilot)
        assert engine.jobs.job(job).state == "cancelled"


async def test_a_file_that_is_not_accepted_is_shown_with_its_line(engine: Engine) -> None:
    work(engine)
    engine.workspace.config.write_text(CONFIG.replace('base = "left"', 'base = "lost"'))
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "lemnis.toml:10", "which is no source")
