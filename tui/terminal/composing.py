"""What is seen of the widgets of a screen, from the front to the back.

Textual draws what others hide too, all of each widget that has a part in a picture, and cuts every line where any
widget begins or ends: in a large terminal most of a picture was that, and a scroll bar of a dialog cost the tab under
it. Here each widget is asked for the lines it is seen in, and a line is cut where something else is seen.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip

Span = tuple[int, int]  # the columns where it begins and ends
Lines = dict[int, dict[int, Strip]]  # what is drawn: by row, and by the column where it begins


class Pieces(CompositorUpdate):
    """A part of a picture."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def render_segments(self, console: Console) -> str:
        pieces = ((x, y, strip) for y, line in self.lines.items() for x, strip in line.items())
        return "".join(f"{Control.move_to(x, y)}{strip.render(console)}" for x, y, strip in pieces)


def seen(compositor: Compositor, spans: Iterable[tuple[int, int, int]]) -> Lines:
    """Return what is seen in some spans, each a row and two columns.

    It is all that is seen there of a widget: an end of a span may be in the middle of a wide letter.
    """
    wanted = dict[int, list[Span]]()
    for y, begin, end in spans:
        wanted.setdefault(y, []).append((begin, end))
    lines, gaps = {y: dict[int, Strip]() for y in wanted}, {y: [(0, compositor.size.width)] for y in wanted}
    for widget, (region, clip) in compositor.visible_widgets.items():
        area = clip.intersection(region)
        left, right = area.column_span
        parts = dict[int, list[Span]]()
        for y in area.line_range:
            if any(begin < right and left < end for begin, end in gaps.get(y, ())):
                inside = [(max(begin, left), min(end, right)) for begin, end in gaps[y]]
                beside = [
                    side for begin, end in gaps[y] for side in ((begin, min(end, left)), (max(begin, right), end))
                ]
                parts[y], gaps[y] = touching(inside, wanted[y]), touching(beside, wanted[y])
        rows = [y for y, inside in parts.items() if inside]
        if not rows:
            continue
        top = rows[0]
        strips = widget.render_lines(Region(left - region.x, top - region.y, area.width, rows[-1] + 1 - top))
        for y in rows:
            # One that has not heard of its size yet draws another number of cells.
            lines[y].update(pieces(strips[y - top].adjust_cell_length(area.width), left, parts[y]))
    return {y: dict(sorted(line.items())) for y, line in lines.items()}


def touching(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """Return the spans that have a column in one of others."""
    return [
        (begin, end)
        for begin, end in spans
        if begin < end and any(begin < after and before < end for before, after in others)
    ]


def pieces(strip: Strip, left: int, parts: Sequence[Span]) -> Iterable[tuple[int, Strip]]:
    """Return some parts of a line that begins in a column, each with its own column."""
    if parts == [(left, left + strip.cell_length)]:
        return [(left, strip)]
    cut = list(Segment.divide(strip, [x - left for part in parts for x in part]))[1::2]
    return [(begin, Strip(segments, end - begin)) for (begin, end), segments in zip(parts, cut, strict=True)]


def _whole(compositor: Compositor, crop: Region, _: object) -> list[dict[int, Strip]]:
    return list(seen(compositor, [(y, *crop.column_span) for y in crop.line_range]).values())


def _changed(compositor: Compositor) -> Pieces | None:
    changed = compositor._dirty_regions.copy()  # pyright: ignore[reportPrivateUsage]
    compositor._dirty_regions.clear()  # pyright: ignore[reportPrivateUsage]
    return Pieces(seen(compositor, compositor._regions_to_spans(changed))) if changed else None  # pyright: ignore[reportPrivateUsage]


def draw_seen() -> None:
    """Have every picture made of what is seen in it."""
    textual: Any = Compositor
    textual._render_chops, textual.render_partial_update = _whole, _changed
