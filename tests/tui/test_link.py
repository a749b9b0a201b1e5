"""How far away the terminal is decides how often it is drawn on."""

import os
import pty
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, cast

import pytest
from support import engine_at
from terminal import Terminal, lemnis
from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers._writer_thread import WriterThread

from lemnis.tui.terminal.driver import Outlet, patience_s
from lemnis.tui.terminal.traffic import ASKED_AGAIN, Traffic

FAR_S = 0.12


def test_the_shortest_answer_counts_and_a_slow_first_one_is_asked_again() -> None:
    traffic = Traffic()
    traffic.asked(1.0)
    assert traffic.answered(1.5)
    traffic.asked(2.0)
    assert not traffic.answered(2.01)
    assert traffic.round_trip_s == pytest.approx(0.01)
    assert not traffic.slow
    far = Traffic()
    for asked in range(ASKED_AGAIN + 1):
        far.asked(asked)
        assert far.answered(asked + FAR_S) == (asked < ASKED_AGAIN)
    assert far.slow


def test_a_terminal_that_says_nothing_is_waited_for_without_end_and_half_a_key_for_a_moment() -> None:
    parser = XTermParser()
    assert patience_s(parser) is None
    assert not list(parser.feed("\x1b"))
    waits = patience_s(parser)
    assert waits is not None
    assert 0 < waits <= constants.ESCAPE_DELAY
    list(parser.feed("[A"))
    assert patience_s(parser) is None


def test_rates_are_those_of_the_last_seconds() -> None:
    traffic = Traffic(seconds=5)
    for second in range(10):
        traffic.wrote(second, 100, picture=second % 2 == 0)
    assert traffic.rates(9.0) == (120.0, 0.6)


@pytest.mark.slow
def test_a_far_terminal_is_found_out_and_drawn_rarely(tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    terminal = Terminal(lemnis("--read-only"), cwd=tmp_path / "ws", SSH_TTY="/dev/pts/9")
    answered = 0

    def slow_link() -> bool:
        nonlocal answered
        while answered < terminal.written.count("\x1b[6n"):
            time.sleep(FAR_S)
            os.write(terminal.master, b"\x1b[1;1R")
            answered += 1
        return "Slow link" in terminal.text()

    try:
        terminal.wait_for(slow_link)
        terminal.press("m")
        terminal.wait_for("The mouse is on")
        assert "1003" not in terminal.modes_left_on()
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.modes_left_on() == set()
    finally:
        terminal.close()


def test_a_dead_line_keeps_nobody_waiting() -> None:
    master, slave = pty.openpty()
    file = os.fdopen(slave, "w")
    writer = WriterThread(cast("IO[str]", Outlet(file)))
    writer.start()
    os.close(master)
    leaving = Thread(target=lambda: [*(writer.write("picture") for _ in range(100)), writer.stop()], daemon=True)
    leaving.start()
    leaving.join(10)
    assert not leaving.is_alive()
    with suppress(OSError):  # what it still holds has nowhere to go
        file.close()


def test_a_link_that_stands_still_for_a_while_shows_the_last_picture_and_few_before_it(tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    terminal = Terminal(lemnis("--read-only"), cwd=tmp_path / "ws", columns=160, lines=48)
    try:
        terminal.wait_for("Resources")
        terminal.wait_for("engine")
        for _ in range(10):
            for key in "123456789":
                terminal.press(key)
                time.sleep(0.12)  # longer than the pace wants between two pictures: each key would have its own
        before = len(terminal.written)
        terminal.press("q")
        assert terminal.end() == 0
        size = len(terminal.written) - before
        assert size < 25_000, "what was asked for meanwhile is not sent, only what is shown in the end"
    finally:
        terminal.close()
