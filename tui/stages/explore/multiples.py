"""One small histogram per class over the same bins and the same scale, with rows, mean and missing. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from textual.content import Content

from lemnis.engine.explore import Profile
from lemnis.engine.text import safe
from lemnis.tui.format import BLOCKS, figure, number, share
from lemnis.tui.language import _
from lemnis.tui.stages.explore.rows import bin_labels, class_look
from lemnis.tui.widgets.cells import fitted

LINES = 4  # of a small histogram where there is room
LEAST, GAP = 20, 2  # cells of a small histogram, and between two


class Small(NamedTuple):
    """One class: its look, its name, what share of its rows each bin holds, and its figures in words."""

    glyph: str
    style: str
    name: str
    parts: list[float]
    rows: str
    mean: str
    missing: str


def multiples_lines(profile: Profile, by: str, width: int, *, stacked: bool = False) -> list[Content]:
    """Return the classes beside each other, as many in a row as fit; stacked: one line each.

    Nothing is returned for a column without classes. Bars are shares of the class's own rows, so that a rare class is
    seen, and the tallest bar of all classes is full.

    Args:
        profile: The column.
        by: The column whose classes they are.
        width: Cells of a line.
        stacked: Whether each class takes one line.
    """
    drawn = small_ones(profile)
    top = max((part for one in drawn for part in one.parts), default=0.0)
    if not drawn or not top:
        return []
    low, high = ends(profile)
    full = _("share of each class's rows, full bar {top}").format(top=share(top))
    across = _("from {low} to {high}").format(low=low, high=high) if stacked and high else ""
    title = Content.assemble(
        (f"{_('by')} ", "$muted"),
        (safe(by, limit=24), "bold"),
        ("  " + "  ".join(filter(None, (full, across))), "$muted"),
    ).truncate(width, ellipsis=True)
    if stacked:
        return [title, *stacked_lines(drawn, top, width)]
    return [title, *blocks(drawn, top, width, (low, high))]


def small_ones(profile: Profile) -> list[Small]:
    """Return what is drawn of each class."""
    found: list[Small] = []
    for place, one in enumerate(profile.findings.classes):
        counts = profile.histogram.by_class.get(one.name, [])
        held = max(1, one.rows - one.missing)
        glyph, style = class_look(place)
        mean = "" if one.mean is None or profile.kind != "numeric" else _("mean {mean}").format(mean=figure(one.mean))
        missing = _("missing {missing}").format(missing=share(one.missing / one.rows) if one.missing else 0)
        parts = [count / held for count in counts]
        found.append(
            Small(glyph, style, safe(one.name), parts, _("{rows} rows").format(rows=number(one.rows)), mean, missing)
        )
    return found


def stacked_lines(drawn: Sequence[Small], top: float, width: int) -> list[Content]:
    """Return one line a class: name, outline, rows, mean, missing; what has no room is left out from the right."""
    names = [Content(one.name).truncate(14, ellipsis=True) for one in drawn]
    wide = max(name.cell_length for name in names)
    tails = [[one.rows, one.mean, one.missing] for one in drawn]
    columns = [max(Content(tail[place]).cell_length for tail in tails) for place in range(3)]
    room = width - wide - 3
    while columns and room - sum(columns) - 2 * len(columns) < 12:
        columns.pop()
    cells = room - sum(columns) - 2 * len(columns)
    lines: list[Content] = []
    for one, name, tail in zip(drawn, names, tails, strict=True):
        figures = [fitted(Content(text), cells_, right=True) for text, cells_ in zip(tail, columns, strict=False)]
        outline = fitted(Content.styled(bars(one.parts, cells, 1, top)[0], one.style), cells)
        line = Content.assemble((f"{one.glyph} ", one.style), fitted(name, wide), " ", outline)
        lines.append(Content("  ").join([line, *figures]))
    return lines


def blocks(drawn: Sequence[Small], top: float, width: int, edge_words: tuple[str, str]) -> list[Content]:
    """Return the classes side by side, each a block of lines; those that do not fit go below."""
    many = max(1, min(len(drawn), (width + GAP) // (LEAST + GAP)))
    wide = (width - GAP * (many - 1)) // many
    lines: list[Content] = []
    for first in range(0, len(drawn), many):
        side = [block(one, top, wide, edge_words) for one in drawn[first : first + many]]
        lines += [Content(" " * GAP).join(parts) for parts in zip(*side, strict=True)]
    return lines


def block(one: Small, top: float, wide: int, edge_words: tuple[str, str]) -> list[Content]:
    """Return one class as lines of the same width: name, bars, the ends of the axis, figures."""
    head = Content.assemble((f"{one.glyph} ", one.style), (one.name, "bold"))
    drawn = [Content.styled(line, one.style) for line in bars(one.parts, wide, LINES, top)]
    low, high = edge_words
    length = max((line.cell_length for line in drawn), default=0)
    axis = fitted(Content(low), max(0, length - Content(high).cell_length)) + Content(high)
    figures = [axis.stylize("$muted"), *(Content(words) for words in (one.rows, one.mean, one.missing) if words)]
    return [fitted(line, wide) for line in (head, *drawn, *figures)]


def bars(parts: Sequence[float], cells: int, lines: int, top: float) -> list[str]:
    """Return upright bars, the topmost line first, each bin as wide as fits; what is not zero has an eighth at least.

    Args:
        parts: Height of each bin, at least 0.
        cells: Cells there are across; bins are put together when there are more.
        lines: Lines there are.
        top: The height that fills them.
    """
    if len(parts) > cells:
        places = [round(place * len(parts) / cells) for place in range(cells + 1)]
        parts = [max(parts[low:high]) for low, high in pairwise(places)]
    each = min(3, max(1, cells // max(1, len(parts))))
    heights = [max(1, round(part / top * 8 * lines)) if part > 0 else 0 for part in parts]
    drawn: list[str] = []
    for line in reversed(range(lines)):
        eighths = [min(8, max(0, height - 8 * line)) for height in heights]
        drawn.append("".join((" " if not eighth else BLOCKS[eighth - 1]) * each for eighth in eighths))
    return drawn


def ends(profile: Profile) -> tuple[str, str]:
    """Return the words under the two ends of the bins."""
    labels = bin_labels(profile)
    if profile.histogram.labels or len(labels) < 2:
        return labels[0], labels[-1] if len(labels) > 1 else ""
    return labels[0].partition(" – ")[0], labels[-1].rpartition(" – ")[2]
