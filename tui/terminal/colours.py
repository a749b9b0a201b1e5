"""Colours: how many of them a terminal takes, and whether its background is light."""

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

WITHOUT = ("vt52", "vt100", "vt102", "vt220", "vt320", "xterm-mono")  # terminals that have none
LIGHT = ("7", "15")  # numbers of white in COLORFGBG, as rxvt, Konsole and others set it


class Colourless(LineFilter):
    """Leaves bold, reversed and underlined text, and no colour at all."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]


def colourless(environment: Mapping[str, str]) -> bool:
    """Say whether nothing is to be drawn in colour: NO_COLOR asks for that, or the terminal has none."""
    return bool(environment.get("NO_COLOR")) or environment.get("TERM") in WITHOUT


def light(environment: Mapping[str, str]) -> bool:
    """Say whether the terminal tells that its background is light."""
    return environment.get("COLORFGBG", "").rpartition(";")[2] in LIGHT
