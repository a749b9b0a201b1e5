"""Plots of a comparison: curves smoothed and read off, a parameter against a metric, parallel coordinates. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from textual.content import Content

from lemnis.engine.experiments import Curve, Run
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, figure
from lemnis.tui.language import _
from lemnis.tui.widgets import Series

SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)
LABEL = 10


class Axis(Struct, frozen=True):
    """One parameter or metric of several runs: where each stands from 0 (low) to 1 (high), None without a value."""

    name: str
    places: list[float | None]
    low: str
    high: str


def smoothed(curve: Curve, weight: float) -> Curve:
    """Return the exponential moving average of a curve, corrected for its start; 0 leaves it as it is.

    Args:
        curve: (step, value) in order of step.
        weight: Of what came before, in [0, 1).
    """
    found: Curve = []
    kept, share = 0.0, 0.0
    for step, value in curve:
        kept = weight * kept + (1 - weight) * value
        share = weight * share + (1 - weight)
        found.append((step, kept / share))
    return found


def read_off(curve: Curve, step: float) -> float | None:
    """Return the value of a curve at the step nearest to this one, None outside its span."""
    if not curve or not curve[0][0] <= step <= curve[-1][0]:
        return None
    return min(curve, key=lambda point: abs(point[0] - step))[1]


def overlaid(runs: Sequence[Run], curves: Sequence[Curve], first: int) -> list[Series]:
    """Return the runs' curves as lines of a chart, the run at `first` in front, the baseline next."""
    order = [first, *(place for place in range(len(runs)) if place != first)]
    return [
        Series(
            f"{'★ ' if not place else ''}#{runs[place].id} {runs[place].name}",
            [step for step, _ in curves[place]],
            [value for _, value in curves[place]],
        )
        for place in order
        if curves[place]
    ]


def axis_of(name: str, texts: Sequence[str | None]) -> Axis:
    """Return an axis of the values of several runs: numbers by size, anything else in the order of the words."""
    numbers = [as_number(text) for text in texts]
    if all(value is not None or text is None for value, text in zip(numbers, texts, strict=True)):
        known = [value for value in numbers if value is not None]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        span = high - low
        places = [None if value is None else (value - low) / span if span else 0.5 for value in numbers]
        return Axis(name, places, figure(low) if known else MISSING, figure(high) if known else MISSING)
    words = sorted({text for text in texts if text is not None})
    reach = max(1, len(words) - 1)
    return Axis(
        name,
        [None if text is None else words.index(text) / reach for text in texts],
        safe(words[0], limit=LABEL),
        safe(words[-1], limit=LABEL),
    )


def as_number(text: str | None) -> float | None:
    """Return the finite number that a text is, or None."""
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def scatter(across: Axis, up: Axis, labels: Sequence[str], size: tuple[int, int], first: int) -> Content:
    """Return runs as dots with their number beside them; the run at `first` is drawn last, bright.

    Args:
        across: The horizontal axis.
        up: The vertical axis.
        labels: What stands beside each dot.
        size: Columns and lines to draw in.
        first: Which run is under the cursor.
    """
    width, height = max(20, size[0] - LABEL - 2), max(4, size[1] - 3)
    grid = [[(" ", "")] * width for _ in range(height)]
    order = [place for place in range(len(labels)) if place != first] + [first]
    for place in order:
        x, y = across.places[place], up.places[place]
        if x is None or y is None:
            continue
        column, line = round(x * (width - 8)), round((1 - y) * (height - 1))
        style = "bold $stage-accent" if place == first else "$muted"
        for offset, char in enumerate(f"{'◉' if place == first else '●'}{labels[place]}"[: width - column]):
            grid[line][column + offset] = (char, style)
    lines = [Content.styled(f"{up.name} ↑", "$muted")]
    for number, cells in enumerate(grid):
        edge = up.high if number == 0 else up.low if number == height - 1 else ""
        lines.append(Content.assemble((f"{edge[:LABEL]:>{LABEL}} │", "$muted"), *cells))
    lines.append(Content.styled(f"{'':>{LABEL}} └{'─' * width}", "$muted"))
    end = f"{across.high}  → {across.name}"
    lines.append(Content.styled(f"{'':>{LABEL}}  {across.low}{end:>{max(1, width - len(across.low))}}", "$muted"))
    return Content("\n").join(lines)


