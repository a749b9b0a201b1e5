# pyright: basic
import json

import msgspec
import pytest
from support import becomes, screen_text, settle

from lemnis.engine import Engine
from lemnis.engine.monitor.drift.contrasting import note_asked, span_of
from lemnis.engine.monitor.drift.found import Contrast, Example, Share
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.monitor.room import MonitorStage

FOUND = Contrast(
    auc=0.91,
    low=0.5,
    high=0.62,
    past=10,
    rows=2_000,
    reference_rows=2_000,
    told=[Share("wind\x1b[31m", 0.8), *(Share(f"carrier{place}", 0.02) for place in range(10))],
    examples=[Example(f"k{place}", 0.97, ["44.1", "AA\x1b[2J", "7"]) for place in range(5)],
)


@pytest.fixture
def found(engine: Engine) -> Engine:
    span = span_of(engine.monitor.windows("late")[-1])
    note_asked(engine.store, span)
    with engine.store.write() as db:
        db.execute("update monitor_contrasts set contrast = ?", [msgspec.json.encode(FOUND).decode()])
    return engine


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_w_says_what_tells_the_window_from_training(found: Engine, size: tuple[int, int]) -> None:
    async with Console(found, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        shown = screen_text(pilot)
        assert "What changed in 2013-09?" in shown
        assert "AUC of 0.91" in " ".join(shown.split())
        assert "wind␛[31m" in shown
        assert "80%" in shown
        assert "44.1" in shown
        assert "esc  back" in shown
        await pilot.press("escape")
        await settle(pilot)
        assert "What changed" not in screen_text(pilot)


def test_a_command_says_it_too(found: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-w", str(found.workspace.root)]
    assert run(hoisted(["monitor", "why", "--start", "2013-09-05", "--json", *where])) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["window"], document["auc"], document["differs"]) == ("2013-09-01T00:00:00Z", 0.91, True)
    assert run(hoisted(["monitor", "why", *where])) == 0
    said = capsys.readouterr().out
    assert "differs from training" in said
    assert "\x1b" not in said
    assert run(hoisted(["monitor", "why", "--start", "2014-01-01", *where])) != 0
    assert "no such window" in capsys.readouterr().err
