"""Korean complaints labelled end to end by keys: two people, agreement, decisions, label errors, a version, a model."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from korean import CLASSES, make_workspace
from labelled import TRUE
from support import becomes as becomes_within
from support import settle
from support import shows as shows_within
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.explore.labels import Queue
from lemnis.tui.app import Console
from lemnis.tui.screens.label import LabelMode
from lemnis.tui.screens.labels import LabelDesk
from lemnis.tui.widgets import Table

KEYS = {"교통": "f", "환경": "j", "시설": "d", "복지": "k"}
SECONDS = 90.0  # a worker process starts, works and ends, on a machine that others use too
becomes, shows = partial(becomes_within, seconds=SECONDS), partial(shows_within, seconds=SECONDS)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(make_workspace(tmp_path / "민원실", 160))
    yield opened
    opened.jobs.stop_supervisor()
    opened.store.close()


@asynccontextmanager
async def console(engine: Engine) -> AsyncGenerator[Pilot[None]]:
    app = Console(engine, stage="data", supervise=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        yield pilot


async def named(pilot: Pilot[None], who: str) -> None:
    """Say at the desk who labels."""
    await pilot.press("w")
    field = pilot.app.screen.focused
    assert isinstance(field, Input)
    field.value = who
    await pilot.press("enter")
    await shows(pilot, f"labelling as {who}")


async def new_queue(pilot: Pilot[None], engine: Engine, kind: str, rows: int = 300, overlap: str = "0") -> Queue:
    """Make a queue at the desk, wait for its worker, and put the cursor on it."""
    known = {queue.id for queue in engine.explore.labels.queues()}
    await pilot.press("n")
    await shows(pilot, "New queue of topic")
    form = pilot.app.screen
    form.query_one("#queue-rows", Input).value = str(rows)
    form.query_one("#queue-overlap", Input).value = overlap
    assert form.query_one(Table).select(kind)
    await pilot.press("enter")

    def made() -> Queue | None:
        return next((queue for queue in engine.explore.labels.queues() if queue.id not in known), None)

    queue = await becomes(pilot, made)
    assert queue is not None
    assert isinstance(pilot.app.screen, LabelDesk)
    table = pilot.app.screen.query_one("#desk-queues", Table)
    await becomes(pilot, lambda: table.select(str(queue.id)))
    return queue


async def answered(pilot: Pilot[None], answer: Callable[[str, int], str], most: int = 1000) -> int:
    """Open the queue under the cursor and press for each row the key that `answer` gives for its key and number."""
    await pilot.press("enter")
    await becomes(pilot, lambda: isinstance(pilot.app.screen, LabelMode))
    mode: Any = pilot.app.screen
    count = 0
    while True:
        await becomes(pilot, lambda: mode.sight is not None and not mode.waiting)
        if mode.sight.task is None or count >= most:
            return count
        before = mode.sight
        await pilot.press(answer(before.task.item.row_key, count))
        await becomes(pilot, lambda before=before: mode.sight is not before and not mode.waiting)
        count += 1


@pytest.mark.slow
async def test_from_a_file_of_complaints_to_a_model_by_keys_alone(engine: Engine) -> None:
    room = engine.explore.labels
    async with console(engine) as pilot:
        # Sync and link.
        await pilot.press("u")
        await becomes(pilot, lambda: engine.data.snapshots())
        await pilot.press("n")
        await becomes(pilot, lambda: engine.data.versions())
        await pilot.press("3")
        await settle(pilot)
        await pilot.press("a")
        await shows(pilot, "No queue yet", "분류")

        # The first person labels 150 rows, nineteen of them wrong, after an undo, an unsure and a skip.
        await named(pilot, "김민수")
        queue = await new_queue(pilot, engine, "order", 150, "0.2")
        wrong = set(list(TRUE)[5:150:8])

        def first(key: str, number: int) -> str:
            right = TRUE[key]
            other = CLASSES[(CLASSES.index(right) + 1) % 4]
            return {2: "question_mark", 3: "space"}.get(number, KEYS[other if key in wrong else right])

        assert await answered(pilot, first) == 150
        await shows(pilot, "Nothing is left for you in this queue", "?  unsure           1", "김민수")
        await pilot.press("u")
        await shows(pilot, "taken back", "민원-20250150")
        await settle(pilot)
        await pilot.press("U")
        await shows(pilot, "said again", "you said ")
        await pilot.press("escape")

        # A second person gets the rows of the overlap and the skipped one, and differs here and there.
        await shows(pilot, "Queues topic")
        await named(pilot, "이영희")
        await becomes(pilot, lambda: table_of(pilot).select(str(queue.id)))
        asked = await answered(pilot, lambda key, number: KEYS[TRUE[key]])
        assert asked == 31  # 30 of the overlap and the skipped one
        await pilot.press("escape")
        await shows(pilot, "Queues topic")
        await pilot.press("c")
        await shows(pilot, "Krippendorff's alpha of all", "Cohen's kappa of 김민수 and 이영희", "n = 30")
        await pilot.press("escape")
        accord = room.agreement("topic")
        (split,) = [found.split for found in room.sets()]
        assert accord.alpha.n - accord.alpha.agreed == split > 0

        # What they differ on is decided by a third.
        await named(pilot, "박")
        await new_queue(pilot, engine, "split")
        assert await answered(pilot, lambda key, number: KEYS[TRUE[key]]) == split
        await pilot.press("escape")
        assert room.sets()[0].split == 0

        # Probable errors are reviewed one at a time.
        errors = await new_queue(pilot, engine, "errors")
        candidates = {item.row_key for item in room.items(errors.id)}
        still = {row.row_key for row in room.resolved("topic") if row.value not in (None, TRUE[row.row_key])}
        assert len(candidates & still) >= len(still) / 2 > 0
        await answered(pilot, lambda key, number: KEYS[TRUE[key]])
        await shows(pilot, f"of the last {len(candidates)} you changed {len(candidates & still)}")
        await pilot.press("escape")
        left = {row.row_key for row in room.resolved("topic") if row.value not in (None, TRUE[row.row_key])}
        assert left == still - candidates

        # The labels become a version, and a model learns from it.
        await shows(pilot, "Queues topic")
        await pilot.press("a")
        await becomes(pilot, lambda: len(engine.data.versions()) == 2)
        version = engine.data.version()
        assert (version.label, sum(version.label_counts.values())) == ("분류", 149)  # the unsure row has none
        await pilot.press("escape", "6")
        await settle(pilot)
        await pilot.press("t")
        await shows(pilot, "default")
        await pilot.press("enter")

        def trained() -> Any:
            found = engine.store.row("select id from runs where state = 'finished'")
            return None if found is None else engine.experiments.run(found["id"])

        run = await becomes(pilot, trained)
        assert (run.target, run.version_id) == ("분류", version.id)
        loss = next(value for name, value in run.metrics.items() if "loss" in name and "train" in name)
        assert loss is not None
        assert loss < 1.2  # four classes guessed by their shares: 1.36
        assert len(engine.experiments.signature(run.id).classes) == 4


def table_of(pilot: Pilot[None]) -> Table:
    return pilot.app.screen.query_one("#desk-queues", Table)
