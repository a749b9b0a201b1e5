"""Lineage: every step from an alert to the rows and back, on its screen, by its key and by its command."""

# pyright: basic, reportAttributeAccessIssue=false

import json
from collections.abc import Iterator

import pytest
from support import becomes, screen_text, settle, shows
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.engine.errors import NotFound
from lemnis.engine.lineage import KINDS
from lemnis.tui.address import parsed
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.screens.traced import place_of, traced


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("lineage") / "flights")
    yield opened
    opened.store.close()


def test_an_alert_leads_back_to_the_data_and_the_data_forward_to_the_alert(engine: Engine) -> None:
    learned = engine.data.version().id
    back = engine.lineage("alert", "1")
    assert {"window/3", "model/late@1", "run/1", f"data/{learned}", "endpoint/late"} <= {
        step.node.name for step in back.origins if step.node
    }
    forth = engine.lineage("data", "v2")
    assert {"run/1", "model/late@1", "endpoint/late", "window/3", "alert/1"} <= {
        step.node.name for step in forth.results if step.node
    }
    assert {step.node for step in forth.origins if step.node} == set()


def test_a_version_may_be_named_by_its_alias_and_what_is_not_there_is_told(engine: Engine) -> None:
    assert engine.lineage("model", "late@champion").subject.node == engine.lineage("model", "late@1").subject.node
    for kind, key in (
        ("run", "99"),
        ("model", "late@none"),
        ("run", "x'; drop table runs"),
        ("data", "v9"),
        ("a", "b"),
    ):
        with pytest.raises(NotFound):
            engine.lineage(kind, key)


def test_every_step_is_a_place_and_every_place_of_a_thing_is_traced(engine: Engine) -> None:
    found = engine.lineage("run", "1")
    for step in (*found.origins, found.subject, *found.results):
        assert step.node is not None
        assert step.node.kind in KINDS
        place = place_of(step.node)
        assert parsed(str(place)) == place
        again = traced(place)
        assert again is not None
        assert engine.lineage(*again).subject.title == step.title


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_key_shows_the_lineage_of_what_is_under_the_cursor_and_opens_its_steps(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        pilot.app.post_message(PlaceWanted(parsed("run/1")))
        await pilot.press("L")
        await shows(pilot, "↑ comes from", "● this", "↓ led to", "model/late@1")
        await pilot.press("j", "L")
        await becomes(pilot, lambda: str(pilot.app.where()) == "lineage/model/late@1")
        await shows(pilot, "lineage" if size[0] > 100 else "Lineage", "run/1")
        await pilot.press("enter")
        await becomes(pilot, lambda: str(pilot.app.where()) == "model/late@1")
        await pilot.press("left_parenthesis")
        await becomes(pilot, lambda: str(pilot.app.where()) == "lineage/model/late@1")
        await settle(pilot)
        assert "trips v2" in screen_text(pilot)


@pytest.mark.parametrize("over", ["", "alert/1"])
async def test_escape_comes_back_to_where_the_lineage_was_asked_for(engine: Engine, over: str) -> None:
    async with Console(engine, stage="monitor").run_test(size=(80, 24)) as pilot:
        if over:
            pilot.app.post_message(PlaceWanted(parsed(over)))
            await becomes(pilot, lambda: str(pilot.app.where()) == over)
        await becomes(pilot, lambda: traced(pilot.app.under_cursor()) is not None)
        before = str(pilot.app.where())
        await pilot.press("L")
        await shows(pilot, "● this")
        await pilot.press("escape")
        await becomes(pilot, lambda: str(pilot.app.where()) == before)
        assert pilot.app.here == "monitor"
    assert parsed("lineage/alert/1").stage == "monitor"


def test_the_command_prints_it_and_gives_one_document(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(engine.workspace.root)
    assert run(["lineage", "alert/1"]) == 0
    assert "window/3" in capsys.readouterr().out
    assert run(["--json", "lineage", "model/late@champion"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["subject"]["address"] == "model/late@1"
    assert "run/1" in [step["address"] for step in document["origins"]]
    assert run(["lineage", "resources"]) == 2
    assert run(["--json", "open", "run/3"]) == 0
    assert run(["open", "ruin/3"]) == 2
