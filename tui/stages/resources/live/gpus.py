"""The GPUs as lines: what each does, what holds it back, and whose processes are on it. Pure."""

from collections.abc import Mapping, Sequence

from textual.content import Content

from lemnis.engine.resources import Gpu, GpuReport, Process
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, number, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.resources.lines import bar, judged, percent, rate
from lemnis.tui.stages.resources.live.graph import Shape, strip
from lemnis.tui.widgets.cells import fitted

MEMORY_LEVELS = (90.0, 98.0)
WIDE = 110  # cells from which a GPU has a second line


def gpu_lines(
    report: GpuReport,
    processes: Mapping[int, Process],
    past: Mapping[str, Sequence[float | None]],
    width: int,
    *,
    now_ms: int,
    shape: Shape = "braille",
) -> list[Content]:
    """Return lines for each GPU and one for each process on it; or the reason why there is none.

    Args:
        report: What the driver's process said.
        processes: Those of the machine that are known, by pid.
        past: How busy each GPU was, by its index.
        width: Terminal cells there are.
        now_ms: For ages.
        shape: What graphs are drawn with.
    """
    if not report.devices:
        return [Content.assemble((f"{_('○ no GPU:')} ", "$muted"), safe(told(report.reason)))]
    name_width = min(28 if width >= WIDE else 18, max(len(short_name(gpu)) for gpu in report.devices))
    lines: list[Content] = []
    for gpu in report.devices:
        if gpu.why:
            lines.append(lost_line(gpu, name_width, now_ms))
            continue
        lines.append(use_line(gpu, past.get(gpu.index, []), name_width, width, shape=shape))
        more = more_line(gpu)
        if width >= WIDE and more.plain:
            lines.append(Content(" " * 4) + more)
        elif gpu.throttled:
            lines.append(Content.assemble("    ", throttle_words(gpu)))
        lines += [process_line(one.pid, one.memory_bytes, one.busy_percent, one.kind, processes.get(one.pid))
                  for one in gpu.processes]  # fmt: skip
    return lines


def short_name(gpu: Gpu) -> str:
    """Return a GPU's name without its maker; a MIG slice without what it is a slice of."""
    name = safe(gpu.name).removeprefix("NVIDIA ")
    return name[name.index("MIG ") :] if gpu.is_slice and "MIG " in name else name


def memory_part(gpu: Gpu) -> float | None:
    """Return how full a GPU's memory is, 0..100."""
    if not gpu.memory_total_bytes or gpu.memory_used_bytes is None:
        return None
    return 100 * gpu.memory_used_bytes / gpu.memory_total_bytes