def parallel(axes: Sequence[Axis], size: tuple[int, int], first: int) -> Content:
    """Return each run as a line over the axes, low values below; the run at `first` is thick and drawn last.

    Args:
        axes: At least two, left to right.
        size: Columns and lines to draw in.
        first: Which run is under the cursor.
    """
    height = max(5, size[1] - 4)
    gap = max(LABEL + 2, (size[0] - LABEL) // max(1, len(axes) - 1))
    shown = axes[: max(2, (size[0] - LABEL) // gap + 1)]
    width = gap * (len(shown) - 1) + LABEL
    grid = [[(" ", "")] * width for _ in range(height)]
    for place in range(len(shown)):
        for cells in grid:
            cells[place * gap] = ("│", "$muted")
    runs = range(len(shown[0].places)) if shown else range(0)
    for run in [place for place in runs if place != first] + [place for place in runs if place == first]:
        mark = ("━", "bold $stage-accent") if run == first else ("·", "$muted")
        heights = [axis.places[run] for axis in shown]
        for place, (left, right) in enumerate(pairwise(heights)):
            if left is not None and right is not None:
                for step in range(gap):
                    at = left + (right - left) * step / gap
                    grid[round((1 - at) * (height - 1))][place * gap + step] = mark
        for place, at in enumerate(heights):
            if at is not None:
                grid[round((1 - at) * (height - 1))][place * gap] = ("◉" if run == first else "●", mark[1])
    rows = [labels_line([axis.name for axis in shown], gap), labels_line([axis.high for axis in shown], gap)]
    rows += [Content.assemble(*cells) for cells in grid]
    rows.append(labels_line([axis.low for axis in shown], gap))
    left_out = len(axes) - len(shown)
    return Content("\n").join(
        rows
        + (
            [Content.styled(_("{left_out} more axes do not fit").format(left_out=left_out), "$muted")]
            if left_out
            else []
        )
    )


def labels_line(texts: Sequence[str], gap: int) -> Content:
    """Return words over their axes, cut to the room between two."""
    return Content.styled("".join(f"{safe(text, limit=gap - 1):<{gap}}" for text in texts).rstrip(), "$muted")


def rank_correlation(across: Axis, up: Axis) -> float | None:
    """Return Spearman's rank correlation of two axes over the runs that have both; None for fewer than three."""
    both = [(x, y) for x, y in zip(across.places, up.places, strict=True) if x is not None and y is not None]
    if len(both) < 3:
        return None
    first, second = (ranks([pair[side] for pair in both]) for side in (0, 1))
    mean = (len(both) + 1) / 2
    shared = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    spread = math.sqrt(sum((a - mean) ** 2 for a in first) * sum((b - mean) ** 2 for b in second))
    return shared / spread if spread else None


def ranks(values: Sequence[float]) -> list[float]:
    """Return each value's rank from 1, equal ones share their mean rank."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]


def within(line: Series, span: tuple[float, float]) -> Series:
    """Return the points of a line whose step lies in a span."""
    points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if span[0] <= x <= span[1]]
    return Series(line.name, [x for x, _ in points], [y for _, y in points])


def span_of(curves: Sequence[Curve]) -> tuple[float, float] | None:
    """Return the first and the last step of all curves, None without a point."""
    steps = [step for curve in curves for step, _ in curve]
    return (min(steps), max(steps)) if steps else None


def moved(at: float | None, by: int, span: tuple[float, float], steps: int) -> float:
    """Return a reading line moved by a part of the span, on a whole step inside it; it starts at an end."""
    low, high = span
    stride = max(1, round((high - low) / steps))
    start = (high + stride if by < 0 else low - stride) if at is None else at
    return float(round(min(max(start + by * stride, low), high)))


def zoomed(
    span: tuple[float, float], around: float | None, factor: float, whole: tuple[float, float]
) -> tuple[float, float] | None:
    """Return a span made smaller or larger around a step, never beyond the whole; None for the whole itself."""
    low, high = span
    middle = around if around is not None else (low + high) / 2
    half = max(1.0, (high - low) * factor / 2)
    if not factor or 2 * half >= whole[1] - whole[0]:
        return None
    start = min(max(middle - half, whole[0]), whole[1] - 2 * half)
    return start, start + 2 * half
