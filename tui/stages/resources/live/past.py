"""The machine's past as lines: figures over a span, a time axis, and where jobs started and ended on it. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.resources import History, Mark
from lemnis.tui.format import MISSING, bytes_, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.stages.resources.live.graph import Shape, area
from lemnis.tui.widgets.cells import fitted, padded

GUTTER = 11  # cells left of the graphs: name, value, scale


class View(Struct, frozen=True):
    """One choice of what is drawn: figures of the host by name, each with its legend."""

    name: str
    figures: tuple[tuple[str, str], ...]
    whole: bool = False  # 0..100 always, so that a height means the same from one look to the next
    rates: bool = False  # bytes a second; otherwise percent


VIEWS = (
    View(N_("use"), (("cpu_percent", "CPU"), ("memory_percent", N_("memory"))), whole=True),
    View(
        N_("waiting"),
        (
            ("cpu_pressure_percent", "CPU"),
            ("memory_pressure_percent", N_("memory")),
            ("disk_pressure_percent", N_("disk")),
        ),
    ),
    View(N_("disk"), (("disk_read_bytes_per_s", N_("read")), ("disk_write_bytes_per_s", N_("write"))), rates=True),
    View(N_("network"), (("net_received_bytes_per_s", N_("in")), ("net_sent_bytes_per_s", N_("out"))), rates=True),
)
GPU_METRIC = "gpu:"  # how busy a GPU was, by this and its index


def gpu_view(indices: Sequence[str]) -> View:
    """Return the view of how busy each GPU was."""
    return View(N_("GPU busy"), tuple((f"{GPU_METRIC}{index}", f"GPU {index}") for index in indices), whole=True)


FIGURES = [metric for view in VIEWS for metric, _ in view.figures]
SPANS = (60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000)
SPAN_NAMES = {
    60: N_("1 min"), 300: N_("5 min"), 900: N_("15 min"), 3600: N_("1 h"), 21_600: N_("6 h"), 86_400: N_("24 h"),
    604_800: N_("7 days"), 2_592_000: N_("30 days"),
}  # fmt: skip
DEFAULT_SPAN = 900


def past_lines(
    view: View, past: History, marks: Sequence[Mark], width: int, height: int, *, shape: Shape = "braille"
) -> list[Content]:
    """Return a graph for each figure one above the other, then the marks, then the axis: exactly `height` lines.

    Args:
        view: What is drawn.
        past: Its figures in equal steps.
        marks: Jobs that started or ended.
        width: Cells.
        height: Lines; where there are few, figures are left out from the last on.
        shape: What graphs are drawn with.
    """
    room = width - GUTTER
    if room < 8 or height < 3:
        return []
    figures = view.figures[: max(1, height - 2)]
    heights = shares(height - 2, len(figures))
    lines: list[Content] = []
    for (metric, name), tall in zip(figures, heights, strict=True):
        values = past.values.get(metric, [])
        top = 100.0 if view.whole else nice_top([value for value in values if value is not None], rates=view.rates)
        graph = area(values, room, tall, top=top, shape=shape)
        gutter = gutter_of(_(name), last_known(values), top, tall, rates=view.rates)
        lines += [
            Content.assemble(left, ("│" if shape != "ascii" else "|", "$faint"), (drawn, "$busy"))
            for left, drawn in zip(gutter, graph, strict=True)
        ]
    return [*lines, marks_line(marks, past, room), axis_line(round(past.step_s * len(past.at)), room)]


def shares(lines: int, parts: int) -> list[int]:
    """Return so many lines as even parts, the first the largest."""
    return [lines // parts + (part < lines % parts) for part in range(parts)]


def last_known(values: Sequence[float | None]) -> float | None:
    """Return the newest value; None if the newest step has none: an old one would look alive."""
    return values[-1] if values else None


def nice_top(known: Sequence[float], *, rates: bool) -> float:
    """Return the end of a scale that changes seldom: the next 1, 2 or 5 times a power of ten (of two for rates)."""
    most = max(known, default=0.0)
    if rates:
        top = 1024.0
        while top < most:
            top *= 4
        return top
    return next((float(top) for top in (1, 2, 5, 10, 20, 50) if most <= top), 100.0)


def gutter_of(name: str, value: float | None, top: float, height: int, *, rates: bool) -> list[Content]:
    """Return what stands left of one graph: name and end of the scale, the newest value, and nothing at the ground."""

    def words(number: float | None) -> str:
        if number is None:
            return MISSING
        return bytes_(number) if rates else f"{number:.0f}%"

    room = GUTTER - 1
    if height == 1:
        return [Content.assemble(fitted(Content.styled(name, "$muted"), 5), f"{short(words(value)):>{room - 5}}")]
    scale = short(words(top)).removesuffix("%")
    first = Content.assemble((name, "bold"), (f"{scale:>{room - cell_len(name)}}", "$faint"))
    second = Content(f"{words(value):>{room}}")
    lines = [first, second, *[Content(" " * room)] * (height - 2)]
    if height > 2:
        lines[-1] = Content.styled(f"{'0':>{room}}", "$faint")
    return [fitted(line, room) for line in lines]


def short(words: str) -> str:
    """Return a size without the long form of its unit: ``1.5M`` for 1.5 MiB."""
    return words.replace("iB", "").replace(" ", "")


def marks_line(marks: Sequence[Mark], past: History, room: int) -> Content:
    """Return where jobs started (▶) and how they ended, each with its number where there is room for it.

    The newest is placed first; one that would cover another is left out.
    """
    cells: list[tuple[str, str]] = [(" ", "")] * room
    if len(past.at) > 1:
        start, end = past.at[0], past.at[-1] + past.step_s * 1000
        for mark in sorted(marks, key=lambda one: -one.at):
            place = min(room - 1, int((mark.at - start) / (end - start) * room))  # what is newer is "now"
            if place < 0:
                continue
            glyph, style = glyph_of(mark)
            if cells[place][0] != " ":
                continue
            cells[place] = (glyph, style)
            label = str(mark.job_id)
            behind = range(place + 1, place + 1 + len(label))
            if behind.stop <= room and all(
                cells[index][0] == " " for index in range(place + 1, min(room, behind.stop + 1))
            ):
                for index, letter in zip(behind, label, strict=True):
                    cells[index] = (letter, "$muted")
    label = _("jobs") if marks else ""
    return Content.assemble((padded(label, GUTTER - 1), "$muted"), (" ", ""), *cells)


def glyph_of(mark: Mark) -> tuple[str, str]:
    """Return the glyph of a start, or of the state in which a job ended, and its colour."""
    if mark.state == "started":
        return "▶", "$busy"
    judged = verdict(mark.state)
    return judged.glyph, judged.style


def axis_line(span_s: float, room: int) -> Content:
    """Return the ages under the graphs: at the left end, at whole steps between, and now."""
    parts = parts_of(span_s, room)
    cells = [" "] * room
    for part in range(parts):
        place = round(part * room / parts)
        for index, letter in enumerate(age_words(span_s * (1 - part / parts))):
            if place + index < room - 4:
                cells[place + index] = letter
    now = _("now")
    cells[room - cell_len(now) :] = now
    return Content.styled(" " * GUTTER + "".join(cells), "$faint")


def parts_of(span_s: float, room: int) -> int:
    """Return into how many even parts an axis is labelled, so that each label is a whole number of its unit."""
    unit = next((size for size in (86_400, 3600, 60) if span_s >= 2 * size), 5)
    for parts in (7, 6, 5, 4, 3, 2):
        if room >= 14 * parts and span_s % parts == 0 and span_s / parts % unit == 0:
            return parts
    return 1


def age_words(seconds: float) -> str:
    """Return an age on the axis: ``−15 min``."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"−{seconds / size:.3g} {unit}"
    return f"−{seconds:.3g} s"
