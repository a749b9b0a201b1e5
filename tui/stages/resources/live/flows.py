"""Disks and the network: the workspace's disk, the others a line each, and what flows. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.resources import DiskUse, HostSample
from lemnis.tui.format import bytes_
from lemnis.tui.language import N_, _
from lemnis.tui.stages.resources.lines import DISK_LEVELS, Past, disk_words, gauge, percent, rate
from lemnis.tui.stages.resources.live.disks import disk_lines, own_words
from lemnis.tui.stages.resources.live.graph import Shape, area
from lemnis.tui.widgets.cells import padded


def flow_lines(
    host: HostSample, past: Past, parts: Sequence[DiskUse], width: int, height: int, *, shape: Shape = "braille"
) -> list[Content]:
    """Return the workspace's disk, what the workspace takes, the other disks, and what flowed of late."""
    part, words = disk_words(host)
    own = Content.assemble(("lemnis  ", "$muted"), bytes_(sum(part.bytes for part in parts)))
    for one in sorted(parts, key=lambda part: -part.bytes)[:3]:
        own += Content.assemble((f"  {one.name} ", "$muted"), bytes_(one.bytes))
    busy = _("busy {percent}").format(percent=percent(host.disk_busy_percent))
    lines = [gauge(_("disk"), part, own_words(host, f"{words}, {busy}"), width, DISK_LEVELS), *([own] if parts else [])]
    lines += disk_lines(host.disks[1:], width, max(1, height - len(lines) - len(FLOWS)))
    tall = max(1, (height - len(lines)) // len(FLOWS))
    for label, metric in FLOWS:
        lines += flow(_(label), getattr(host, metric), past.get(metric, []), width, tall, shape=shape)
    return lines


FLOWS = (
    (N_("read"), "disk_read_bytes_per_s"), (N_("write"), "disk_write_bytes_per_s"),
    (N_("net in"), "net_received_bytes_per_s"), (N_("net out"), "net_sent_bytes_per_s"),
)  # fmt: skip


def flow(
    label: str, now: float | None, past: Sequence[float | None], width: int, height: int, *, shape: Shape
) -> list[Content]:
    """Return one rate as `height` lines: label, graph of the past, the rate now and the most there was."""
    room = max(4, width - 8 - 13)
    most = max((value for value in past if value is not None), default=None)
    words = [f" {rate(now):>12}", f" {rate(most):>12}" if height > 1 else ""]
    lines: list[Content] = []
    for row, drawn in enumerate(area(past, room, height, shape=shape)):
        left = label if row == 0 else f"  {_('most')}" if row == 1 else ""
        right = words[row] if row < len(words) else ""
        lines.append(
            Content.assemble((padded(left, 8), "$muted"), (drawn, "$busy"), (right, "" if row == 0 else "$muted"))
        )
    return lines
