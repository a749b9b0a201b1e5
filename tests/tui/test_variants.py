"""Terminals of every kind: the real console opens in each, draws only what that one knows, and leaves it as it was."""

import re
from pathlib import Path

import pytest
from support import engine_at
from terminal import Terminal, lemnis

from lemnis.tui.terminal.glyphs import substitutes
from lemnis.tui.theme import DARK, LIGHT

UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "", "LC_CTYPE": ""}
ASCII = {"LANG": "C", "LC_ALL": "", "LC_CTYPE": ""}
# The environment, how many colours it may get, and the encoding that has all its signs.
VARIANTS: dict[str, tuple[dict[str, str], int, str]] = {
    "the C locale": (ASCII | {"COLORTERM": ""}, 256, "ascii"),
    "the POSIX locale": (ASCII | {"LANG": "POSIX"}, 2**24, "ascii"),
    "C.UTF-8": (UTF8, 2**24, "utf-8"),
    "256 colours": (UTF8 | {"COLORTERM": ""}, 256, "utf-8"),
    "16 colours": (UTF8 | {"TERM": "xterm", "COLORTERM": ""}, 16, "utf-8"),
    "NO_COLOR": (UTF8 | {"NO_COLOR": "1"}, 0, "utf-8"),
    "NO_COLOR of 16, C locale": (ASCII | {"TERM": "xterm", "COLORTERM": "", "NO_COLOR": "1"}, 0, "ascii"),
    "vt100": (ASCII | {"TERM": "vt100", "COLORTERM": ""}, 0, "ascii"),
    "linux": (UTF8 | {"TERM": "linux", "COLORTERM": ""}, 16, "cp437"),
    "screen": (UTF8 | {"TERM": "screen", "COLORTERM": ""}, 16, "utf-8"),
    "tmux-256color": (UTF8 | {"TERM": "tmux-256color", "COLORTERM": ""}, 256, "utf-8"),
    "xterm-kitty": (UTF8 | {"TERM": "xterm-kitty"}, 2**24, "utf-8"),
    "light": (UTF8 | {"COLORFGBG": "0;15"}, 2**24, "utf-8"),
    "dark": (UTF8 | {"COLORFGBG": "15;default;0"}, 2**24, "utf-8"),
    "nothing known": (UTF8 | {"TERM": "", "COLORTERM": ""}, 16, "utf-8"),
}
QUICK = "the C locale"
STYLE = re.compile(r"\x1b\[([0-9;]*)m")


def colours(written: str) -> int:
    """Return of how many colours the richest one that was written is; 0 where there is none."""
    most = 0
    for style in set(STYLE.findall(written)):
        numbers = [int(number or 0) for number in style.split(";")]
        while numbers:
            number = numbers.pop(0)
            if number in (38, 48):
                kind = numbers[0]
                most = max(most, 2**24 if kind == 2 else 256)
                del numbers[: 4 if kind == 2 else 2]
            elif 30 <= number <= 49 or 90 <= number <= 107:
                most = max(most, 16)
    return most


@pytest.mark.parametrize(
    "kind", [kind if kind == QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in VARIANTS]
)
def test_the_console_draws_what_the_terminal_knows(kind: str, tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    environment, most, encoding = VARIANTS[kind]
    environment = environment | {"TEXTUAL_COLOR_SYSTEM": "auto"}
    terminal = Terminal(lemnis("--read-only"), cwd=tmp_path / "ws", columns=80, lines=24, **environment)
    try:
        terminal.wait_for(lambda: "No plan yet" in terminal.text() and "Palette" in terminal.text())
        terminal.press("6")
        terminal.wait_for("No runs yet. Press t")
        drawn = terminal.written
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.as_before()
    finally:
        terminal.close()
    assert "Traceback" not in terminal.written
    assert terminal.strange_sequences() == []
    assert terminal.modes_left_on() == set()
    assert colours(terminal.written) == most
    drawn.encode(encoding)
    if environment.get("TERM") in ("linux", "vt100"):
        assert not re.search(r"\x1b[\]P]|\x1b\[[<>=?]?[0-9;]*(?:u|\$p)", terminal.written), "it would print these"
    background = {"light": LIGHT, "dark": DARK}.get(kind)
    if background is not None and background.background:
        red, green, blue = bytes.fromhex(background.background[1:])
        assert f"48;2;{red};{green};{blue}" in drawn


@pytest.mark.parametrize(
    ("environment", "drawn"),
    [
        ({"LANG": "C"}, "--+|#x! 3"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, "--+|#x! 3"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, None),
        ({"LANG": "de_DE.UTF-8@euro"}, None),
        ({}, None),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, "─-┌│█x! 3"),
    ],
)
def test_signs_that_a_terminal_lacks_have_stand_ins_as_wide(environment: dict[str, str], drawn: str | None) -> None:
    known = substitutes(environment)
    assert (known is None) == (drawn is None)
    if known is not None:
        said = "─–╭│█✖▲ 3".translate(known)
        assert len(said) == 9
        assert said == drawn
        said.encode("cp437" if environment.get("TERM") == "linux" else "ascii")
        assert "한".translate(known) == "??", "a wide sign stays two cells wide"
