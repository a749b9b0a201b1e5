"""How far away the terminal is decides how often it is drawn on."""

import os
import time
from pathlib import Path

import pytest
from support import engine_at
from terminal import Terminal, lemnis

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
