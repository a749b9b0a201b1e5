"""A line of a picture makes a cache when it is first asked for, and then keeps what it found, as Textual's does."""

# pyright: basic

import weakref

import pytest
from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.strip import Strip

from lemnis.tui.terminal.app import TerminalApp
from lemnis.tui.terminal.colours import Colourless
from lemnis.tui.terminal.strips import SIZES, WhenAsked, spare_caches


def made(strip: Strip) -> set[str]:
    """Return which caches a line has."""
    found = set()
    for name in SIZES:
        try:
            vars(Strip)[name]._get(strip, Strip)
        except AttributeError:
            continue
        found.add(name)
    return found


def test_a_line_makes_the_caches_it_needs_and_uses_them() -> None:
    spare_caches()
    spare_caches()
    named = {name for name in vars(Strip) if name.endswith("_cache")} - {"_render_cache"}  # which is a text
    assert named == {*SIZES, "_divide_cache"}, "every cache that Textual gives a line is known"
    assert all(isinstance(vars(Strip)[name], WhenAsked) for name in SIZES)
    strip = Strip([Segment("one two three")])
    assert made(strip) == set()
    cropped = strip.crop(4, 7)
    assert cropped.text == "two"
    assert strip.crop(4, 7) is cropped
    assert made(strip) == {"_crop_cache"}
    assert strip._crop_cache._maxsize == 16


def test_the_pieces_of_a_line_are_cut_anew_and_not_kept() -> None:
    spare_caches()
    strip = Strip([Segment("one two three")])
    first, again = strip.divide([3, 13]), strip.divide([3, 13])
    assert [piece.text for piece in first] == [piece.text for piece in again] == ["one", " two three"]
    assert first[0] is not again[0]
    assert not len(strip._divide_cache)


def test_what_a_widget_has_drawn_goes_with_it() -> None:
    spare_caches()
    drawn = StylesCache()
    inner, outer = drawn.get_inner_outer(Color(1, 2, 3), Color(4, 5, 6))
    assert (inner.background, outer.background) == (Color(4, 5, 6), Color(1, 2, 3))
    gone = weakref.ref(drawn)
    del drawn
    assert gone() is None


def test_lines_are_not_copied_for_their_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TerminalApp().get_line_filters() == []
    monkeypatch.setenv("NO_COLOR", "1")
    assert [type(kept) for kept in TerminalApp().get_line_filters()] == [Colourless]
