# pyright: basic

import json
from typing import Any

import msgspec
import pytest
from support import becomes, screen_text, settle, shows

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.monitor.schema.kept import keep_findings
from lemnis.engine.monitor.schema.records import Finding
from lemnis.engine.monitor.skew.records import Apart, Pair, Paired, ShareSkew, Skew
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.monitor.room import MonitorStage
from lemnis.tui.stages.monitor.shape import ShapeScreen

SINCE = 1_377_993_600_000
CHECK = '\n[[checks]]\nname = "carriers"\nkind = "code_list"\ncolumn = "carrier"\nvalues = ["AA"]\n'
FACTS: dict[str, Any] = {"endpoint": "late", "model": "late", "version": 1, "since": SINCE, "until": SINCE}
RENAMED = Finding(
    **FACTS, kind="renamed", column="wind", new_name="wind\x1b[31m", was="numbers from 0 to 40", now="wind␛[31m",
    rows=1_200, refused=True, verdict="drift", importance=0.4,
    evidence="names 90% alike, distributions 96% alike over 300 values",
)  # fmt: skip
CODE = Finding(
    **FACTS, kind="code", column="carrier", was="1 codes", now="1 new: ZZ (5)", rows=5, of=90, examples=["ZZ"]
)
SHARE = ShareSkew(
    kind="segment", column="carrier", value="[b]AA", reference=0.25, reference_rows=4_000, share=0.4,
    low=0.31, high=0.5, rows=100, p=1e-6, p_adjusted=1e-5, verdict="drift",
)  # fmt: skip
PAIRED = Paired(
    dataset="flights v1", looked=900, rows=800, rows_apart=200, scores=Apart(name="score", differ=0),
    features=[Apart(name="dist", differ=200, largest=1.6, example=Pair(key="k\x1b7", served="1.6", trained="1"))],
)  # fmt: skip
SKEW = Skew(
    endpoint="late", model="late", version=1, at=1, start=SINCE, end=SINCE + 1, rows=100, shares=[SHARE], paired=PAIRED
)  # fmt: skip


@pytest.fixture
def inspected(engine: Engine) -> Engine:
    """What an inspection of the endpoint `late` would leave."""
    engine.workspace.config.write_text(engine.workspace.config.read_text() + CHECK)
    keep_findings(engine.store, "late", [RENAMED, CODE], SINCE)
    row = {"endpoint": "late", "model": "late", "version": 1, "at": now_ms(), "seen": "1"}
    with engine.store.write() as db:
        db.table("monitor_inspections").insert(row | {"skew": msgspec.json.encode(SKEW).decode()})
    return engine


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_d_lists_schema_and_skew_and_a_takes_a_change_in(inspected: Engine, size: tuple[int, int]) -> None:
    async with Console(inspected, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("d")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, ShapeScreen) and "renamed" in screen_text(pilot))
        await settle(pilot)
        text = screen_text(pilot)
        assert "800 of 900 served rows are in flights v1" in text
        assert "Ask the sender to call" in text
        assert "carrier = [b]AA" in text
        assert "\x1b" not in text
        await pilot.press("a")
        assert "ZZ" not in inspected.workspace.config.read_text()
        await pilot.press("G")
        await becomes(pilot, lambda: '+values = ["AA", "ZZ"]' in screen_text(pilot))
        await pilot.press("a")
        await becomes(pilot, lambda: "says so already" in screen_text(pilot))
        assert 'values = ["AA", "ZZ"]' in inspected.workspace.config.read_text()
        await pilot.press("escape")
        await becomes(pilot, lambda: not isinstance(pilot.app.screen, ShapeScreen))


async def test_on_a_phone_the_list_keeps_a_row_and_the_detail_its_first_line(inspected: Engine) -> None:
    async with Console(inspected, stage="monitor", supervise=False).run_test(size=(40, 15)) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("d")
        await shows(pilot, "›✖ drift", "wind (renamed, 40% of the")


async def test_where_nothing_differs_it_is_said_why_nothing_is_listed(engine: Engine) -> None:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("d")
        await becomes(pilot, lambda: "Nothing was looked at yet" in screen_text(pilot))


def test_schema_and_skew_are_the_documented_documents(inspected: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*arguments: str) -> str:
        assert run(hoisted([*arguments, "-w", str(inspected.workspace.root)])) == 0
        return capsys.readouterr().out

    found = json.loads(call("monitor", "schema", "--json"))
    renamed, code = found["findings"]
    assert (renamed["kind"], renamed["new_name"], renamed["since"]) == (
        "renamed",
        "wind\x1b[31m",
        "2013-09-01T00:00:00Z",
    )
    assert renamed["advice"] == "Ask the sender to call wind␛[31m wind again."
    assert code["edits"] == [{"act": "code", "target": "carriers", "column": "carrier", "texts": ["ZZ"], "numbers": []}]
    assert '+values = ["AA", "ZZ"]' in code["diff"]
    skew = json.loads(call("monitor", "skew", "--json"))["skew"][0]
    assert skew["shares"][0]["value"] == "[b]AA"
    assert skew["paired"]["features"][0]["example"] == {"key": "k\x1b7", "served": "1.6", "trained": "1"}
    people = call("monitor", "schema") + call("monitor", "skew")
    assert "\x1b" not in people
    assert "dist differs in 200 rows (25.0%); k␛7: served 1.6, training 1" in people
    taken = call("monitor", "schema", "--accept", str(code["id"]))
    assert "Written into lemnis.toml for carrier (code)." in taken
    assert "lemnis.toml says so already" in taken