def use_line(gpu: Gpu, past: Sequence[float | None], name_width: int, width: int, *, shape: Shape) -> Content:
    """Return how busy, full, warm and hungry one GPU is; every figure has its place, known or not."""
    room = max(5, min(30, (width - name_width - 78) // 2))
    part = memory_part(gpu)
    style, glyph = judged(part, MEMORY_LEVELS)
    graph = strip(past, room, top=100.0, shape=shape) if any(value is not None for value in past) else None
    held = _("{memory_used_bytes} of {memory_total_bytes}").format(
        memory_used_bytes=bytes_(gpu.memory_used_bytes), memory_total_bytes=bytes_(gpu.memory_total_bytes)
    )
    branch = "└" if gpu.is_slice else " "
    return Content.assemble(
        (f"{branch}{gpu.index:>2} ", "$muted"),
        fitted(Content(short_name(gpu)), name_width),
        (f"  {_('busy')} ", "$muted"),
        (graph, "$busy") if graph is not None else bar(gpu.busy_percent, room),
        f"{percent(gpu.busy_percent):>5}",
        (" SM ", "$muted"),
        f"{percent(gpu.sm_active_percent):>4}",
        (f"  {_('memory')} ", "$muted"),
        bar(part, room, style),
        (glyph or " ", style),
        f"{held:>21}",
        *temperature(gpu),
        f"  {number(gpu.power_watts, 0):>3} of {number(gpu.power_limit_watts, 0):>3} W",
    )


def temperature(gpu: Gpu) -> list[Content | tuple[str, str] | str]:
    """Return how warm a GPU is; near the temperature at which it slows down with a sign."""
    words = f"{number(gpu.temperature_celsius, 0):>3} °C"
    warm, limit = gpu.temperature_celsius, gpu.slows_at_celsius
    if warm is None or not limit or warm < limit - 5:
        return ["  ", words]
    return [("▲ ", "$warn") if warm < limit else ("✖ ", "$bad"), words]


def more_line(gpu: Gpu) -> Content:
    """Return clocks, bus, errors and limits, as far as the driver gives them."""
    parts: list[Content] = []
    if gpu.mig and not gpu.is_slice:
        parts.append(Content(_("divided (MIG): its slices are below")))
    if gpu.throttled:
        parts.append(throttle_words(gpu))
    if gpu.sm_clock_mhz is not None:
        most = (" " + _("of {most}").format(most=number(gpu.sm_clock_most_mhz, 0))) if gpu.sm_clock_most_mhz else ""
        parts.append(Content(f"SM {number(gpu.sm_clock_mhz, 0)}{most} MHz"))
    if gpu.memory_clock_mhz is not None:
        parts.append(
            Content(
                _("memory {memory_clock_mhz} MHz, busy {percent}").format(
                    memory_clock_mhz=number(gpu.memory_clock_mhz, 0), percent=percent(gpu.memory_busy_percent)
                )
            )
        )
    if gpu.pcie_generation is not None:
        parts.append(bus_words(gpu))
    if gpu.ecc_corrected is not None or gpu.ecc_uncorrected is not None:
        lost = gpu.ecc_uncorrected or 0
        words = _("ECC {ecc_corrected} corrected, {ecc_uncorrected} lost").format(
            ecc_corrected=number(gpu.ecc_corrected), ecc_uncorrected=number(gpu.ecc_uncorrected)
        )
        parts.append(Content.styled(f"✖ {words}", "$bad") if lost else Content(words))
    if gpu.fan_percent is not None:
        parts.append(Content(_("fan {percent}").format(percent=percent(gpu.fan_percent))))
    if gpu.slows_at_celsius:
        parts.append(
            Content(
                _("slows at {slows_at_celsius:.0f}, stops at {stops_at_celsius} °C").format(
                    slows_at_celsius=gpu.slows_at_celsius, stops_at_celsius=number(gpu.stops_at_celsius, 0)
                )
            )
        )
    return Content.styled(" · ", "$faint").join(parts)


def throttle_words(gpu: Gpu) -> Content:
    """Return what holds the clocks down."""
    return Content.styled(_("▲ slowed: {throttled}").format(throttled=gpu.throttled), "$warn")


def bus_words(gpu: Gpu) -> Content:
    """Return generation, lanes and flow of the PCIe link, with a sign where it runs below what it could."""
    most = gpu.pcie_lanes_most or gpu.pcie_lanes
    narrow = (gpu.pcie_lanes or 0) < (most or 0)
    best = (
        (" " + _("of {most}").format(most=gpu.pcie_generation_most))
        if (gpu.pcie_generation_most or 0) > (gpu.pcie_generation or 0)
        else ""
    )
    wider = (" " + _("of {most}").format(most=most)) if narrow else ""
    lanes = f"×{number(gpu.pcie_lanes)}{wider}"
    flow = f" {_('in')} {rate(gpu.pcie_received_bytes_per_s)} {_('out')} {rate(gpu.pcie_sent_bytes_per_s)}"
    return Content.assemble(("▲ " if narrow else "", "$warn"), f"PCIe {gpu.pcie_generation}{best} {lanes}{flow}")


def process_line(pid: int, held: int | None, busy: float | None, kind: str, process: Process | None) -> Content:
    """Return one process on a GPU: what it takes there, whose it is, whom it works for."""
    user = process.user if process is not None else MISSING
    whose = f"→ {told(process.owner)}" if process is not None and process.owner else _("not of this workspace")
    command = process.command if process is not None else _("not in this container")
    return Content.assemble(
        (f"    ├ {pid:>7}  ", "$muted"),
        f"{safe(user)[:10]:<10} {bytes_(held):>9}  {percent(busy):>4} {_('busy')}  {kind}  ",
        (safe(whose), "$stage-accent" if process is not None and process.owner else "$muted"),
        (f"  {safe(command, limit=200)}", "$muted"),
    )


def lost_line(gpu: Gpu, name_width: int, now_ms: int) -> Content:
    """Return a GPU that does not answer: since when, and why."""
    since = (
        " "
        + _("since {lost_at} ({lost_at2})").format(
            lost_at=when(gpu.lost_at, seconds=True)[11:], lost_at2=age(gpu.lost_at, now_ms)
        )
        if gpu.lost_at
        else ""
    )
    name = fitted(Content(short_name(gpu)), name_width)
    return Content.assemble(
        (f" {gpu.index:>2} ", "$muted"),
        name,
        (" " + _("✖ lost{since}:").format(since=since) + " ", "$bad"),
        safe(told(gpu.why)),
    )


def busy_now(report: GpuReport) -> str:
    """Return what the panel of the GPUs says behind its name."""
    words = [_("driver {driver}").format(driver=report.driver)] if report.driver else []
    lost = sum(1 for gpu in report.devices if gpu.why)
    return " · ".join([*words, *([_("{lost} lost").format(lost=lost)] if lost else [])])
