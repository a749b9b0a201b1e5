"""Caches with room for what a few screens need: Textual and Rich keep up to sixteen thousand things they worked out.

Such a cache takes hours to fill, with what was seen once, and the console grows all that time. Most of these hold some
hundred things that are asked for again: the areas, colours and styles of the pictures of a tab. And each widget
remembers a thousand answers about which widgets are in it, with those that were taken away, and the last sixteen sizes
it had: one that was changed since gives them under another key, and never again.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import textual.dom
import textual.widget
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.cache import FIFOCache, LRUCache
from textual.css.scalar import Scalar
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style

KEPT, FEW = 1024, 256  # areas and colours; pieces of lines and styles, of a kilobyte each
ASKED = 64  # answers of a widget: more than a tab asks for at once
PLACED = 2  # sizes of a widget, and places of what is in it: more are asked for as rarely as they are found
LARGE: Mapping[type, tuple[int, tuple[str, ...]]] = {
    Region: (KEPT, ("__contains__", "grow", "shrink", "intersection", "union")),
    Scalar: (KEPT, ("resolve",)),
    Style: (KEPT, ("__add__", "__radd__")),
    Strip: (KEPT, ("render_ansi",)),
    Segment: (FEW, ("_split_cells",)),
    RichStyle: (FEW, ("parse", "_add")),
}


def answers(most: int) -> LRUCache[Any, Any]:
    """Return a cache for what a widget answers, however many it was to keep. Any: keys and widgets of Textual's."""
    return LRUCache(min(most, ASKED))


def sizes(most: int) -> LRUCache[Any, Any]:
    """Return a cache for the sizes of a widget, however many it was to keep. Any: keys and sizes of Textual's."""
    return LRUCache(min(most, PLACED))


def arrangements(most: int) -> FIFOCache[Any, Any]:
    """Return a cache for where the widgets in another are. Any: keys and places of Textual's."""
    return FIFOCache(min(most, PLACED))


def bound_caches() -> None:
    """Give the largest caches less room; once is enough."""
    nodes: Any = textual.dom
    widgets: Any = textual.widget
    nodes.LRUCache, widgets.LRUCache, widgets.FIFOCache = answers, sizes, arrangements
    for owner, (most, names) in LARGE.items():
        for name in names:
            found: Any = vars(owner)[name]
            cached: Any = getattr(found, "__func__", found)  # of a class method
            if cached.cache_parameters()["maxsize"] != most:
                bounded = lru_cache(most)(cached.__wrapped__)
                setattr(owner, name, bounded if cached is found else classmethod(bounded))
