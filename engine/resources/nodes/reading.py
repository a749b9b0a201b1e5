"""What a scheduler says of its workers as records. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from lemnis.engine.resources.nodes.records import Node

OURS = re.compile(r"lemnis-run-(\d+)-[0-9a-f]+")  # the key of a training that Lemnis sends
MOST_RUNNING = 20


def nodes_in(info: Mapping[str, Any], processing: Mapping[str, Sequence[Any]], now_s: float) -> list[Node]:
    """Return the workers by name.

    Args:
        info: ``scheduler_info()["workers"]`` by address. Any: JSON values, some of which depend on Dask's version.
        processing: Keys of the tasks that each worker has, by address.
        now_s: Seconds since the epoch by this machine's clock.
    """
    found = [node_in(address, one, processing.get(address, ()), now_s) for address, one in info.items()]
    return sorted(found, key=lambda node: (node.host, node.name, node.address))


def node_in(address: str, one: Mapping[str, Any], keys: Sequence[Any], now_s: float) -> Node:
    """Return one worker; a figure that its Dask doesn't give is None."""
    metrics, used_gpu, gpu = table(one, "metrics"), table(table(one, "metrics"), "gpu"), table(one, "gpu")
    counts, disk = table(metrics, "task_counts"), table(metrics, "host_disk_io")
    resources = table(one, "resources")
    running = sorted(OURS.sub(r"run \1", str(key)) for key in keys)
    seen = number(one.get("last_seen"))
    return Node(
        name=str(one.get("name") or address),
        address=address,
        host=str(one.get("host") or ""),
        state=str(one.get("status") or ""),
        threads=int(one.get("nthreads") or 0),
        cpu_percent=number(metrics.get("cpu")),
        memory_used_bytes=whole(metrics.get("memory")),
        memory_limit_bytes=whole(one.get("memory_limit")) or None,
        spilled_bytes=whole(table(metrics, "spilled_bytes").get("disk")),
        gpu_name=str(gpu.get("name") or ""),
        gpu_percent=number(used_gpu.get("utilization")),
        gpu_used_bytes=whole(used_gpu.get("memory-used")),
        gpu_total_bytes=whole(gpu.get("memory-total")),
        read_bytes_per_s=number(disk.get("read_bps")),
        written_bytes_per_s=number(disk.get("write_bps")),
        resources={str(name): float(much) for name, much in resources.items()},
        running=running[:MOST_RUNNING],
        waiting=max(0, int(counts.get("ready") or 0)) + max(0, int(counts.get("waiting") or 0)),
        silent_s=None if seen is None else max(0.0, now_s - seen),
    )


def table(one: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a name stands for where that is a table, else an empty one."""
    found = one.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def number(value: Any) -> float | None:
    """Return a number, None where it is none. Any: what a metric of a worker holds."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(value: Any) -> int | None:
    """Return a whole number, None where it is none."""
    found = number(value)
    return None if found is None else round(found)
