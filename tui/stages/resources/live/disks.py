"""The file systems beside the workspace's: how full each is and what its disk does. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.resources import Disk, HostSample
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, bytes_
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.resources.lines import DISK_LEVELS, bar, judged, percent, rate
from lemnis.tui.widgets.cells import padded

FEW_FILES = 10.0  # percent of the inodes, below which they may run out before the space does
LEAST_NAME, BAR = 7, 6  # cells
BARRED = 44  # cells, from which on there is room for a bar


def free_words(disk: Disk) -> str:
    """Return how much room a disk has left, in words."""
    if disk.free_bytes is None:
        return MISSING
    return _("{free_bytes} free").format(free_bytes=bytes_(disk.free_bytes))


def part_used(disk: Disk) -> float | None:
    """Return how full a file system is, 0..100."""
    if not disk.total_bytes or disk.free_bytes is None:
        return None
    return 100 * (1 - disk.free_bytes / disk.total_bytes)


def trouble(disk: Disk) -> str:
    """Return what is wrong with a file system beside its space; empty when nothing is."""
    if disk.why:
        return safe(told(disk.why))
    left = disk.files_free_percent
    return _("{percent} of inodes left").format(percent=percent(left)) if left is not None and left < FEW_FILES else ""


def own_words(host: HostSample, words: str) -> Content:
    """Return what is said of the workspace's disk, with what is wrong with it."""
    wrong = trouble(host.disks[0]) if host.disks else ""
    return Content.assemble((f"▲ {wrong}  " if wrong else "", "$warn"), words)


def chosen(disks: Sequence[Disk], most: int) -> list[Disk]:
    """Return at most so many file systems: first those in trouble, then the nearly full, then as they come."""
    return sorted(disks, key=lambda disk: (not trouble(disk), -max(part_used(disk) or 0.0, DISK_LEVELS[0])))[:most]


def disk_lines(disks: Sequence[Disk], width: int, most: int) -> list[Content]:
    """Return a line for each file system; where there are more than `most`, the last line tells of how many."""
    shown = list(disks) if len(disks) <= most else chosen(disks, most - 1)
    longest = max((len(safe(disk.folder)) for disk in shown), default=0)
    name = max(LEAST_NAME, min(longest, width // 4))
    lines = [disk_line(disk, name, width) for disk in shown]
    if len(shown) < len(disks) and most > 0:
        lines.append(
            Content.styled(_("{disks} more file systems, with room").format(disks=len(disks) - len(shown)), "$muted")
        )
    return lines


def disk_line(disk: Disk, name: int, width: int) -> Content:
    """Return one file system as far as fits: where, how full, what is free, what is wrong, what its disk does."""
    part = part_used(disk)
    style, glyph = judged(part, DISK_LEVELS)
    line = Content.assemble(
        (f"{shortened(safe(disk.folder), name):<{name}} ", "$muted"),
        bar(part, BAR if width >= BARRED else 0, style), f"{percent(part):>5} ", (glyph or "  ", style),
        padded(free_words(disk), 15),
    )  # fmt: skip
    wrong = trouble(disk)
    parts = [Content.styled(f" ▲ {wrong}", "$warn")] if wrong else []
    if disk.busy_percent is not None:
        flow = f" {_('read')} {rate(disk.read_bytes_per_s):<11}{_('write')} {rate(disk.write_bytes_per_s):<11}"
        parts += [Content.styled(f" {_('busy')} {percent(disk.busy_percent):<4}", ""), Content.styled(flow, "")]
    else:
        parts.append(Content.styled(f" {safe(disk.kind)} {safe(disk.device)}", "$muted"))
    for one in parts:
        if line.cell_length + len(one.plain.rstrip()) > width:
            break
        line += one
    return line


def shortened(path: str, width: int) -> str:
    """Return a path's end where it is longer than `width`: that is what tells one from another."""
    return path if len(path) <= width else f"…{path[len(path) - width + 1 :]}"


def disks_brief(disks: Sequence[Disk], width: int) -> Content:
    """Return the file systems in one line, those in trouble first, with how many had no room."""
    line, shown = Content.styled(f"{_('others')}  ", "$muted"), 0
    for disk in chosen(disks, len(disks)):
        part = part_used(disk)
        style, glyph = judged(part, DISK_LEVELS)
        wrong = trouble(disk)
        one = Content.assemble(
            (f"{safe(disk.folder)} ", "$muted"), (glyph, style), percent(part),
            (f" ▲ {wrong}" if wrong else f", {free_words(disk)}", "$warn" if wrong else ""), "  ",
        )  # fmt: skip
        if line.cell_length + one.cell_length > width - 3:
            break
        line, shown = line + one, shown + 1
    return line + Content.styled(f"+{len(disks) - shown}", "$muted") if shown < len(disks) else line


def disk_fact(disk: Disk) -> str:
    """Return one file system in words."""
    free = MISSING if disk.free_bytes is None else _("{free_bytes} free").format(free_bytes=bytes_(disk.free_bytes))
    flow = _("read {rate}, write {rate2}").format(rate=rate(disk.read_bytes_per_s), rate2=rate(disk.write_bytes_per_s))
    parts = [percent(part_used(disk)), free, flow, safe(f"{disk.kind} {disk.device}".strip()), trouble(disk)]
    return ", ".join(part for part in parts if part)
