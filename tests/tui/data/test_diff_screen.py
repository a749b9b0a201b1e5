"""Two versions compared by keyboard: from the list of versions to a single row, and back."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support import becomes, engine_at, settle, shows
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.diff.jobs import diff as compare
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.widgets import Table

EVIL = "\x1b[2J[b]"
ROWS = 600
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)])


def versions(engine: Engine) -> list[str]:
    """Record three versions: the second moves a number, a code and a column; the third is as the second."""
    first: dict[str, list[Any]] = {
        "id": [f"항공 {place}" for place in range(ROWS)],
        "delay": [float(place % 40) for place in range(ROWS)],
        "gate": [("A", "B", EVIL)[place % 3] for place in range(ROWS)],
        "old": [1] * ROWS,
    }
    second: dict[str, list[Any]] = {
        "id": [*first["id"][1:], "항공 new"],
        "delay": [None, *(delay + 20 for delay in first["delay"][2:]), 5.0],
        "gate": [{"A": "게이트", EVIL: "C"}.get(gate, gate) for gate in first["gate"][1:]] + ["B"],
    }
    tables = [first, second, {name: values[::-1] for name, values in second.items()}]
    roles = {"id": "key"}
    return [
        record_version(engine.store, pa.table(table), name="flights", roles=roles, split={}, now=place).id
        for place, table in enumerate(tables)
    ]


def done(engine: Engine, before: str, after: str, key: list[str] | None = None) -> None:
    compare(
        JobContext.for_test(engine.store), {"before": before, "after": after, "key": ["id"] if key is None else key}
    )
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished'")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = engine_at(tmp_path / "work")
    versions(opened)
    return opened


def ids(engine: Engine) -> list[str]:
    return [version.id for version in sorted(engine.data.versions(), key=lambda one: one.number)]


async def told(pilot: Any, words: str) -> None:
    """Wait for a toast."""
    await becomes(pilot, lambda: any(words in f"{t.title} {t.message}" for t in pilot.app._notifications))


async def go_to_versions(pilot: Any) -> Table:
    await shows(pilot, "flights v3")
    table = pilot.app.query_one("#versions", Table)
    table.focus()
    await settle(pilot)
    return table


@SIZES
async def test_from_two_marked_versions_to_a_single_row_and_back(engine: Engine, size: tuple[int, int]) -> None:
    first, second, _ = ids(engine)
    done(engine, first, second)
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await go_to_versions(pilot)
        await pilot.press("j", "space", "space", "c")
        await shows(pilot, "flights v1 → flights v2", "+ 1 added", "− 1 removed", "~ 599 changed", "old is gone")
        await shows(pilot, "delay", "100.0%", "▲", "+C +게이트  −", "✖ drift", "K  explain")
        await pilot.press("j")
        await shows(pilot, "changed", "599 of 599 rows", "lost theirs", "+20.000 on average")
        if size[0] >= 140:
            await shows(pilot, "before", "after", "≥")
        await pilot.press("enter")
        await shows(pilot, "Rows that changed in delay", "항공 1", "delay before", "+20")
        await pilot.press("G")
        await shows(pilot, "항공 599")
        await pilot.press("]")
        await shows(pilot, "Rows that changed in gate", "게이트", "␛[2J[b]")
        await pilot.press("v")
        await shows(pilot, "Removed rows 1", "항공 0")
        await pilot.press("escape", "r")
        await shows(pilot, "Rows that differ 601", "delay 1 → ")
        await pilot.press("v", "v", "v")
        await shows(pilot, "Added rows 1", "항공 new", "gate B")
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert pilot.app.query_one("#versions", Table).has_focus


@SIZES
async def test_the_same_rows_in_another_order_are_the_same(engine: Engine, size: tuple[int, int]) -> None:
    _, second, third = ids(engine)
    done(engine, second, third)
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await go_to_versions(pilot)
        await pilot.press("c")
        await shows(pilot, "flights v2 → flights v3", "● the two versions are the same, 600 rows")
        await pilot.press("r")
        await told(pilot, "No row differs.")


async def test_a_comparison_is_made_with_progress_swapped_and_stopped(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await go_to_versions(pilot)
        await pilot.press("c")
        await shows(pilot, "compare flights v2 with flights v3", "queued")
        job = engine.jobs.jobs()[0]
        assert job.arguments == {"before": ids(engine)[1], "after": ids(engine)[2], "key": ["id"]}
        with engine.store.write() as db:
            db.execute("update jobs set state = 'running', epoch = 1 where id = ?", [job.id])
        context = JobContext(engine.store, job.id, epoch=1, cores=1)
        context.progress(0.5, "comparing delay, about 9 s left")
        await shows(pilot, "comparing delay, about 9 s left")
        compare(context, job.arguments)
        queue.end(engine.store, job.id, 1, "finished", "finished", {})
        await shows(pilot, "the two versions are the same")
        await pilot.press("b")
        await shows(pilot, "compare flights v3 with flights v2")
        await pilot.press("x")
        await shows(pilot, "what it has found so far")
        await pilot.press("y")
        await shows(pilot, "The comparison is cancelled")
        await becomes(pilot, lambda: {one.state for one in engine.jobs.jobs()} == {"finished", "cancelled"})


async def test_rows_can_be_paired_by_another_key_or_whole(engine: Engine) -> None:
    first, second, _ = ids(engine)
    done(engine, first, second)
    done(engine, first, second, [])
    async with Console(engine, stage="data").run_test(size=(160, 48)) as pilot:
        await go_to_versions(pilot)
        await pilot.press("j", "c")
        await shows(pilot, "~ 599 changed")
        for typed, said in (("none", "whole rows: no key"), ("lost", "has no column 'lost'")):
            await pilot.press("n")
            await shows(pilot, "Which columns say which rows are the same?")
            pilot.app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await shows(pilot, said)
        await shows(pilot, "− 600 removed")


@pytest.mark.slow
async def test_rows_are_exported_explained_and_helped(engine: Engine, tmp_path: Path) -> None:
    first, second, _ = ids(engine)
    done(engine, first, second)
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await go_to_versions(pilot)
        await pilot.press("j", "c")
        await shows(pilot, "~ 599 changed")
        await pilot.press("question_mark")
        await shows(pilot, "compare the other way round")
        await pilot.press("escape", "K")
        await shows(pilot, "population stability index")
        await pilot.press("escape", "r")
        await shows(pilot, "Rows that differ 601")
        await pilot.press("v", "v")
        await shows(pilot, "Removed rows 1", "gate A")
        await pilot.press("v", "v")
        await shows(pilot, "Rows that differ 601")
        await pilot.press("s")
        await told(pilot, "stay in the order")
        path = tmp_path / "rows.jsonl"
        for asked, said in ((told, "601 rows are in"), (shows, "exists already")):
            await pilot.press("E")
            await shows(pilot, "a new file ending in")
            pilot.app.screen.query_one(Input).value = str(path)
            await pilot.press("enter")
            await asked(pilot, said)
        assert len(path.read_text().splitlines()) == 601


async def test_three_marks_or_a_single_version_are_refused_in_a_sentence(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await go_to_versions(pilot)
        await pilot.press("space", "space", "space", "c")
        await told(pilot, "3 versions are marked.")
        await pilot.press("space")
        pilot.app.query_one("#versions", Table).mark_only([])
        await pilot.press("G", "c")
        await shows(pilot, "There is no version before flights v1.")


async def test_a_workspace_that_is_open_read_only_says_that_nothing_was_compared(engine: Engine) -> None:
    reader = Engine(engine.workspace, read_only=True)
    async with Console(reader, stage="data").run_test(size=(80, 24)) as pilot:
        await go_to_versions(pilot)
        await pilot.press("c")
        await shows(pilot, "not compared yet", "Nothing was compared.")
    reader.store.close()
