"""Being suspended in the middle of something: the terminal is given back when that is done, once."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from textual.app import App

from lemnis.tui.terminal.driver import TerminalDriver

SIGNALS = (signal.SIGTSTP, signal.SIGCONT)


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a driver does with the terminal and with its process, in order."""
    told: list[str] = []
    before = [signal.getsignal(number) for number in SIGNALS]
    monkeypatch.setattr(TerminalDriver, "suspend_application_mode", lambda driver: told.append("given back"))
    monkeypatch.setattr(TerminalDriver, "resume_application_mode", lambda driver: told.append("taken"))
    kill = os.kill

    def killed(pid: int, number: int) -> None:
        if number == signal.SIGSTOP:
            told.append("stopped")
            number = signal.SIGCONT  # as who continues it would
        kill(pid, number)

    monkeypatch.setattr(os, "kill", killed)
    yield told
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


async def test_the_terminal_is_given_back_when_the_picture_is_written(stops: list[str]) -> None:
    TerminalDriver(App[None](), size=(80, 24))
    for _ in range(2):  # of the shell and of the launcher
        signal.raise_signal(signal.SIGTSTP)
    assert not stops  # a handler that wrote would wait for ever for what it interrupts
    await asyncio.sleep(0)
    assert stops == ["given back", "stopped", "taken"]
    await asyncio.sleep(0)
    assert stops == ["given back", "stopped", "taken"]


async def test_who_continues_it_before_it_stopped_finds_it_going_on(stops: list[str]) -> None:
    TerminalDriver(App[None](), size=(80, 24))
    signal.raise_signal(signal.SIGTSTP)
    signal.raise_signal(signal.SIGCONT)
    await asyncio.sleep(0)
    assert stops == ["taken"]


async def test_an_editor_is_stopped_at_once_with_the_console_that_waits_for_it(stops: list[str]) -> None:
    driver = TerminalDriver(App[None](), size=(80, 24))
    with driver.no_automatic_restart():
        signal.raise_signal(signal.SIGTSTP)
        assert stops == ["stopped"]
        await asyncio.sleep(0)
    assert stops == ["stopped"]
