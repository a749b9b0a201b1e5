"""The row editor: keys change values, the answer follows, every change can be taken back."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from support import becomes, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate import EvaluateRoom
from lemnis.engine.evaluate.whatif import Change, Field, Flips, Near, Opened, Tried
from lemnis.engine.evaluate.whatif.records import Values
from lemnis.tui.app import Console
from lemnis.tui.stages.evaluate.edited import field_rows, stepped, typed

HOUR = Field(name="hour", kind="number", value=7.0, steps=[5.0, 9.0, 17.0], low=5.0, high=22.0)
CARRIER = Field(name="carrier[x]", kind="category", value="EV", steps=["EV", "DL"], known=["EV", "DL"])
RAIN = Field(name="rain", kind="truth", value=None, steps=[False, True])


def tried(values: Values) -> Tried:
    """A tenth for every two hours; EV adds a tenth."""
    hour = values["hour"] if isinstance(values["hour"], float) else 0.0
    score = hour / 20 + (values["carrier[x]"] == "EV") * 0.1
    return Tried(
        score=score, said="yes" if score >= 0.5 else "no", raw=score, bias=0.0, amounts=[score - 0.1, 0.1, 0.0]
    )


class Desk:
    """A what-if process without the process."""

    def __init__(self) -> None:
        fields = [HOUR, CARRIER, RAIN]
        first = tried({field.name: field.value for field in fields})
        self.row = Opened(key="7-17-UA", answer="true", threshold=0.5, actual="false", fields=fields, first=first)
        self.closed = False
        self.answer = tried

    def flips(self, values: Values) -> Flips:
        change = Change(feature="hour", before="7", after="17")
        near = Near(key="8-1-DL", distance=0.125, score=0.9, said="yes", actual="true", changes=[change])
        return Flips(near=[near], single=[change], together=[], scores=[0.95], rows=20_000)

    def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def editing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> AsyncGenerator[tuple[Pilot[None], Desk]]:
    desk = Desk()

    def what_if(room: EvaluateRoom, run_id: int, key: str) -> Desk:
        return desk

    monkeypatch.setattr(EvaluateRoom, "what_if", what_if)
    async with Console(engine, stage="evaluate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("V", "w")
        yield pilot, desk


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_values_are_changed_by_key_and_everything_follows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with editing(engine, monkeypatch, size) as (pilot, desk):
        await shows(pilot, "says 45.0% true: no", "true was false", "hour", "hour 7 → 17", "8-1-DL", "0.125 away")
        await pilot.press("plus")
        await shows(pilot, "says 55.0% true: yes", "was 45.0% true: no", "+10.0 points", "▲ flipped")
        await pilot.press("enter", "end", *["backspace"] * 3, "3", "0", "enter")
        await shows(pilot, "✎ hour", "above 22", "says 160.0%")
        await pilot.press("j", "right")
        await shows(pilot, "✎ carrier[x]", "2 changed", "says 150.0%")
        await pilot.press("u", "u")
        await shows(pilot, "says 55.0% true: yes", "1 changed")
        await pilot.press("U")
        await shows(pilot, "says 45.0% true: no")
        await pilot.press("escape")
        await becomes(pilot, lambda: desk.closed)


async def test_what_can_not_be_typed_is_refused_in_the_line_and_a_row_that_is_gone_is_said(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with editing(engine, monkeypatch, (80, 24)) as (pilot, _):
        await shows(pilot, "says 45.0% true: no")
        await pilot.press("enter", "x", "enter")
        await shows(pilot, "Type a number, or nothing for missing.")
        await pilot.press("escape", "escape")

        def refuses(room: EvaluateRoom, run_id: int, key: str) -> SimpleNamespace:
            raise BadInput("There is no such row.", "Look again.")

        monkeypatch.setattr(EvaluateRoom, "what_if", refuses)
        await shows(pilot, "7-17-UA", "this row (raw score)")
        await pilot.press("w")
        await shows(pilot, "There is no such row.")


def test_steps_go_to_the_next_value_and_stop_at_the_ends_of_numbers() -> None:
    assert [stepped(HOUR, value, +1) for value in (7.0, 17.0, 30.0, None)] == [9.0, 17.0, 30.0, 9.0]
    assert [stepped(HOUR, value, -1) for value in (7.0, 5.0)] == [5.0, 5.0]
    assert [stepped(CARRIER, value, +1) for value in ("EV", "DL", "??")] == ["DL", "EV", "EV"]
    assert stepped(RAIN, None, +1) is False


def test_typed_texts_become_values_and_harm_nothing() -> None:
    assert (typed(HOUR, " −3.5 "), typed(HOUR, ""), typed(CARRIER, "U A"), typed(RAIN, "Yes")) == (
        -3.5,
        None,
        "U A",
        True,
    )
    for field, text in ((HOUR, "inf"), (HOUR, "1e999"), (RAIN, "2")):
        with pytest.raises(ValueError, match="Type"):
            typed(field, text)
    row = Opened(
        key="", answer="", threshold=None, actual="", fields=[CARRIER], first=tried({"hour": 0.0, "carrier[x]": ""})
    )
    cells = field_rows(row, {"carrier[x]": "\x1b[31m"}, row.first, [0])[0].cells
    assert "\x1b" not in "".join(map(str, cells))
