import unicodedata
from itertools import groupby

from hypothesis import example, given
from hypothesis import strategies as st

from lemnis.engine.text import MARKS_PER_BASE, safe

anything = st.text(st.characters(exclude_categories=[]), max_size=80)
HARMLESS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
HARMLESS |= {"Sm", "Sc", "Sk", "So"}


@given(anything)
@example("\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\x00\n\r\t\u200b\ufeff\ud800\U000e0041")
@example("\u200d\U0001f3fd\ufe0f\U0001f1ef\u0301\u1160\u3164")
def test_nothing_in_the_result_can_move_colour_or_reorder(text: str) -> None:
    shown = safe(text)
    assert all(char == " " or unicodedata.category(char) in HARMLESS for char in shown)
    shown.encode()  # a lone surrogate would raise


@given(anything)
@example("e\u0301\u0301\u0301\u0301\u0301\u0301")
@example("\u0301")
@example("\ufe0f\u0301\u0301\u0301\u0301\u0301")
@example("x\u2764\ufe0f\u200d\u200d\u0301")
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(anything, st.integers(1, 40))
def test_a_limit_is_kept_and_said(text: str, limit: int) -> None:
    shown = safe(text, limit=limit)
    assert len(shown) <= limit
    assert shown == safe(text) or shown.endswith("…")


@given(st.text(st.characters(categories=["Mn"]), max_size=60))
@example("\u0300\u0300\u0300\u0300\u034f\u0300")
def test_marks_on_one_character_are_bounded(marks: str) -> None:
    shown = safe(f"a{marks}")
    runs = groupby(shown, key=lambda char: unicodedata.category(char) == "Mn")
    assert all(len(list(run)) <= MARKS_PER_BASE for marked, run in runs if marked)


@given(st.binary(max_size=60))
def test_bytes_are_shown_whatever_they_are(data: bytes) -> None:
    assert safe(data).isprintable()


def test_brackets_and_backslashes_are_left_alone() -> None:
    assert safe("model[v2] [/etc/passwd] a\\") == "model[v2] [/etc/passwd] a\\"


def test_control_characters_are_pictures_and_invisible_ones_are_named() -> None:
    assert safe("a\x1b[2J\n\x00\x9b") == "a␛[2J␊␀‹U+009B›"
    assert safe("a\u202eb") == "a‹U+202E›b"


def test_emoji_are_taken_apart_into_what_every_terminal_draws_alike() -> None:
    assert safe("👩\u200d💻 👍🏽 ❤\ufe0f 🇯🇵") == "👩💻 👍 ❤ JP"


def test_a_joiner_hidden_in_a_word_is_shown() -> None:
    assert safe("mo\u200ddel") == "mo‹U+200D›del"


def test_a_mark_without_a_character_does_not_touch_what_stands_before_it() -> None:
    assert safe("\u0301x") == "\u25cc\u0301x"


def test_a_megabyte_in_one_line_is_cut_before_it_is_looked_at() -> None:
    assert len(safe("é" * 1_000_000, limit=200)) == 200
