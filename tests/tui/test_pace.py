"""Pace: what is read again and again is read more rarely on a slow link, by its measured round trip."""

# pyright: basic, reportArgumentType=false

from types import SimpleNamespace

import pytest
from support import FakeEngine, engine_at, shows

from lemnis.tui.app import Console
from lemnis.tui.terminal.pace import every
from lemnis.tui.terminal.traffic import rarer


@pytest.mark.parametrize(("round_trip_s", "times"), [(None, 3), (0.01, 3), (0.2, 3), (0.401, 6), (3.0, 10)])
def test_the_round_trip_says_how_many_times_more_rarely(round_trip_s: float | None, times: int) -> None:
    assert rarer(round_trip_s) == times


def test_only_some_periods_are_read_while_the_link_is_slow() -> None:
    app, read, given = Console(FakeEngine()), list[int](), []
    widget = SimpleNamespace(app=app, set_interval=lambda seconds, due: given.append((seconds, due)))
    every(widget, 2.0, lambda: read.append(1))
    ((seconds, due),) = given
    assert seconds == 2.0
    due()
    due()
    assert len(read) == 2, "a near terminal has every period"
    app.slow = True
    for _ in range(9):
        due()
    assert len(read) == 5


async def test_the_footer_says_the_period_of_a_slow_link(tmp_path) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    app.slow = True
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "live 9 s")
