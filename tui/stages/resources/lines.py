"""The machine as lines of a screen, drawn for the width there is. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from textual.content import Content

from lemnis.engine.resources import GpuReport, HostSample
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import padded

Past: TypeAlias = Mapping[str, Sequence[float | None]]

MEMORY_LEVELS = (85.0, 95.0)  # percent from which memory is scarce, and nearly gone
DISK_LEVELS = (90.0, 97.0)
PRESSURE_LEVELS = (20.0, 60.0)  # percent of the last 10 s in which something waited


def percent(value: float | None, digits: int = 0) -> str:
    """Return 0..100 with its sign: ``37%``."""
    return MISSING if value is None else f"{value:.{digits}f}%"


def rate(bytes_per_s: float | None) -> str:
    """Return a rate: ``1.5 MiB/s``."""
    return MISSING if bytes_per_s is None else f"{bytes_(bytes_per_s)}/s"


def bar(part: float | None, width: int, style: str = "$busy") -> Content:
    """Return a bar of `width` cells for a percentage; an unknown one is empty."""
    full = round(width * min(100.0, max(0.0, part or 0.0)) / 100)
    return Content.assemble(("━" * full, style), ("─" * (width - full), "$faint"))


def judged(part: float | None, levels: tuple[float, float]) -> tuple[str, str]:
    """Return colour and glyph of a percentage that is better low."""
    if part is None or part < levels[0]:
        return "$busy", ""
    return ("$bad", "✖ ") if part >= levels[1] else ("$warn", "▲ ")


def gauge(
    label: str, part: float | None, words: Content | str, width: int, levels: tuple[float, float] = (101, 101)
) -> Content:
    """Return one line: label, bar, percentage, words; gauges of one width have bars of one length."""
    style, glyph = judged(part, levels)
    room = bar_room(width)
    mark = Content.styled(glyph or "  ", style)
    return Content.assemble((padded(label, 8), "$muted"), bar(part, room, style), f"{percent(part):>5} ", mark, words)


def cpu_line(host: HostSample) -> Content:
    """Return where the time of all cores went."""
    parts: list[tuple[str, str] | str] = [f"{percent(host.cpu_percent):>4} "]
    for label, value in (
        (_("user"), host.user_percent),
        (_("system"), host.system_percent),
        (_("disk wait"), host.wait_percent),
        (_("stolen"), host.steal_percent),
    ):
        parts += [(f"  {label} ", "$muted"), percent(value)]
    return Content.assemble(*parts, (f"   {_('load')} ", "$muted"), load_words(host))


def load_words(host: HostSample) -> str:
    """Return the load averages over 1, 5 and 15 minutes."""
    loads = (host.load_1m, host.load_5m, host.load_15m)
    return " ".join(MISSING if load is None else f"{load:.2f}" for load in loads)


def cpu_title(host: HostSample) -> str:
    """Return what the CPU panel says behind its name: what seldom changes, for a title repaints its whole panel."""
    usable = (
        _("{cores_usable:g} of").format(cores_usable=host.cores_usable) + " "
        if host.cores_usable < host.cores_total
        else ""
    )
    many = _("1 core") if host.cores_total == 1 else _("{cores} cores").format(cores=host.cores_total or MISSING)
    cores = f"{usable}{many}"
    return _("{cores} · up {missing}").format(
        cores=cores, missing=MISSING if host.uptime_s is None else age(0, round(host.uptime_s * 1000))
    )


def memory_lines(host: HostSample, width: int) -> list[Content]:
    """Return memory, swap and the pressure on CPU, memory and disk."""
    used = _("{memory_used_bytes} of {memory_usable_bytes}").format(
        memory_used_bytes=bytes_(host.memory_used_bytes), memory_usable_bytes=bytes_(host.memory_usable_bytes)
    )
    lines = [gauge(_("memory"), host.memory_percent, used, width, MEMORY_LEVELS)]
    if host.swap_total_bytes:
        part = 100 * (host.swap_used_bytes or 0) / host.swap_total_bytes
        words = _("{swap_used_bytes} of {swap_total_bytes}").format(
            swap_used_bytes=bytes_(host.swap_used_bytes), swap_total_bytes=bytes_(host.swap_total_bytes)
        )
        lines.append(gauge(_("swap"), part, words, width, MEMORY_LEVELS))
    else:
        lines.append(
            Content.assemble((f"{padded(_('swap'), 7)} ", "$muted"), MISSING if host.cores_total == 0 else _("none"))
        )
    lines.append(Content.assemble((padded(_("cached"), 8), "$muted"), bytes_(host.memory_cached_bytes)))
    if host.memory_usable_bytes != host.memory_total_bytes:
        lines.append(
            Content.assemble(
                (f"{_('machine')} ", "$muted"),
                _("{memory_total_bytes}, this is a container").format(
                    memory_total_bytes=bytes_(host.memory_total_bytes)
                ),
            )
        )
    return [*lines, pressure_line(host)]


def pressure_line(host: HostSample) -> Content:
    """Return how much of the last ten seconds something waited for CPU, memory or disk."""
    parts: list[tuple[str, str] | str] = [(f"{_('waiting')} ", "$muted")]
    for label, value in (
        ("CPU", host.cpu_pressure_percent),
        (_("memory"), host.memory_pressure_percent),
        (_("disk"), host.disk_pressure_percent),
    ):
        style, glyph = judged(value, PRESSURE_LEVELS)
        parts += [(f"{label} ", "$muted"), (glyph, style), f"{percent(value)}  "]
    return Content.assemble(*parts)


def disk_words(host: HostSample) -> tuple[float | None, str]:
    """Return how full the workspace's disk is, 0..100, and what is free."""
    if not host.disk_total_bytes or host.disk_free_bytes is None:
        return None, MISSING
    part = 100 * (1 - host.disk_free_bytes / host.disk_total_bytes)
    return part, _("{disk_free_bytes} free").format(disk_free_bytes=bytes_(host.disk_free_bytes))


def bar_room(width: int) -> int:
    """Return how long a gauge's bar is in a line of `width` cells."""
    return max(6, min(60, (width - 14) // 2 - 4))


def gpu_brief(report: GpuReport) -> Content:
    """Return all GPUs in one line."""
    if not report.devices:
        return Content.assemble(("GPU     ", "$muted"), (f"{_('○ none:')} ", "$muted"), safe(told(report.reason)))
    parts: list[Content] = [Content.styled("GPU     ", "$muted")]
    for gpu in report.devices:
        if gpu.why:
            parts.append(Content.assemble(f"{gpu.index} ", (f"{_('✖ lost')}   ", "$bad")))
        else:
            memory = _("{memory_used_bytes} of {memory_total_bytes}").format(
                memory_used_bytes=bytes_(gpu.memory_used_bytes), memory_total_bytes=bytes_(gpu.memory_total_bytes)
            )
            slowed = (f"{_('▲ slowed')} ", "$warn") if gpu.throttled else ""
            parts.append(
                Content.assemble(
                    _("{index} busy {percent}, {memory}").format(
                        index=gpu.index, percent=percent(gpu.busy_percent), memory=memory
                    )
                    + " ",
                    slowed,
                    "  ",
                )
            )
    return Content("").join(parts)
