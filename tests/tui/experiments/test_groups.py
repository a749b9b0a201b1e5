"""Runs in groups: what they have in common is a line that unfolds, and everything else works inside them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_problem import add_run
from support import becomes, engine_at, screen_text, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.experiments.listing import lines_of
from lemnis.tui.stages.experiments.room import ExperimentsStage
from lemnis.tui.stages.experiments.table import RunsTable

SIZES = [(80, 24), (160, 48)]
HOSTILE = "[b]x[/b]\x1b[2J"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """250 runs of `deep`, three of a preset with a hostile name, one of none."""
    opened = engine_at(tmp_path / "w")
    for number in range(250):
        state = "failed" if number % 50 == 0 else "finished"
        metrics = {"auc": number / 500} if state == "finished" else {}
        add_run(opened, f"d{number:03}", state, preset="deep", metrics=metrics)
    for number in range(3):
        add_run(opened, f"h{number}", preset=HOSTILE, metrics={"auc": 0.9 + number / 100})
    add_run(opened, "alone", "failed")
    yield opened
    opened.store.close()


def table(pilot: Pilot[None]) -> RunsTable:
    return pilot.app.query_one(RunsTable)


async def grouped(pilot: Pilot[None]) -> None:
    """Group by preset."""
    await shows(pilot, "Runs 254")
    await pilot.press("B")
    await shows(pilot, "254 in 1 group by sweep or grid")
    await pilot.press("B")
    await shows(pilot, "254 in 3 groups by preset")


@pytest.mark.parametrize("size", SIZES)
async def test_groups_unfold_to_all_their_runs_and_fold_again(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await grouped(pilot)
        screen = await shows(pilot, "▸ 250 runs", "deep", "✖5", "0.4980", "▸ 3 runs", "0.9200", "▸ 1 run", "none")
        assert "[b]x[/b]" in screen, "shown as it is"
        assert "d249" not in screen
        await becomes(pilot, lambda: table(pilot).total == 3)
        while table(pilot).key != "group:deep":
            await pilot.press("j")
            await pilot.pause(0.02)
        await pilot.press("enter")
        await becomes(pilot, lambda: table(pilot).total == 253)
        await shows(pilot, "▾ 250 runs", "d249")
        assert table(pilot).key == "group:deep", "the cursor stays on the group"
        await pilot.press("G")
        await becomes(pilot, lambda: table(pilot).key == "1")
        await shows(pilot, "d000")
        await pilot.press("space", "g")
        assert table(pilot).marks == ["1"]
        while table(pilot).key != "group:deep":
            await pilot.press("j")
            await pilot.pause(0.02)
        await pilot.press("space", "k", "left")
        await becomes(pilot, lambda: table(pilot).total == 3)
        assert table(pilot).marks == ["1"], "groups are not marked"
        await pilot.press("right")
        await becomes(pilot, lambda: table(pilot).total == 253)


async def test_order_filter_and_live_runs_act_within_groups(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(160, 48)) as pilot:
        await shows(pilot, "Runs 254", "auc")
        await pilot.press("l", "l", "l")
        await grouped(pilot)
        stage = pilot.app.query_one(ExperimentsStage)
        await becomes(pilot, lambda: [c.name for c in table(pilot).columns][table(pilot).column] == "metrics.auc")
        await pilot.press("S")
        await becomes(pilot, lambda: table(pilot).rows[0].key == f"group:{HOSTILE}")
        assert table(pilot).key == "group:", "the cursor stays on its group"
        await pilot.press("g")
        await shows(pilot, "#253 h2")  # the best of it is drawn
        await pilot.press("enter")
        await becomes(pilot, lambda: [row.key for row in table(pilot).rows[1:4]] == ["253", "252", "251"])
        stage.filter("metrics.auc > 0.45")
        await shows(pilot, "27 of 254 in 2 groups by preset for metrics.auc > 0.45", "▸ 24 runs")
        assert [row.key for row in table(pilot).rows[1:4]] == ["253", "252", "251"], "it stays unfolded"
        add_run(engine, "h3", preset=HOSTILE, metrics={"auc": 0.99})
        stage.reload()
        await shows(pilot, "28 of 255 in 2 groups", "▾ 4 runs", "h3")
        await pilot.press("j", "enter")
        await shows(pilot, "#255", "h3")
        await pilot.press("escape")
        await becomes(pilot, lambda: table(pilot).key == "255")


async def test_the_grouping_is_remembered_and_part_of_a_view(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await grouped(pilot)
        await settle(pilot)
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "254 in 3 groups by preset")
        await pilot.press("K")
        await shows(pilot, "Enter or right unfolds the group")
        await pilot.press("escape", "W")
        await shows(pilot, "Save this view")
        await pilot.press(*"mine", "enter")
        await becomes(pilot, lambda: "mine" in engine.experiments.views())
        assert engine.experiments.view("mine").group == "preset"
        await pilot.press("B", "B", "B", "B")
        await becomes(pilot, lambda: pilot.app.query_one(ExperimentsStage).group == "")
        await shows(pilot, "Runs 254 ·")
        assert "groups" not in screen_text(pilot)


def test_lines_are_what_is_unfolded(engine: Engine) -> None:
    groups = engine.experiments.groups.of("preset", "", "", True, "")
    opened = {"deep": engine.experiments.groups.numbers("preset", "deep")}
    lines = lines_of("preset", "", groups, opened)
    whole = lines.part(0, lines.total)
    assert len(whole) == lines.total == 253
    for offset in range(0, 253, 7):
        assert lines.part(offset, 20) == whole[offset : offset + 20]
    for place, one in enumerate(whole):
        assert lines.place(str(one) if isinstance(one, int) else f"group:{one.value}") == place
    assert lines.place("251") is None


def test_groups_are_printed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(hoisted(["-w", str(engine.workspace.root), "runs", "list", *arguments]))
        out, err = capsys.readouterr()
        return code, out, err

    code, out, _ = call("--group-by", "preset", "--sort", "metrics.auc")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["preset", "runs", "best", "auc", "run", "states"]
    assert "\x1b" not in out
    assert any("250" in line and "5 failed, 245 finished" in line for line in lines)
    document: dict[str, Any] = json.loads(call("--group-by", "state", "--json", "-q", "metrics.auc > 0.9")[1])
    assert (document["group_by"], document["metric"]) == ("state", "auc")
    assert document["groups"] == [
        {"value": "finished", "label": "finished", "runs": 2, "states": {"finished": 2}, "best": 0.92, "best_run": 253,
         "newest": 253}
    ]  # fmt: skip
    assert run(hoisted(["-w", str(engine.workspace.root), "runs", "save-view", "mine", "--group-by", "state"])) == 0
    capsys.readouterr()
    assert json.loads(call("--view", "mine", "--json")[1])["group_by"] == "state"
    code, _, err = call("--group-by", "seed")
    assert (code, "can't be grouped by 'seed'" in err) == (2, True)
