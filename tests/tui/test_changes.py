"""What the console sends changes a terminal exactly as what Textual draws would."""

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lemnis.tui.clipboard import osc52
from lemnis.tui.terminal.changes import Shown, draws
from lemnis.tui.terminal.styles import step, styled

COLUMNS, ROWS = 24, 5
STYLES = ["", "0", "1", "31", "1;38;2;1;2;3;48;2;4;5;6", "38;5;9", "48;5;16", "7", "4;32", "3;48;2;4;5;6", "2;33;44"]
TEXTS = st.one_of(
    st.sampled_from(
        ["a", "ab cd", "          ", "─│╭", "⣿⣀", "한글", "e\u0301x", "x 한 y", "🙂", "  x", "✓ ok", "a      b"]
    ),
    st.text(alphabet="ab ─한", min_size=1, max_size=8),
)


@st.composite
def pictures(draw: st.DrawFn) -> str:
    """One piece of a picture, within the terminal."""
    text, row = draw(TEXTS), draw(st.integers(1, ROWS))
    column = draw(st.integers(1, COLUMNS - 2 * len(text)))
    return f"\x1b[{row};{column}H\x1b[{draw(st.sampled_from(STYLES))}m{text}\x1b[0m"


SILENT = ["\x1b[2J", "\x1b[?1049h", "\x1b[?25l", "\x1b[6n", "\x1b]0;title\x07"]
OTHERS = st.sampled_from([*SILENT, "\x1b[2;2H\x1b[K"])
FRAMES = st.lists(st.one_of(st.lists(pictures(), min_size=1, max_size=6).map("".join), OTHERS), min_size=1, max_size=12)


class Terminal:
    """An emulated terminal; what a space can't show is left out."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.Stream(self.screen)

    def cells(self) -> list[object]:
        return [self._seen(self.screen.buffer[y][x]) for y in range(ROWS) for x in range(COLUMNS)]

    def _seen(self, cell: pyte.screens.Char) -> object:
        if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
            return " ", cell.bg
        return cell._replace(blink=False)


def sent_instead(frames: list[str], *, erases: bool = False) -> list[str]:
    shown = Shown(erases=erases)
    return [shown.changes(frame) for frame in frames]


@given(FRAMES, st.booleans())
@example(["\x1b[1;1H한글", "\x1b[1;1Ha\x1b[1;3Ha"], True)  # of each a half is left
def test_a_terminal_shows_the_same_picture_after_every_frame(frames: list[str], erases: bool) -> None:
    drawn, changed = Terminal(), Terminal()
    for frame, sent in zip(frames, sent_instead(frames, erases=erases), strict=True):
        drawn.stream.feed(frame)
        changed.stream.feed(sent)
        assert changed.cells() == drawn.cells()


def test_what_stands_there_already_is_not_sent_again() -> None:
    frame = "\x1b[1;1H\x1b[31mred\x1b[0m plain\x1b[2;1H\x1b[0m한글\x1b[1;1H"
    first, again = sent_instead([frame, frame])
    assert "red" in first
    assert again == ""


@given(FRAMES)
def test_what_changes_no_letter_is_no_picture(frames: list[str]) -> None:
    for frame in frames:
        assert draws(frame) == (frame not in SILENT)


def test_one_cell_that_changes_is_all_that_is_sent() -> None:
    row = "\x1b[3;1H\x1b[1;38;2;9;9;9m{}\x1b[0m"
    _, sent = sent_instead([row.format("│ 0.8587 │  finished │"), row.format("│ 0.8588 │  finished │")])
    assert sent == "\x1b[3;8H\x1b[1;38;2;9;9;9m8\x1b[0m\x1b[14C"


def test_everything_is_sent_after_the_terminal_was_resized_or_cleared() -> None:
    shown, frame = Shown(), "\x1b[1;1Habc"
    shown.changes(frame)
    assert shown.changes(frame) == ""
    shown.forget()
    assert "abc" in shown.changes(frame)
    assert "abc" in shown.changes("\x1b[?1049h" + frame)


def test_only_the_part_of_a_style_that_differs_is_sent() -> None:
    before, after = styled("", "38;2;1;2;3;48;2;4;5;6"), styled("", "38;2;9;9;9;48;2;4;5;6")
    assert step(before, after) == "\x1b[38;2;9;9;9m"
    assert step(styled("", "1"), styled("", "31")) == "\x1b[0;31m"
    assert step(after, "") == "\x1b[0m"
    assert step(styled("", "1;38;2;1;2;3"), styled("", "38;2;1;2;3")) == "\x1b[22m"
    assert step(styled("", "1;2;38;2;1;2;3"), styled("", "2;38;2;1;2;3")) == "\x1b[22;2m"


NAME, VALUE = "\x1b[0;38;2;141;152;165;48;2;15;19;23m", "\x1b[0;38;2;213;219;225;48;2;15;19;23m"


def test_what_has_one_style_is_drawn_together() -> None:
    rows = "".join(f"\x1b[{row};1H{NAME}name{row}  {VALUE}{row}.5" for row in range(1, 6))
    (sent,) = sent_instead([rows])
    assert sent.count("38;2;") == 2
    assert len(sent) < len(rows) / 2


def test_blanks_are_erased_at_once_and_what_is_between_them_is_drawn_over_that() -> None:
    before, after = f"\x1b[1;1H{NAME}{'x' * 24}", f"\x1b[1;1H{NAME}{' ' * 12}name{' ' * 8}"
    _, sent = sent_instead([before, after], erases=True)
    assert sent == "\x1b[1;1H\x1b[48;2;15;19;23m\x1b[24X\x1b[12C\x1b[38;2;141;152;165mname\x1b[0m\x1b[8C"
    _, sent = sent_instead([before, after])
    assert "X" not in sent
    assert sent.count(" ") == 20


def test_of_wide_letters_those_that_change_are_sent() -> None:
    _, sent = sent_instead(["\x1b[1;1H한글 이름", "\x1b[1;1H한국 이름"])
    assert sent == "\x1b[1;3H국\x1b[5C"


@pytest.mark.parametrize("between", [{}, {"TMUX": "/tmp/tmux"}, {"TERM": "screen-256color"}])
def test_what_is_copied_passes_untouched_through_tmux_and_screen(between: dict[str, str]) -> None:
    sequence = osc52("naïve 한글 " * 400, between)
    assert sequence is not None
    assert sent_instead([f"\x1b[2;3Hseen{sequence}"])[0].count(sequence) == 1
