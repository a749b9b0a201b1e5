"""Keys that come together do what they do one by one: none goes to what had the focus before."""

# pyright: basic

import asyncio
from pathlib import Path

import pytest
from support import becomes, engine_at, settle
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Key, Paste
from textual.widgets import Input

from lemnis.tui.app import Console
from lemnis.tui.terminal import typed
from lemnis.tui.terminal.typed import TypedApp

NAMES = {"/": "slash", ":": "colon", "@": "at", " ": "space", ">": "greater_than_sign", ".": "full_stop"}


def burst(app: TypedApp, keys: str) -> None:
    for key in keys:
        app.post_message(Key(NAMES.get(key, key), key))


@pytest.mark.parametrize(
    ("keys", "text"),
    [("/auc > 0.5", "auc > 0.5"), ("6/xad", "xad"), (":help", "help"), ("@2m ago", "2m ago"), ("26:xx", "xx")],
)
async def test_what_follows_a_key_at_once_is_typed_into_what_it_opens(keys: str, text: str, tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws"), stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        burst(pilot.app, keys)
        await becomes(pilot, lambda: isinstance(pilot.app.focused, Input) and pilot.app.focused.value == text)


async def test_what_is_pasted_stays_in_its_place(tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws"), stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        burst(pilot.app, "/a")
        pilot.app.post_message(Paste("uc >"))
        burst(pilot.app, " 1")
        await becomes(pilot, lambda: isinstance(pilot.app.focused, Input) and pilot.app.focused.value == "auc > 1")


class Busy(Input):
    async def _on_key(self, event: Key) -> None:
        await self.app.freed.wait()


class Waiting(TypedApp):
    """One that answers the first key once another is pressed."""

    BINDINGS = [Binding("ctrl+k", "free", "", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self.freed = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Busy()

    def action_free(self) -> None:
        self.freed.set()


async def test_a_key_that_does_not_end_lets_others_wait_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "PATIENCE_S", 0.05)
    async with Waiting().run_test() as pilot:
        for key in ("x", "ctrl+k"):
            pilot.app.post_message(Key(key, None))
        await asyncio.wait_for(pilot.app.freed.wait(), 10)
