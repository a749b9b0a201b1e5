"""A screen that is being left: asked twice to go, or given what was read for it, it takes nothing else with it."""

# pyright: basic

from support import FakeEngine, screen_text, settle
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from lemnis.tui.app import Console
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.dialog import Dialog


class Bare(Console):
    """A console whose tabs say one word."""

    def make_stage(self, name: str) -> Widget:
        return Container(Words("good"), id=f"stage-{name}", classes="stage")


class Asked(Message):
    """What a thread has posted, or a key that was pressed twice."""


class Late(Dialog[str]):
    """A screen that is left when it is asked to, and draws what comes even then."""

    class Found(Message):
        """What a thread found."""

    class Last(Words):
        def on_unmount(self) -> None:
            self.screen.post_message(Late.Found())

    def compose(self) -> ComposeResult:
        yield Late.Last("only this", id="late")

    def on_asked(self) -> None:
        self.dismiss("left")

    def on_late_found(self) -> None:
        self.query_one("#late", Words).say("found")


def console() -> Console:
    return Bare(FakeEngine())  # type: ignore[arg-type]


async def test_a_screen_that_is_asked_twice_to_leave_takes_no_other_with_it() -> None:
    async with console().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(Explanation("One", "thing"))
        for below in (2, 1):
            await pilot.app.push_screen(Late())
            late = pilot.app.screen
            assert late.post_message(Asked())
            assert late.post_message(Asked())
            await settle(pilot)
            assert len(pilot.app.screen_stack) == below
            await pilot.press("escape")
        assert "good" in screen_text(pilot)


async def test_a_screen_that_leaves_under_another_answers_once_and_takes_that_along() -> None:
    answers: list[str | None] = []
    async with console().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(Late(), answers.append)
        late = pilot.app.screen
        await pilot.app.push_screen(Explanation("One", "thing"))
        assert late.post_message(Asked())
        assert late.post_message(Asked())
        await settle(pilot)
        assert len(pilot.app.screen_stack) == 1
        assert answers == ["left"]
        assert "good" in screen_text(pilot)


async def test_what_comes_for_a_screen_that_is_being_left_is_let_go() -> None:
    async with console().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(Late())
        await settle(pilot)
        assert "only this" in screen_text(pilot)
        late = pilot.app.screen
        assert isinstance(late, Late)
        late.post_message(Asked())
        await settle(pilot)
        pilot.app.call_later(late.on_late_found)  # as a thread does that has only now read it
        await settle(pilot)
        assert "good" in screen_text(pilot)


async def test_what_a_tab_has_put_off_until_it_is_drawn_is_let_go_once_the_tab_is_left() -> None:
    class Drawing(Container):
        def draw(self) -> None:
            self.query_one("#late", Words).say("drawn")

    async with console().run_test(size=(80, 24)) as pilot:
        tab = Drawing(Words("only this", id="late"))
        await pilot.app.query_one("#stages").mount(tab)
        await settle(pilot)
        await tab.remove()
        pilot.app.screen._invoke_later(tab.draw, pilot.app.screen)  # as a widget asks for it just before
        pilot.app.screen.refresh()
        await settle(pilot)
        assert "good" in screen_text(pilot)
