"""The machine and its GPUs as lines of a screen, drawn for the width there is. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content

from lemnis.engine.resources import DiskUse, Gpu, GpuReport, HostSample
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, mean_of, number, spark, when
from lemnis.tui.widgets.cells import fitted

CORE_CELL = 20  # terminal cells a core takes at least
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
    return Content.assemble((f"{label:<8}", "$muted"), bar(part, room, style), f"{percent(part):>5} ", mark, words)


def core_lines(cores: Sequence[float | None], width: int, most: int) -> list[Content]:
    """Return the cores in columns, each with its bar; on machines with many cores the bars give way to blocks."""
    if not cores:
        return []
    columns = max(1, width // CORE_CELL)
    if len(cores) > columns * most:
        blocks = spark([0.0, *cores, 100.0])[1:-1]  # the two ends fix the scale
        return [
            Content.assemble((f"{start:>3} ", "$muted"), (blocks[start : start + width - 5], "$busy"))
            for start in range(0, len(cores), width - 5)
        ][:most]
    # As many columns as needed, so that few cores get long bars.
    columns = min(columns, -(-len(cores) // min(most, len(cores))) if len(cores) > most else min(columns, len(cores)))
    cell = width // columns
    lines: list[Content] = []
    for start in range(0, len(cores), columns):
        line = Content("")
        for index in range(start, min(start + columns, len(cores))):
            room = max(4, cell - 12)
            words = Content.assemble((f"{index:>3} ", "$muted"), bar(cores[index], room), f"{percent(cores[index]):>5}")
            line += fitted(words, cell)
        lines.append(line)
    return lines


def cpu_line(host: HostSample) -> Content:
    """Return where the time of all cores went."""
    parts: list[tuple[str, str] | str] = [f"{percent(host.cpu_percent):>4} "]
    for label, value in (
        ("user", host.user_percent),
        ("system", host.system_percent),
        ("disk wait", host.wait_percent),
        ("stolen", host.steal_percent),
    ):
        parts += [(f"  {label} ", "$muted"), percent(value)]
    return Content.assemble(*parts, ("   load ", "$muted"), load_words(host))


def load_words(host: HostSample) -> str:
    """Return the load averages over 1, 5 and 15 minutes."""
    loads = (host.load_1m, host.load_5m, host.load_15m)
    return " ".join(MISSING if load is None else f"{load:.2f}" for load in loads)


def cpu_title(host: HostSample) -> str:
    """Return what the CPU panel says behind its name: what seldom changes, for a title repaints its whole panel."""
    usable = f"{host.cores_usable:g} of " if host.cores_usable < host.cores_total else ""
    cores = f"{usable}{host.cores_total or MISSING} core{'s' if host.cores_total != 1 else ''}"
    return f"{cores} · up {MISSING if host.uptime_s is None else age(0, round(host.uptime_s * 1000))}"


def memory_lines(host: HostSample, width: int) -> list[Content]:
    """Return memory, swap and the pressure on CPU, memory and disk."""
    used = f"{bytes_(host.memory_used_bytes)} of {bytes_(host.memory_usable_bytes)}"
    lines = [gauge("memory", host.memory_percent, used, width, MEMORY_LEVELS)]
    if host.swap_total_bytes:
        part = 100 * (host.swap_used_bytes or 0) / host.swap_total_bytes
        words = f"{bytes_(host.swap_used_bytes)} of {bytes_(host.swap_total_bytes)}"
        lines.append(gauge("swap", part, words, width, MEMORY_LEVELS))
    else:
        lines.append(Content.assemble(("swap    ", "$muted"), MISSING if host.cores_total == 0 else "none"))
    lines.append(Content.assemble(("cached  ", "$muted"), bytes_(host.memory_cached_bytes)))
    if host.memory_usable_bytes != host.memory_total_bytes:
        lines.append(
            Content.assemble(("machine ", "$muted"), f"{bytes_(host.memory_total_bytes)}, this is a container")
        )
    return [*lines, pressure_line(host)]


def pressure_line(host: HostSample) -> Content:
    """Return how much of the last ten seconds something waited for CPU, memory or disk."""
    parts: list[tuple[str, str] | str] = [("waiting ", "$muted")]
    for label, value in (
        ("CPU", host.cpu_pressure_percent),
        ("memory", host.memory_pressure_percent),
        ("disk", host.disk_pressure_percent),
    ):
        style, glyph = judged(value, PRESSURE_LEVELS)
        parts += [(f"{label} ", "$muted"), (glyph, style), f"{percent(value)}  "]
    return Content.assemble(*parts)


def disk_words(host: HostSample) -> tuple[float | None, str]:
    """Return how full the workspace's disk is, 0..100, and what is free."""
    if not host.disk_total_bytes or host.disk_free_bytes is None:
        return None, MISSING
    part = 100 * (1 - host.disk_free_bytes / host.disk_total_bytes)
    return part, f"{bytes_(host.disk_free_bytes)} free"


