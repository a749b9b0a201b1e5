"""When a picture is drawn: a key is answered at once, no second has too many, and only what changed is drawn."""

# pyright: basic, reportArgumentType=false

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import becomes, engine_at, settle
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.css.scalar import Scalar
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen

from lemnis.tui.app import Console, MainScreen
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.stages.problem.room import ProblemStage
from lemnis.tui.stages.resources.room import ResourcesStage
from lemnis.tui.terminal.app import TerminalApp, unless_placed
from lemnis.tui.terminal.behind import Behind
from lemnis.tui.terminal.pictures import Pace, PictureTimer, time_by
from lemnis.tui.theme import SCREENS, ThemedApp
from lemnis.tui.widgets import Facts, Panel, Words
from lemnis.tui.widgets.settled import settled

MOST = 10
asked = st.lists(st.tuples(st.floats(0, 0.3), st.booleans()), max_size=80)


@given(asked)
def test_no_second_has_more_pictures_than_are_allowed(wishes: list[tuple[float, bool]]) -> None:
    pace, now, drawn = Pace(MOST), 0.0, list[float]()
    for later, answer in wishes:
        now += later
        now += max(0.0, pace.wait_s(now, answer=answer))
        pace.drew(now, answer=answer)
        drawn.append(now)
    assert all(last - first >= 1 - 1e-6 for first, last in zip(drawn, drawn[MOST:], strict=False))


@given(st.floats(0, 0.1, exclude_min=True))
def test_a_key_after_a_while_is_answered_at_once_whatever_was_just_drawn(before: float) -> None:
    pace = Pace(MOST)
    pace.drew(0.0, answer=True)
    pace.drew(1.0, answer=False)
    assert pace.wait_s(1.0 + before, answer=True) <= 0
    assert pace.wait_s(1.0 + before, answer=False) == pytest.approx(0.1 - before)


def test_the_second_picture_of_a_console_waits_for_nothing_and_the_third_for_its_turn() -> None:
    pace = Pace(MOST)
    pace.drew(5.0, answer=False)
    assert pace.wait_s(5.02, answer=False) == 0
    pace.drew(5.02, answer=False)
    assert pace.wait_s(5.04, answer=False) == pytest.approx(0.08)


def test_keys_that_are_held_down_and_a_slow_link_wait() -> None:
    pace = Pace(MOST)
    pace.drew(0.0, answer=False)
    pace.drew(5.0, answer=True)
    assert pace.wait_s(5.03, answer=True) == pytest.approx(0.07)
    pace.slow_down(4)
    assert pace.wait_s(5.03, answer=True) == pytest.approx(0.22)


async def test_a_picture_that_nobody_typed_for_waits_for_what_a_key_does_that_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lemnis.tui.terminal.pictures.TOGETHER_S", 60.0)
    terminal = SimpleNamespace(pace=Pace(60), heard=0, answering=0, answered=0, stuck=False)
    drawn = list[int]()
    screen = SimpleNamespace(
        app=SimpleNamespace(_exit=False, _batch_count=0),
        is_current=False,
        _repaint_required=False,
        _on_timer_update=lambda: drawn.append(terminal.answering),
    )
    timer = PictureTimer(screen, terminal)
    timer.resume()
    terminal.heard = 1
    timer._draw()  # its time has come before the key is heeded
    assert not drawn
    terminal.heard = 2
    timer.resume()
    timer.resume()
    await asyncio.sleep(0.001)
    assert drawn == [2]
    timer.resume()
    timer.pause()
    await asyncio.sleep(0.001)
    assert drawn == [2]


async def test_a_terminal_that_takes_nothing_is_sent_nothing_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.tui.terminal.pictures.STUCK_S", 0.001)
    terminal = SimpleNamespace(pace=Pace(60), heard=1, answering=0, answered=0, stuck=True)
    drawn, shown = list[int](), asyncio.Event()
    screen = SimpleNamespace(
        app=SimpleNamespace(_exit=False, _batch_count=0),
        is_current=False,
        _repaint_required=False,
        _on_timer_update=lambda: (drawn.append(terminal.answering), shown.set()),
    )
    timer = PictureTimer(screen, terminal)
    for terminal.heard in range(1, 9):
        timer.resume()
        await asyncio.sleep(0.005)
    assert drawn == []
    terminal.stuck = False
    await asyncio.wait_for(shown.wait(), 10)
    assert drawn == [8]


class Sheet(ThemedApp[None]):
    """A panel of facts."""

    def compose(self) -> ComposeResult:
        with Panel("run"), VerticalScroll(can_focus=False):
            yield Facts()


async def test_another_run_of_as_many_facts_places_nothing_anew_and_its_name_draws_one_line() -> None:
    async with Sheet().run_test(size=(60, 30)) as pilot:
        panel, facts = pilot.app.query_one(Panel), pilot.app.query_one(Facts)
        facts.show([("auc", "0.7"), ("rows", "7")])
        await becomes(pilot, lambda: facts.region.height == 2)
        await settle(pilot)
        facts.show([("auc", "0.8"), ("rows", "8")])
        assert facts._repaint_required
        assert not facts._layout_required
        panel._repaint_regions.clear()
        panel.retitle("run 8")
        [edge] = panel._repaint_regions
        assert (edge.x, edge.y, edge.width, edge.height) == (0, 0, 60, 1)
        facts.show([("auc", "0.8"), ("rows", "8"), ("seed", "1")])
        assert facts._layout_required
        await becomes(pilot, lambda: facts.region.height == 3)


