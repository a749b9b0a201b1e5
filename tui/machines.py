"""Machines as rows of a table: this one first, then the workers of the cluster. Pure."""

from textual.content import Content

from lemnis.engine.resources import GpuReport, HostSample
from lemnis.engine.resources.nodes import Node, Nodes
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, bytes_, number, share
from lemnis.tui.language import _
from lemnis.tui.widgets.cells import Cell, Col, Row

COLUMNS = (
    Col("node", most=28),
    Col("state"),
    Col("threads", right=True),
    Col("cpu", "CPU %", right=True),
    Col("memory", right=True),
    Col("full", "full", right=True),
    Col("gpu", "GPU", right=True),
    Col("gpu_memory", "GPU memory", right=True),
    Col("disk", "disk r/w per s", right=True),
    Col("offers", most=28),
    Col("tasks", right=True),
    Col("works_on", "works on", flex=True),
)
NARROW = frozenset({"node", "state", "cpu", "full", "tasks", "works_on"})
SILENT_S = 10.0
FULL = (0.7, 0.95)  # of a worker's limit: from the first it spills, at the second it is ended (Dask's own)


def this_machine(host: HostSample, gpus: GpuReport, name: str) -> Node:
    """Return this machine as a node, with its GPUs that answer taken together."""
    whole = [gpu for gpu in gpus.devices if not gpu.why and not gpu.is_slice]
    busy = [gpu.busy_percent for gpu in whole if gpu.busy_percent is not None]
    used = [gpu.memory_used_bytes for gpu in whole if gpu.memory_used_bytes is not None]
    return Node(
        name=name,
        state=_("this machine"),
        threads=host.cores_total,
        cpu_percent=None if host.cpu_percent is None else host.cpu_percent * max(1, host.cores_total),
        memory_used_bytes=host.memory_used_bytes,
        memory_limit_bytes=host.memory_usable_bytes,
        gpu_name=whole[0].name if whole else "",
        gpu_percent=sum(busy) / len(busy) if busy else None,
        gpu_used_bytes=sum(used) if used else None,
        gpu_total_bytes=sum(gpu.memory_total_bytes or 0 for gpu in whole) or None,
        read_bytes_per_s=host.disk_read_bytes_per_s,
        written_bytes_per_s=host.disk_write_bytes_per_s,
    )


def node_rows(here: Node, found: Nodes) -> list[Row]:
    """Return this machine and the workers."""
    return [node_row(node) for node in (here, *found.nodes)]


def node_row(node: Node) -> Row:
    """Return one machine or worker."""
    used, limit = node.memory_used_bytes, node.memory_limit_bytes
    part = used / limit if used is not None and limit else None
    of_gpu = _("{gpu_used_bytes} of {gpu_total_bytes}").format(
        gpu_used_bytes=bytes_(node.gpu_used_bytes), gpu_total_bytes=bytes_(node.gpu_total_bytes)
    )
    gpu_memory = MISSING if node.gpu_used_bytes is None else of_gpu
    gpu = MISSING if node.gpu_percent is None else f"{node.gpu_percent:.0f}%"
    flows = [MISSING if one is None else bytes_(one) for one in (node.read_bytes_per_s, node.written_bytes_per_s)]
    offers = ", ".join(f"{name} {much:g}" for name, much in sorted(node.resources.items()))
    spilled = (
        " " + _("· {spilled_bytes} spilled").format(spilled_bytes=bytes_(node.spilled_bytes))
        if node.spilled_bytes
        else ""
    )
    tasks = f"{len(node.running)}+{node.waiting}" if node.address else MISSING
    cells: list[Cell] = [
        node.name, state_cell(node), str(node.threads or MISSING), number(node.cpu_percent, 0),
        _('{used} of {limit}').format(used=bytes_(used), limit=bytes_(limit)),
        full_cell(part), gpu, gpu_memory, f"{flows[0]} / {flows[1]}", offers,
        tasks, f"{', '.join(node.running)}{spilled}",
    ]  # fmt: skip
    values = [
        node.name, node.state, node.threads, node.cpu_percent, used, part, node.gpu_percent, node.gpu_used_bytes,
        node.read_bytes_per_s, offers, len(node.running), ", ".join(node.running),
    ]  # fmt: skip
    return Row(node.address or "here", cells, values)


def state_cell(node: Node) -> Cell:
    """Return a state; a worker that is paused or silent stands out."""
    if node.silent_s is not None and node.silent_s > SILENT_S:
        return Content.styled(_("▲ silent {silent_s:.0f} s").format(silent_s=node.silent_s), "$warn")
    if node.state == "paused":
        return Content.styled(_("▲ paused"), "$warn")
    return f"● {safe(node.state)}" if node.state == "running" else node.state


def full_cell(part: float | None) -> Cell:
    """Return how full the memory is; where it is scarce with its sign."""
    if part is None or part < FULL[0]:
        return share(part, 0)
    return Content.styled(f"{'✖' if part >= FULL[1] else '▲'} {share(part, 0)}", "$bad" if part >= FULL[1] else "$warn")


def fitting(rows: list[Row], *, narrow: bool) -> tuple[list[Col], list[Row]]:
    """Return the columns that there is room for, and the rows cut to them."""
    kept = [index for index, column in enumerate(COLUMNS) if not narrow or column.name in NARROW]
    cut = [Row(row.key, [row.cells[at] for at in kept], [row.values[at] for at in kept]) for row in rows]
    return [COLUMNS[at] for at in kept], cut