def bar_room(width: int) -> int:
    """Return how long a gauge's bar is in a line of `width` cells."""
    return max(6, min(60, (width - 14) // 2 - 4))


def flow_line(label: str, now: float | None, past: Sequence[float | None], width: int) -> Content:
    """Return one line: label, sparkline of the past, the rate now."""
    words = f"{rate(now):>12}"
    room = max(4, width - 8 - len(words) - 1)
    return Content.assemble((f"{label:<8}", "$muted"), (history_of(past, room), "$busy"), f" {words}")


def history_of(values: Sequence[float | None], width: int) -> str:
    """Return a sparkline that stands on zero, exactly `width` cells wide."""
    if len(values) > width:
        edges = [round(index * len(values) / width) for index in range(width + 1)]
        values = [mean_of(list(values[a:b])) for a, b in pairwise(edges)]
    return f"{spark([0.0, *values])[1:]:<{width}}"


def flow_lines(
    host: HostSample, past: dict[str, list[float | None]], parts: Sequence[DiskUse], width: int
) -> list[Content]:
    """Return the workspace's disk and the network, each with its recent past, and what the workspace takes."""
    part, words = disk_words(host)
    own = Content.assemble(("lemnis  ", "$muted"), bytes_(sum(part.bytes for part in parts)))
    for one in sorted(parts, key=lambda part: -part.bytes)[:3]:
        own += Content.assemble((f"  {one.name} ", "$muted"), bytes_(one.bytes))
    busy = f"busy {percent(host.disk_busy_percent)}"
    return [
        gauge("disk", part, f"{words}, {busy}", width, DISK_LEVELS),
        own,
        flow_line("read", host.disk_read_bytes_per_s, past.get("disk_read_bytes_per_s", []), width),
        flow_line("write", host.disk_write_bytes_per_s, past.get("disk_write_bytes_per_s", []), width),
        flow_line("net in", host.net_received_bytes_per_s, past.get("net_received_bytes_per_s", []), width),
        flow_line("net out", host.net_sent_bytes_per_s, past.get("net_sent_bytes_per_s", []), width),
    ]


def brief_lines(host: HostSample, gpus: GpuReport, past: dict[str, list[float | None]], width: int) -> list[Content]:
    """Return the whole machine in six lines, for a small screen."""
    part, words = disk_words(host)
    spare = max(4, width - bar_room(width) - 39)
    used = f"{bytes_(host.memory_used_bytes)} of {bytes_(host.memory_usable_bytes)}"

    def with_past(words: str, metric: str) -> Content:
        return Content.assemble(f"{words:<22} ", (history_of(past.get(metric, []), spare), "$busy"))

    flow = Content.assemble(
        ("disk    ", "$muted"),
        f"read {rate(host.disk_read_bytes_per_s):<11}write {rate(host.disk_write_bytes_per_s):<12}",
        ("network ", "$muted"),
        f"in {rate(host.net_received_bytes_per_s):<11}out {rate(host.net_sent_bytes_per_s)}",
    )
    return [
        gauge("CPU", host.cpu_percent, with_past(f"load {load_words(host)}", "cpu_percent"), width),
        gauge("memory", host.memory_percent, with_past(used, "memory_percent"), width, MEMORY_LEVELS),
        gauge("disk", part, words, width, DISK_LEVELS),
        flow,
        pressure_line(host),
        gpu_brief(gpus),
    ]


def gpu_brief(report: GpuReport) -> Content:
    """Return all GPUs in one line."""
    if not report.devices:
        return Content.assemble(("GPU     ", "$muted"), ("○ none: ", "$muted"), safe(report.reason))
    parts: list[Content] = [Content.styled("GPU     ", "$muted")]
    for gpu in report.devices:
        if gpu.why:
            parts.append(Content.assemble(f"{gpu.index} ", ("✖ lost   ", "$bad")))
        else:
            memory = f"{bytes_(gpu.memory_used_bytes)} of {bytes_(gpu.memory_total_bytes)}"
            parts.append(Content(f"{gpu.index} busy {percent(gpu.busy_percent)}, {memory}   "))
    return Content("").join(parts)


def gpu_lines(report: GpuReport, owners: dict[int, str], width: int, now_ms: int) -> list[Content]:
    """Return a line for each GPU and for each process on one; or the reason why there is none.

    Args:
        report: What the device service said.
        owners: Whom each process of ours works for, by pid.
        width: Terminal cells there are.
        now_ms: For ages.
    """
    if not report.devices:
        return [Content.assemble(("○ no GPU: ", "$muted"), safe(report.reason))]
    wide = min(28, max(len(gpu.name) for gpu in report.devices) + 1)
    lines: list[Content] = []
    for gpu in report.devices:
        lines.append(lost_line(gpu, wide, now_ms) if gpu.why else gpu_line(gpu, wide, width))
        for process in gpu.processes:
            whose = owners.get(process.pid, "not of this workspace")
            words = f"      pid {process.pid}  {bytes_(process.memory_bytes)}  {process.kind}  → {safe(whose)}"
            lines.append(Content.styled(words, "$muted"))
    return lines


def gpu_line(gpu: Gpu, name_width: int, width: int) -> Content:
    """Return the figures of one GPU: those that matter most come first."""
    part = None
    if gpu.memory_total_bytes and gpu.memory_used_bytes is not None:
        part = 100 * gpu.memory_used_bytes / gpu.memory_total_bytes
    room = max(6, min(24, (width - name_width - 76) // 2))
    return Content.assemble(
        (f"{gpu.index:>3} ", "$muted"),
        fitted(Content(safe(gpu.name)), name_width),
        (" busy ", "$muted"),
        bar(gpu.busy_percent, room),
        f"{percent(gpu.busy_percent):>5}",
        ("  memory ", "$muted"),
        bar(part, room),
        f" {bytes_(gpu.memory_used_bytes)} of {bytes_(gpu.memory_total_bytes)}",
        f"  {number(gpu.temperature_celsius, 0)} °C",
        f"  {number(gpu.power_watts, 0)} of {number(gpu.power_limit_watts, 0)} W",
        f"  {number(gpu.sm_clock_mhz, 0)} MHz",
        (f"  ▲ slowed: {gpu.throttled}" if gpu.throttled else "", "$warn"),
    )


def lost_line(gpu: Gpu, name_width: int, now_ms: int) -> Content:
    """Return a GPU that does not answer: since when, and why."""
    since = f" since {when(gpu.lost_at, seconds=True)[11:]} ({age(gpu.lost_at, now_ms)})" if gpu.lost_at else ""
    name = fitted(Content(safe(gpu.name)), name_width)
    return Content.assemble((f"{gpu.index:>3} ", "$muted"), name, (f" ✖ lost{since}: ", "$bad"), safe(gpu.why))
