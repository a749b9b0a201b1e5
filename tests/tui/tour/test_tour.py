# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

from pathlib import Path
from typing import Any

import pytest
from support import FakeEngine, becomes, engine_at, settle, shows

from lemnis.engine.lifecycle import StageState
from lemnis.tui.actions import ACTIONS
from lemnis.tui.app import Console
from lemnis.tui.keys.keymap import resolved as keymap_of
from lemnis.tui.keys.named import BY_ID, ID
from lemnis.tui.messages import LoopRead
from lemnis.tui.remembered import known_workspaces, remember, tour_place
from lemnis.tui.stages import BY_NAME, STAGES
from lemnis.tui.tour.steps import STEPS, Tour, resumed
from lemnis.tui.widgets import Empty


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Shell(Console):
    """The console around stages that show nothing."""

    def make_stage(self, name: str) -> Any:
        return Empty(f"here is {name}", id=f"stage-{name}")


def shell(root: str = "/flights") -> Shell:
    app = Shell(FakeEngine(root=root))
    app.tour_first = True
    return app


def test_every_step_names_actions_that_exist_and_change_nothing() -> None:
    by_id = {action.id: action for action in ACTIONS}
    assert {step.stage for step in STEPS} == set(BY_NAME)
    assert [step.stage for step in STEPS[:10]] == [stage.name for stage in STAGES]
    for step in STEPS:
        assert by_id[step.tries].scope == step.stage
        assert not by_id[step.tries].writes
        assert set(ID.findall(step.shows)) <= set(BY_ID)


def test_a_tour_follows_the_tabs_and_stays_within_its_ends() -> None:
    assert Tour().moved(-1) == Tour()
    assert Tour().opened("validate").step.stage == "validate"
    assert Tour(9).opened("monitor").place == 10  # the way back to where the loop closes
    assert Tour(0).opened("monitor").place == 8
    assert Tour(1).did("data.storage").tried
    assert not Tour(1).did("data.storage").moved(1).tried
    assert resumed(99) == resumed(-1) == Tour()


async def test_the_tour_goes_through_all_tabs_as_their_keys_are_pressed() -> None:
    async with shell().run_test(size=(80, 24)) as pilot:
        for place, step in enumerate(STEPS):
            seen = f"Tour {place + 1}/{len(STEPS)} {BY_NAME[step.stage].title}"
            await shows(pilot, seen, step.gives, f"here is {step.stage}")
            assert pilot.app.tour.size.height <= 4
            if place + 1 < len(STEPS):
                await pilot.press(BY_NAME[STEPS[place + 1].stage].key)
        await pilot.press("N")
        await becomes(pilot, lambda: pilot.app.tour is None)


@pytest.mark.slow
async def test_what_each_step_asks_for_is_seen_to_be_done(tmp_path: Path) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    app.tour_first = True
    async with app.run_test(size=(80, 24)) as pilot:
        for step in STEPS:
            await shows(pilot, step.gives)
            await becomes(pilot, lambda: app.stage is not None and app.stage.loaded_at)
            await app.run_action(f"app.do('{step.tries}')")
            await becomes(pilot, lambda: app.tour.tour.tried)
            await settle(pilot)  # what opens when it is read
            while len(app.screen_stack) > 1:
                app.pop_screen()
            await pilot.press("N")


async def test_a_key_of_the_step_that_is_pressed_is_ticked() -> None:
    async with Console(FakeEngine()).run_test(size=(80, 24)) as pilot:
        await pilot.press("Y", "1")
        await shows(pilot, "→ H")
        await pilot.press("H")
        await shows(pilot, "✓ H")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 15)])
async def test_next_back_and_the_workspaces_own_figures(size: tuple[int, int]) -> None:
    async with shell().run_test(size=size) as pilot:
        await shows(pilot, "N next")  # what frames the stages is there
        pilot.app.pump.stop()  # it reads the loop too, when it comes to that
        await settle(pilot)
        pilot.app.on_loop_read(LoopRead((StageState(key="2", name="data", state="ready", why="12 things", next=""),)))
        await shows(pilot, "N next", "esc leave", "go on to Data")
        await pilot.press("N")
        await shows(pilot, "here is data", "go on to Explore", "12 things" if size[0] > 60 else "N next")
        await pilot.press("O", "O")
        await shows(pilot, "here is problem", "Tour 1/11")


async def test_escape_leaves_and_the_tour_goes_on_where_it_was() -> None:
    async with shell().run_test(size=(80, 24)) as pilot:
        await pilot.press("N", "N", "N")
        await shows(pilot, "Tour 4/11 Features")
        await settle(pilot)
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.tour is None)
        await pilot.press("1", "Y")
        await shows(pilot, "Tour 4/11 Features", "here is features")
    async with shell().run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Tour 4/11 Features")
    async with shell("/other").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Tour 1/11 Problem")


async def test_a_step_shows_the_keys_a_person_chose() -> None:
    app = shell()
    app.keymap = keymap_of({"problem.history": "f7", "app.tour_next": "f8"}, ACTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "f7 who changed", "f8 next")


def test_what_is_remembered_survives_damage_and_keeps_the_last_first(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "workspaces.json"
    for number in range(30):
        remember(tmp_path / str(number), path=file)
    remember(tmp_path / "20", tour=3, path=file)
    remember(tmp_path / "21", path=file)
    assert [Path(known.path).name for known in known_workspaces(file)][:3] == ["21", "20", "29"]
    assert len(known_workspaces(file)) == 20
    assert tour_place(tmp_path / "20", file) == 3
    for damage in ("{", "[3, {}]", '[{"path": 3}]', "[" * 100_000):
        file.write_text(damage)
        assert known_workspaces(file) == []
