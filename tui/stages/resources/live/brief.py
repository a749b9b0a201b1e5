"""The whole machine in a few lines, for a small screen. Pure."""

from textual.content import Content

from lemnis.engine.resources import GpuReport, HostSample
from lemnis.tui.format import MISSING, bytes_
from lemnis.tui.language import _
from lemnis.tui.stages.resources.lines import (
    DISK_LEVELS,
    MEMORY_LEVELS,
    Past,
    bar_room,
    disk_words,
    gauge,
    gpu_brief,
    load_words,
    pressure_line,
    rate,
)
from lemnis.tui.stages.resources.live.disks import disks_brief, own_words
from lemnis.tui.stages.resources.live.graph import Shape, strip
from lemnis.tui.widgets.cells import padded

VERY_NARROW = 60  # cells below which only the shortest words fit


def brief_lines(
    host: HostSample, gpus: GpuReport, past: Past, width: int, *, shape: Shape = "braille"
) -> list[Content]:
    """Return the whole machine in six lines, seven with several disks, for a small screen; in four if very narrow."""
    if width < VERY_NARROW:
        return small_lines(host, width)
    part, words = disk_words(host)
    spare = max(4, width - bar_room(width) - 39)
    used = _("{memory_used_bytes} of {memory_usable_bytes}").format(
        memory_used_bytes=bytes_(host.memory_used_bytes), memory_usable_bytes=bytes_(host.memory_usable_bytes)
    )

    def with_past(words: str, metric: str) -> Content:
        graph = strip(past.get(metric, []), spare, top=100.0, shape=shape)
        return Content.assemble(f"{padded(words, 22)} ", (graph, "$busy"))

    flow = Content.assemble(
        (padded(_("disk"), 8), "$muted"),
        f"{_('read')} {rate(host.disk_read_bytes_per_s):<11}{_('write')} {rate(host.disk_write_bytes_per_s):<12}",
        (f"{_('network')} ", "$muted"),
        f"{_('in')} {rate(host.net_received_bytes_per_s):<11}{_('out')} {rate(host.net_sent_bytes_per_s)}",
    )
    return [
        gauge("CPU", host.cpu_percent, with_past(f"{_('load')} {load_words(host)}", "cpu_percent"), width),
        gauge(_("memory"), host.memory_percent, with_past(used, "memory_percent"), width, MEMORY_LEVELS),
        gauge(_("disk"), part, own_words(host, words), width, DISK_LEVELS),
        *([disks_brief(host.disks[1:], width)] if host.disks[1:] else []),
        flow,
        pressure_line(host),
        gpu_brief(gpus),
    ]


def small_lines(host: HostSample, width: int) -> list[Content]:
    """Return the machine in four lines of few words."""
    part, words = disk_words(host)
    load = MISSING if host.load_1m is None else f"{host.load_1m:.1f}"

    def few(value: float | None) -> str:
        return MISSING if value is None else bytes_(value).replace("iB", "").replace(" ", "")

    return [
        gauge("CPU", host.cpu_percent, _("load {load}").format(load=load), width),
        gauge(_("memory"), host.memory_percent, bytes_(host.memory_used_bytes), width, MEMORY_LEVELS),
        gauge(_("disk"), part, words, width, DISK_LEVELS),
        Content.assemble(
            (f"{_('disk/s')} ", "$muted"), f"{few(host.disk_read_bytes_per_s)} ", ("r ", "$muted"),
            f"{few(host.disk_write_bytes_per_s)} ", (f"w  {_('net/s')} ", "$muted"), few(host.net_received_bytes_per_s),
            (f" {_('in')} ", "$muted"), few(host.net_sent_bytes_per_s), (f" {_('out')}", "$muted"),
        ),
    ]  # fmt: skip
