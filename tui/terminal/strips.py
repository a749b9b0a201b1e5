"""Strips with room for what they need only: Textual gives each line of a picture seven caches, and few are ever used.

A console of ten tabs keeps some ten thousand lines, so that the empty caches took more memory than the lines. And a
cache of Textual's that was meant for a class keeps the lines of a thousand widgets that were taken away.
"""

from functools import lru_cache
from typing import Any

import textual.strip
from textual._styles_cache import StylesCache
from textual.cache import FIFOCache
from textual.strip import Strip

SIZES = {
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}


class Forgets(FIFOCache[Any, Any]):
    """A cache that keeps nothing."""

    def get(self, key: object, default: Any = None) -> Any:
        return default

    def __setitem__(self, key: object, value: object) -> None:
        """Let it go."""


class Never:
    """A cache of a strip that is asked for more than it answers: one that keeps nothing, for all strips."""

    def __init__(self) -> None:
        self._cache = Forgets(0)

    def __get__(self, strip: Strip, kind: type[Strip]) -> Forgets:
        return self._cache

    def __set__(self, strip: Strip, cache: object) -> None:
        """Keep the one there is."""


class WhenAsked:
    """A cache of a strip that is made when it is first asked for. Any: each holds something else."""

    def __init__(self, slot: Any, size: int) -> None:
        self._get, self._set, self._size = slot.__get__, slot.__set__, size

    def __get__(self, strip: Strip, kind: type[Strip]) -> FIFOCache[Any, Any]:
        try:
            return self._get(strip, kind)
        except AttributeError:
            made = FIFOCache[Any, Any](self._size)
            self._set(strip, made)
            return made

    def __set__(self, strip: Strip, cache: object) -> None:
        """Leave the slot empty: only Strip's own start sets it."""


def spare_caches() -> None:
    """Have strips make their caches when they are asked for, and none keep what was drawn; once is enough."""
    if isinstance(vars(Strip)["_crop_cache"], WhenAsked):
        return
    for name, size in SIZES.items():
        setattr(Strip, name, WhenAsked(vars(Strip)[name], size))
    # A line is cut where widgets end, and its pieces are the half of all lines; cutting them again is cheap.
    strip: Any = Strip
    strip._divide_cache = Never()
    # Its first argument is called `cls`, and its cache would be told apart, and kept, by each widget's lines.
    lines: Any = StylesCache
    lines.get_inner_outer = classmethod(lru_cache(1024)(lines.get_inner_outer.__wrapped__))
    module: Any = textual.strip
    module.FIFOCache = int  # what Strip's start makes and sets is dropped: let it cost nothing
