import json
from collections import defaultdict

import numpy as np
import pytest
from support import becomes, screen_text, settle

from lemnis.engine import Engine
from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.monitor.parts import Part, rolled_up, write_parts
from lemnis.engine.monitor.records import PREDICTION
from lemnis.engine.monitor.reference import Reference, keep_reference
from lemnis.engine.monitor.tally import Binning, Tally, count_rows
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.monitor.room import MonitorStage
from lemnis.tui.widgets import Table

HOUR_MS = 3_600_000


@pytest.fixture
def counted(engine: Engine) -> Engine:
    """Ten rows a minute of the last twelve hours of September; in the last three the wind is thrice as strong."""
    chance = np.random.default_rng(3)
    wind = Binning(name="wind", kind="numeric", edges=[0.5], counts=[500, 500, 0], low=0.0, high=1.0)
    score = Binning(name=PREDICTION, kind="prediction", edges=[0.5], counts=[500, 500, 0])
    reference = Reference(
        model="late",
        version=1,
        dataset="flights v1",
        rows=1_000,
        task="binary",
        threshold=0.5,
        binnings=[wind, score],
        importance={"wind": 1.0},
        held_out="test",
        held_out_rows=1_000,
    )
    keep_reference(engine.store, reference)
    end = parse_ms("2013-10-01")
    finest: defaultdict[Part, Tally] = defaultdict(Tally)
    for minute in range(end - 12 * HOUR_MS, end, 60_000):
        values = chance.random((10, 1)) * (3 if minute >= end - 3 * HOUR_MS else 1)
        finest[Part("minute", minute)] += count_rows([wind, score], values.tolist(), chance.random(10).tolist(), 0.5)
    with engine.store.write() as db:
        write_parts(db, ["late", "late", 1], rolled_up(finest))
        db.execute("update monitor_cursors set newest_event = ?", [end - 1])
    return engine


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_same_rows_are_looked_at_hour_by_hour_and_back(counted: Engine, size: tuple[int, int]) -> None:
    async with Console(counted, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)

        async def press(*keys: str) -> None:
            await pilot.press(*keys)
            await settle(pilot)

        windows = pilot.app.query_one("#windows", Table)
        await press("tab", "plus", "plus", "plus")
        assert "by hour, alerts by month" in screen_text(pilot)
        cells = [row.cells for row in windows.rows]
        assert [str(row[1]) for row in cells] == ["600"] * 12
        assert [str(row[2]) == "● ok" for row in cells] == [False] * 3 + [True] * 9
        await press("j", "j", "j", "j", "plus")
        assert "09-30 19:59" in screen_text(pilot)  # the last minute of the chosen hour
        await press("minus", "minus", "minus", "minus")
        assert "alerts by" not in screen_text(pilot)
        assert len(windows.rows) == 3
        await press("minus")
        assert len(windows.rows) == 3


def test_a_command_lists_any_width(counted: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-w", str(counted.workspace.root)]
    assert run(hoisted(["monitor", "drift", "--window", "hour", "--last", "4", "--json", *where])) == 0
    windows = json.loads(capsys.readouterr().out)["windows"]
    assert [window["start"][11:13] for window in windows] == ["20", "21", "22", "23"]
    assert [window["verdict"] == "ok" for window in windows] == [True, False, False, False]
    assert windows[3]["features"][0]["name"] == "wind"
    assert run(hoisted(["monitor", "performance", "--window", "minute", "--last", "2", *where])) == 0
    assert iso_utc(parse_ms("2013-09-30T23:59"))[:16].replace("T", " ") in capsys.readouterr().out