async def test_a_picture_between_a_resize_of_the_terminal_and_that_of_the_screen_has_the_size_of_the_screen() -> None:
    async with Sheet().run_test(size=(60, 20)) as pilot:
        screen = pilot.app.screen
        screen.refresh(layout=True)
        screen.refresh()
        pilot.app._size = Size(100, 40)
        PictureTimer(screen, SimpleNamespace(pace=Pace(60), heard=0, answering=0, answered=0, stuck=False))._draw_once()
        assert Size(60, 20).region in screen._compositor._dirty_regions
        assert Size(100, 40).region not in screen._compositor._dirty_regions


async def test_a_screen_behind_a_dialog_is_drawn_once_it_is_seen_again() -> None:
    async with Sheet().run_test() as pilot:
        behind = pilot.app.screen
        await pilot.app.push_screen(Explanation("One", "thing"))
        await settle(pilot)
        behind.refresh(layout=True)
        behind.refresh()
        PictureTimer(behind, SimpleNamespace(pace=Pace(60), heard=0, answering=0, answered=0, stuck=False))._draw()
        assert behind._repaint_required


class Timed(Console):
    """A console that is drawn as on a terminal, and counts the pictures of the whole."""

    terminal = SimpleNamespace(pace=Pace(60), heard=0, answering=0, answered=0, stuck=False)

    def timed(self, screen):
        time_by(self.terminal, screen)
        vars(screen)["_screen_resized"] = unless_placed(screen)
        return screen


@pytest.mark.parametrize("key", ["at", "question_mark"])
async def test_a_dialog_that_opens_is_drawn_once_with_what_is_behind_it(
    key: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lemnis.tui.terminal.pictures.MOST_PUT_OFF", 10_000)  # however slow this machine is
    drawn, whole = list[int](), Compositor.render_full_update
    behind, strips = list[int](), Behind.render_strips
    async with Timed(engine_at(tmp_path / "ws")).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(
            Compositor, "render_full_update", lambda self, **asked: (drawn.append(1), whole(self, **asked))[1]
        )
        monkeypatch.setattr(Behind, "render_strips", lambda self, *asked: (behind.append(1), strips(self, *asked))[1])
        await pilot.press(key)
        await becomes(pilot, lambda: drawn)
        await settle(pilot)
        assert len(drawn) == len(behind) == 1


async def read_once(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait until Problem is shown with its plan, and have it read no more: it does so every three seconds."""
    room = pilot.app.query_one(ProblemStage)
    await becomes(pilot, lambda: room.loaded_at is not None and not room._planning and settled(pilot.app.screen))
    monkeypatch.setattr(ProblemStage, "reload", lambda self: False)
    await settle(pilot)


async def test_leaving_a_dialog_reads_no_style_of_the_tab_anew_and_places_nothing(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, placed, place = list[MainScreen](), list[Screen](), Compositor.reflow
    async with Console(engine_at(tmp_path / "ws")).run_test(size=(80, 24)) as pilot:
        await read_once(pilot, monkeypatch)
        await pilot.press("at")
        await settle(pilot)
        monkeypatch.setattr(MainScreen, "update_node_styles", lambda self, **_: read.append(self))
        monkeypatch.setattr(
            Compositor, "reflow", lambda self, *asked: (placed.append(asked[0]), place(self, *asked))[1]
        )
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(pilot.app.screen, MainScreen)
        assert not read
        assert not placed


async def test_a_screen_that_opens_is_placed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[Size] = []
    monkeypatch.setattr(Screen, "_screen_resized", lambda screen, size: placed.append(size))
    async with App[None]().run_test(size=(80, 24)) as pilot:
        resized = unless_placed(pilot.app.screen)
        placed.clear()
        resized(Size(80, 24))
        assert placed == []
        resized(Size(100, 24))
        assert placed == [Size(100, 24)]


async def test_a_live_tab_that_is_opened_again_is_drawn_with_what_is_true_now(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("5", "0", "5"):
            await pilot.press(key)
            await settle(pilot)
        monkeypatch.setattr(Console, "is_headless", property(lambda self: False))
        seen = list[bool]()
        complete = ResourcesStage.show
        monkeypatch.setattr(ResourcesStage, "show", lambda self, view: (seen.append(app.held), complete(self, view))[1])
        await app.open_stage("resources")
        assert app.held
        await becomes(pilot, lambda: not app.held)
        assert seen[0], "it is shown before anything is drawn"
        await app.open_stage("validate")
        assert not app.held, "what seldom changes is seen at once"
        monkeypatch.setattr(ResourcesStage, "reload", lambda self: True)
        await app.open_stage("resources")
        await becomes(pilot, lambda: not app.held)


async def test_what_is_held_is_drawn_once_scroll_bars_have_moved_what_is_beside_them(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    async with app.run_test(size=(120, 40)) as pilot:
        await read_once(pilot, monkeypatch)
        scroll = app.query_one("#needed-scroll", VerticalScroll)
        assert not scroll.show_vertical_scrollbar
        given, give = list[tuple[bool, bool]](), TerminalApp.give_picture

        def seen(self: TerminalApp) -> None:
            if self.held:
                given.append((scroll.show_vertical_scrollbar, self.screen._layout_required))
            give(self)

        monkeypatch.setattr(TerminalApp, "give_picture", seen)
        monkeypatch.setattr(Console, "is_headless", property(lambda self: False))
        app.hold_picture("stage", seconds=60)
        app.query_one("#needed", Words).say("a line of words " * 400)
        app.on_stage_complete()
        await becomes(pilot, lambda: not app.held)
        assert given == [(True, False)]


async def test_the_rules_of_screens_are_read_when_the_first_of_them_opens(tmp_path) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    async with app.run_test(size=(120, 40)) as pilot:
        assert not app.stylesheet.has_source(str(SCREENS))
        await pilot.press("question_mark")
        await settle(pilot)
        assert app.stylesheet.has_source(str(SCREENS))
        assert app.screen.query_one(".help").styles.width == Scalar.parse("110")
