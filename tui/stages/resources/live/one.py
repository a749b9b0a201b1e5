"""One process as lines: what is known of it, and its figures over time. Pure."""

from collections.abc import Sequence
from textwrap import wrap

from msgspec import Struct
from textual.content import Content

from lemnis.engine.resources import ProcessDetail
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, duration, number, when
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.resources.lines import rate
from lemnis.tui.stages.resources.live.graph import Shape, area
from lemnis.tui.stages.resources.live.past import GUTTER, axis_line, shares
from lemnis.tui.widgets.cells import fitted, padded

COMMAND_LINES = 3
STATES = {
    "R": N_("runs"), "S": N_("sleeps"), "D": N_("waits for the disk"), "Z": N_("ended, not yet collected"),
    "T": N_("stands still"), "t": N_("stands still for a debugger"), "I": N_("idle"), "X": N_("ended"),
}  # fmt: skip


class Point(Struct, frozen=True):
    """What a process did at one moment; None where the kernel doesn't say, or at the first reading."""

    at: int  # epoch ms
    cpu_percent: float | None
    memory_bytes: float | None
    threads: float | None
    read_bytes_per_s: float | None
    written_bytes_per_s: float | None


GRAPHS = (
    ("cpu_percent", "CPU"), ("memory_bytes", N_("memory")), ("read_bytes_per_s", N_("read")),
    ("written_bytes_per_s", N_("write")), ("threads", N_("threads")),
)  # fmt: skip


def point_between(before: ProcessDetail | None, after: ProcessDetail) -> Point:
    """Return what a process did from one reading to the next; rates are not known at the first."""
    seconds = (after.at - before.at) / 1000 if before is not None else 0.0

    def per_second(early: float | None, late: float | None) -> float | None:
        return None if early is None or late is None or seconds <= 0 else max(0.0, late - early) / seconds

    spent = per_second(before.process.cpu_s, after.process.cpu_s) if before is not None else None
    return Point(
        at=after.at,
        cpu_percent=None if spent is None else 100 * spent,
        memory_bytes=after.process.memory_bytes,
        threads=after.process.threads,
        read_bytes_per_s=per_second(before.read_bytes, after.read_bytes) if before is not None else None,
        written_bytes_per_s=per_second(before.written_bytes, after.written_bytes) if before is not None else None,
    )


def detail_lines(detail: ProcessDetail, width: int, now_ms: int) -> list[Content]:
    """Return what is known of a process, its whole command line first."""
    one = detail.process
    command = wrap(safe(one.command), max(20, width)) or [f"[{safe(one.name)}]"]
    if len(command) > COMMAND_LINES:
        command = [*command[: COMMAND_LINES - 1], command[COMMAND_LINES - 1][: width - 1] + "…"]
    owner = (
        Content.styled(f"→ {safe(told(one.owner))}", "$stage-accent")
        if one.owner
        else Content(_("not of this workspace"))
    )
    above = " ‹ ".join(f"{safe(name)} {pid}" for pid, name in detail.ancestors) or "init"
    below = ", ".join(map(str, detail.children[:12])) + ("…" if len(detail.children) > 12 else "")
    lines = [Content.styled(line, "bold") for line in command]
    lines += [
        facts(
            (_("user"), safe(one.user) or MISSING), (_('state'), _(STATES.get(one.state, one.state))),
            (_("threads"), number(one.threads)), ("nice", str(one.nice)), (_('on cores'), detail.cores or MISSING),
        ),
        facts(
            (_("started"), f"{when(one.started_at, seconds=True)} ({age(one.started_at, now_ms)})"),
            (_('CPU time'), duration(one.cpu_s)),
            (_('lost the CPU'), _('{switched_away} times').format(switched_away=number(detail.switched_away))),
        ),
        facts(
            (_('memory'), bytes_(one.memory_bytes)), (_('at most'), bytes_(detail.memory_peak_bytes)),
            (_('swapped out'), bytes_(detail.swap_bytes)), ("GPU", bytes_(one.gpu_memory_bytes)),
        ),
        facts(
            (_("read"), bytes_(detail.read_bytes)), (_("written"), bytes_(detail.written_bytes)),
            (_('open files'), number(detail.file_descriptors)), (_("in"), safe(detail.folder, limit=200) or MISSING),
        ),
        facts((_('started by'), above), *([(_("children"), below)] if below else [])),
        Content.assemble((f"{_('works for')} ", "$muted"), owner),
    ]  # fmt: skip
    return lines


def facts(*pairs: tuple[str, str]) -> Content:
    """Return labels and values in one line."""
    parts = [Content.assemble((f"{label} ", "$muted"), value) for label, value in pairs]
    return Content("   ").join(parts)


def point_lines(points: Sequence[Point], width: int, height: int, *, shape: Shape = "braille") -> list[Content]:
    """Return graphs and the time axis, exactly `height` lines; fewer figures where there is no room."""
    room = width - GUTTER
    if room < 8 or height < 2 or not points:
        return []
    graphs = GRAPHS[: max(1, min(len(GRAPHS), height - 1))]
    lines: list[Content] = []
    for (name, label), tall in zip(graphs, shares(height - 1, len(graphs)), strict=True):
        values: list[float | None] = [getattr(point, name) for point in points]
        top = max(100.0 if name == "cpu_percent" else 1.0, *(value for value in values if value is not None), 0.0)
        slots: list[float | None] = [None] * max(0, LEAST - len(values))
        graph = area([*slots, *values], room, tall, top=top, shape=shape)
        lines += beside(_(label), words(name, values[-1]), graph, shape=shape)
    span_s = max(LEAST - 1.0, (points[-1].at - points[0].at) / 1000)
    return [*lines, axis_line(span_s, room)]


LEAST = 60  # readings the axis has room for from the start


def words(name: str, value: float | None) -> str:
    """Return one figure in words."""
    if value is None:
        return MISSING
    if name == "cpu_percent":
        return f"{value:.1f}%"
    return number(round(value)) if name == "threads" else rate(value) if name.endswith("_s") else bytes_(value)


def beside(label: str, value: str, graph: Sequence[str], *, shape: Shape) -> list[Content]:
    """Return a graph with its name and its newest value left of it."""
    edge, room = "│" if shape != "ascii" else "|", GUTTER - 1
    if len(graph) == 1:
        left = [
            Content.assemble(
                fitted(Content.styled(label, "$muted"), 3), f"{value.replace('iB', ''):>{room - 3}}"[-room + 3 :]
            )
        ]
    else:
        left = [Content.styled(padded(label, room), "bold"), Content(f"{value:>{room}}"[-room:])]
        left += [Content(" " * room)] * (len(graph) - 2)
    return [Content.assemble(one, (edge, "$faint"), (drawn, "$busy")) for one, drawn in zip(left, graph, strict=True)]


def keys_line(*, run: int | None) -> Content:
    """Return the keys of the screen."""
    parts: list[tuple[str, str] | str] = [(" esc ", "$key"), f"{_('Back')}  ", (" X ", "$key"), f"{_('Signal')}  "]
    return Content.assemble(*parts, *([(" r ", "$key"), _("Run {run}").format(run=run)] if run is not None else []))
