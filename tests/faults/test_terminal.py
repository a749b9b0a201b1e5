"""The terminal in numbers: 200 ends that nobody wished for, 1,000 sizes, 10,000 hostile names."""

import random
import time
from pathlib import Path

import pytest
from ends import ENDS, opened
from storms import paged, resized
from support import engine_at
from terminal import Terminal, lemnis

ROUNDS = 20  # of 10 kinds
MOST_S = 0.4


@pytest.mark.parametrize("kind", ENDS)
def test_two_hundred_ends_leave_the_terminal_as_it_was(kind: str, tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    chance = random.Random(kind)
    for _ in range(ROUNDS):
        terminal = opened(kind, tmp_path / "ws")
        try:
            terminal.wait_for("Help")  # a console that was killed before opens where it was
            for key in chance.choices("1234567890/:?\x1bm", k=chance.randrange(4)) if kind != "a bug" else ():
                terminal.press(key)
            time.sleep(chance.uniform(0, MOST_S))  # in the middle of whatever that began
            ENDS[kind](terminal)
        finally:
            terminal.close()


def test_a_thousand_sizes_are_survived(tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    terminal = Terminal(lemnis("--read-only"), cwd=tmp_path / "ws")
    try:
        terminal.wait_for("Palette")
        resized(terminal, 1000)
    finally:
        terminal.close()


def test_ten_thousand_hostile_names_are_only_text(tmp_path: Path) -> None:
    assert paged(tmp_path / "ws", 10_000) > 9_000
