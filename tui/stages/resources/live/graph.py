"""Graphs of one figure over time as lines of characters: braille, blocks or plain ASCII. Pure.

What was measured as nothing still stands a dot above the ground; what was not measured is blank.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, TypeAlias

from lemnis.tui.format import mean_of

Shape: TypeAlias = Literal["braille", "blocks", "ascii"]

LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)  # braille dots of the left half by height, 0..4
RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
BLOCKS = " ▁▂▃▄▅▆▇█"
LETTERS = " .:|#"
DOTS: Mapping[Shape, int] = {"braille": 4, "blocks": 8, "ascii": 4}  # heights a character can show


def shape_for(environment: Mapping[str, str], encoding: str) -> Shape:
    """Return what a terminal can draw: one that is not UTF-8 has ASCII alone, the Linux console has no braille."""
    wanted = environment.get("LEMNIS_GRAPHS", "")
    if wanted in ("braille", "blocks", "ascii"):
        return wanted
    if encoding.lower().replace("-", "") not in ("utf8", "") or environment.get("TERM") == "dumb":
        return "ascii"
    return "blocks" if environment.get("TERM", "").startswith("linux") else "braille"


def resampled(values: Sequence[float | None], slots: int) -> list[float | None]:
    """Return values as exactly so many: the mean of those that fall together, repeated where there are fewer."""
    count = len(values)
    if count == 0:
        return [None] * slots
    if count == slots:
        return list(values)
    edges = [index * count // slots for index in range(slots + 1)]
    return [mean_of(list(values[start : max(start + 1, end)])) for start, end in pairwise(edges)]


def area(
    values: Sequence[float | None], width: int, height: int, *, top: float | None = None, shape: Shape = "braille"
) -> list[str]:
    """Return a filled graph of `height` lines, each exactly `width` cells, the newest value at the right.

    Args:
        values: Not negative; None where nothing was measured.
        width: Cells.
        height: Lines.
        top: What fills the whole height; the largest value if None.
        shape: What it is drawn with.
    """
    return list(filled_area(tuple(values), width, height, top, shape)) if width > 0 and height > 0 else []


@lru_cache(maxsize=192)  # most pasts stand still from one picture to the next: that of each core, of each flow
def filled_area(
    values: tuple[float | None, ...], width: int, height: int, top: float | None, shape: Shape
) -> tuple[str, ...]:
    """Return the lines of `area`."""
    steps = DOTS[shape]
    known = [value for value in values if value is not None]
    scale = (top if top is not None else max(known, default=0.0)) or 1.0
    slots = resampled(values, width * 2 if shape == "braille" else width)
    tall = [
        0 if value is None else max(1, min(steps * height, round(value / scale * steps * height))) for value in slots
    ]
    lines: list[str] = []
    for row in reversed(range(height)):
        part = [max(0, min(steps, dots - row * steps)) for dots in tall]
        if shape == "braille":
            pairs = zip(part[::2], part[1::2], strict=True)
            lines.append(
                "".join(chr(0x2800 + LEFT[left] + RIGHT[right]) if left or right else " " for left, right in pairs)
            )
        else:
            letters = BLOCKS if shape == "blocks" else LETTERS
            lines.append("".join(letters[dots] for dots in part))
    return tuple(lines)


def strip(values: Sequence[float | None], width: int, *, top: float | None = None, shape: Shape = "braille") -> str:
    """Return a graph of one line; see `area`."""
    return "".join(area(values, width, 1, top=top, shape=shape))


def heat(values: Sequence[float | None], *, shape: Shape = "braille") -> str:
    """Return one character for each percentage, 0..100; a middle dot for one that is not known."""
    letters = LETTERS if shape == "ascii" else BLOCKS
    most = len(letters) - 1
    return "".join("·" if value is None else letters[max(1, min(most, round(value / 100 * most)))] for value in values)
