"""What workers find is told in the order in which it was asked, and to nobody who is gone."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from types import SimpleNamespace

import pytest
from overtaking import Held
from textual import work
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.worker import active_worker

from lemnis.tui.answers import answer


class Asker(Widget):
    """Hears what its workers find."""

    class Found(Message):
        def __init__(self, what: int) -> None:
            super().__init__()
            self.what = what

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[int] = []

    @work(thread=True, exclusive=True, group="look")
    def look(self, what: int, held: Held) -> None:
        held.wait(what)
        answer(self.post_message, self.Found(what))

    @work(thread=True, exclusive=True, group="call")
    def call(self, what: int, held: Held, then: Callable[[int], object]) -> None:
        held.wait(what)
        answer(self.app.call_later, then, what)

    def on_asker_found(self, message: Found) -> None:
        self.heard.append(message.what)


class Asking(App[None]):
    def compose(self) -> ComposeResult:
        yield Asker()


async def heard(*ends: int) -> list[int]:
    """Return what is heard where 1, 2 and 3 are asked for, and found in the order of `ends`."""
    async with Asking().run_test() as pilot:
        asker, held = pilot.app.query_one(Asker), Held()
        for what in (1, 2, 3):
            asker.look(what, held)
            await pilot.pause()
            held.meet(what)
        for what in ends:
            held.end(what)
        await pilot.pause()
        return asker.heard


async def test_what_was_asked_before_is_not_told_after_what_was_asked_later() -> None:
    assert await heard(3, 2, 1) == [3]
    assert await heard(2, 1, 3) == [2, 3]


async def test_what_is_found_in_order_is_all_told_though_more_was_asked_meanwhile() -> None:
    assert await heard(1, 2, 3) == [1, 2, 3]


async def test_groups_and_widgets_do_not_wait_for_each_other() -> None:
    async with Asking().run_test() as pilot:
        held, called = Held(), list[int]()
        first, second = pilot.app.query_one(Asker), Asker()
        await pilot.app.mount(second)
        first.look(1, held)
        first.call(2, held, called.append)
        second.look(3, held)
        await pilot.pause()
        for what in (3, 2, 1):
            held.end(what)
        await pilot.pause()
        assert (first.heard, called, second.heard) == ([1], [2], [3])


async def test_nothing_is_told_once_the_widget_is_gone() -> None:
    async with Asking().run_test() as pilot:
        asker, held, called = pilot.app.query_one(Asker), Held(), list[int]()
        asker.call(1, held, called.append)
        await pilot.pause()
        held.meet(1)
        await asker.remove()
        held.end(1)
        await pilot.pause()
        assert not called


@pytest.mark.parametrize("closed", [True, False])
def test_nothing_fails_where_the_event_loop_is_gone(closed: bool) -> None:
    app, told = Asking(), list[int]()
    if closed:
        app._loop = asyncio.new_event_loop()
        app._loop.close()

    def work() -> None:
        active_worker.set(SimpleNamespace(node=app, group="look", _created_time=0.0))
        answer(told.append, 1)

    copy_context().run(work)
    assert not told


async def test_a_thread_that_ends_after_the_app_says_nothing_and_does_not_fail() -> None:
    async with Asking().run_test() as pilot:
        asker, held = pilot.app.query_one(Asker), Held()
        asker.look(1, held)
        await pilot.pause()
        held.meet(1)
    held.end(1)
    assert not asker.heard
    assert held.failed == []
