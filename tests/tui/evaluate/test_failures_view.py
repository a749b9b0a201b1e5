"""Failure types as a person sees them, and the keys that label them, check for them and change their rows."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from support import settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.evaluate.interpretation.records import (
    Condition,
    Failed,
    Failures,
    FailureType,
    Followed,
    Followup,
)
from lemnis.engine.evaluate.interpretation.results import save_interpretation
from lemnis.engine.labelling import LabellingRoom
from lemnis.tui.app import Console

EVENING = FailureType(
    kind="missed", conditions=[Condition(feature="hour", low=17.0, high=21.0, tone="high")], share=0.75, count=41,
    fits=0.2, fits_wrong=0.4, centre={"hour": 0.8}, radius=0.3,
    rows=[Failed(key="7-17-UA", row=7, loss=2.5, said="8.1%", actual="true")],
)  # fmt: skip
FOUND = Failures(
    part="test", rows=200, errors=55, sampled=55, rule="answered wrong at the threshold", sample="", types=[EVENING],
    followups=[
        Followup(
            run_id=7, run_name="older[/]", errors=60, rows=200, same_rows=True,
            types=[Followed(name="missed: night", before=41, now=3)], unlike=4,
        )
    ],
)  # fmt: skip


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncGenerator[Pilot[None]]:
    save_interpretation(engine.store, 1, "failures", FOUND)
    async with Console(engine, stage="evaluate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("E")
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_types_are_listed_with_their_rows_and_what_became_of_earlier_ones(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with opened(engine, size) as pilot:
        await shows(
            pilot, "55 errors of 200 test rows", "✖ missed", "hour 17–21 (high)", "75.0%", "20.0% of rows",
            "40.0% wrong", "since run 7", "older[/]", "41 → 3", "7-17-UA", "8.1%",
        )  # fmt: skip


async def test_keys_make_a_queue_and_a_check_that_is_shown_before_it_is_written(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def queue(room: LabellingRoom, run_id: int, place: int, who: str) -> SimpleNamespace:
        asked.append((run_id, place))
        return SimpleNamespace(id=3, labels="late_review", rows=1)

    monkeypatch.setattr(LabellingRoom, "queue_failures", queue)
    async with opened(engine) as pilot:
        await shows(pilot, "hour 17–21")
        await pilot.press("Q")
        await shows(pilot, "Queue 3 of late_review has 1 rows.")
        assert asked == [(1, 0)]
        await pilot.press("W")
        await shows(pilot, "Write this check into lemnis.toml?", 'name = "failing_hour"', "between 17 and 21")
        assert not engine.validate.declared()
        await pilot.press("y")
        await shows(pilot, "failing_hour is declared.")
    assert [check.name for check in engine.validate.declared()] == ["failing_hour"]
