"""What Textual and Rich work out is kept within bounds that a console reaches soon, and asked for as before."""

# pyright: basic

from functools import _lru_cache_wrapper
from types import ModuleType

import rich.segment
import rich.style
import textual.css.scalar
import textual.geometry
import textual.strip
import textual.style
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Static

from lemnis.tui.terminal.caches import ASKED, KEPT, LARGE, PLACED, bound_caches

MODULES = (rich.segment, rich.style, textual.strip, textual.style, textual.geometry, textual.css.scalar)


def caches(module: ModuleType) -> dict[str, int]:
    """Return the caches of a module's classes, and how much each may hold."""
    found = {}
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__module__ == module.__name__:
            for name, each in vars(kind).items():
                cached = getattr(each, "__func__", each)
                if isinstance(cached, _lru_cache_wrapper):
                    found[f"{kind.__name__}.{name}"] = cached.cache_parameters()["maxsize"]
    return found


def test_no_cache_of_what_is_drawn_is_large() -> None:
    bound_caches()
    bound_caches()
    found = {name: size for module in MODULES for name, size in caches(module).items()}
    bounds = {f"{owner.__name__}.{name}": most for owner, (most, names) in LARGE.items() for name in names}
    assert bounds.items() <= found.items()
    assert max(found.values()) == KEPT


def test_what_is_kept_is_what_was_asked_for() -> None:
    bound_caches()
    region = Region(1, 2, 30, 40)
    assert region.intersection(Region(0, 0, 10, 10)) == Region(1, 2, 9, 8)
    assert region.union(Region(0, 0, 1, 1)) == Region(0, 0, 31, 42)
    assert region.grow((1, 1, 1, 1)).shrink((1, 1, 1, 1)) == region
    assert (1, 2) in region
    assert (0, 0) not in region
    assert Segment("한글", None).split_cells(2) == (Segment("한"), Segment("글"))
    assert Strip.render_ansi(Style(bold=True), ColorSystem.TRUECOLOR) == "1"
    assert Style.parse("bold") == Style(bold=True)


async def test_a_screen_forgets_which_widgets_were_taken_away() -> None:
    bound_caches()
    async with App[None]().run_test() as pilot:
        screen = pilot.app.screen
        for _ in range(2 * ASKED):
            await screen.mount(made := Static(id="made"))
            assert screen.query_one("#made") is made
            assert screen.query_one("#made") is made
            await made.remove()
        assert len(screen._query_one_cache) <= ASKED


async def test_a_widget_forgets_which_sizes_it_had() -> None:
    bound_caches()
    async with App[None]().run_test() as pilot:
        screen = pilot.app.screen
        await screen.mount(shown := Static())
        for lines in range(1, 20):
            shown.update("line\n" * lines)
            await pilot.pause()
        assert shown.size.height == 20
        assert 0 < len(shown._box_model_cache) <= PLACED
        assert 0 < len(screen._arrangement_cache) <= PLACED
