"""A look at a file by keyboard, and what the plan says of sources."""

from pathlib import Path

import pytest
from support import engine_at, settle, shows
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console

DAY_MS = 86_400_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = engine_at(tmp_path / "work")
    (opened.workspace.root / "고객.csv").write_bytes("이름;나이\n김철수;30\n\x1b[2J;41\n".encode("cp949"))
    return opened


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_file_is_looked_at_and_added_by_keys(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await shows(pilot, "Press v to look at one and add it.")
        await pilot.press("v")
        await shows(pilot, "Nothing is kept")
        pilot.app.screen.query_one(Input).value = "고객.csv"
        await pilot.press("enter")
        await shows(pilot, "김철수", "cp949", "␛[2J", "나이 bigint", "2 rows", "n  add it")
        assert engine.data.sources() == []
        await pilot.press("n")
        await shows(pilot, "What is the source called?")
        pilot.app.screen.query_one(Input).value = "customers"
        await pilot.press("enter")
        await shows(pilot, "customers", "◌ new")
        await settle(pilot)
    assert (engine.data.sources()[0].path, engine.data.snapshots()) == ("고객.csv", [])


async def test_a_file_that_would_be_refused_says_why_and_is_not_added(engine: Engine) -> None:
    (engine.workspace.root / "bad.csv").write_text("a,b\n1\n")
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "No source yet.")
        await pilot.press("v")
        await shows(pilot, "Nothing is kept")
        pilot.app.screen.query_one(Input).value = "bad.csv"
        await pilot.press("enter")
        screen = await shows(pilot, "1 cells where the header has 2")
        assert "add it" not in screen
        await pilot.press("escape")
        await shows(pilot, "No source yet.")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_is_late_by_the_plan_is_marked(engine: Engine, size: tuple[int, int]) -> None:
    plan = '[[problem.acquisition]]\nsource = "t"\ncadence = "daily"\nowner = "Kim"\n[sources.t]\npath = "t.csv"\n'
    engine.workspace.config.write_text(engine.workspace.config.read_text() + plan)
    (engine.workspace.root / "t.csv").write_text("a\n1\n")
    jobs.sync(JobContext.for_test(engine.store), {})
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished'")
        db.execute("update snapshots set created_at = created_at - ?", [4 * DAY_MS])
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await shows(pilot, "overdue by 3 days")
        await pilot.press("enter")
        await shows(pilot, "plan", "daily, next due", "owner", "Kim")
