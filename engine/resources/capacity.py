"""What this machine can give to jobs: cores, memory and GPUs, within the limits of its control group."""

import os
from pathlib import Path

import msgspec

from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import parse_bytes
from lemnis.engine.resources.pools import Pool
from lemnis.engine.store import Store

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> float:
    """Return how many cores this process may use: its affinity, or less where a control group says so."""
    cores = float(len(os.sched_getaffinity(0)))
    quota, _, period = read_word(cgroup / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        cores = min(cores, int(quota) / int(period))
    return cores


def usable_memory_bytes(cgroup: Path = CGROUP) -> int:
    """Return how much memory this machine has for us in bytes, or less where a control group says so."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = read_word(cgroup / "memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def read_word(path: Path) -> str:
    """Return a kernel file's text, or an empty string where it is missing."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def machine_pool(declared: DeclaredPool, store: Store) -> Pool:
    """Return what jobs may hold: what lemnis.toml declares, never more cores or memory than there are.

    Args:
        declared: The [pool] table; 0 cores, no memory and no gpus mean all there is.
        store: Where the GPU process leaves what it found.
    """
    cores, memory = usable_cores(), usable_memory_bytes()
    return Pool(
        cores=min(cores, declared.cores) if declared.cores else cores,
        memory_bytes=min(memory, parse_bytes(declared.memory)) if declared.memory else memory,
        gpus=declared.gpus if declared.gpus is not None else float(gpus_seen(store)),
    )


def gpus_seen(store: Store) -> int:
    """Return how many GPUs the last reading found; 0 before there is one."""
    sample = store.value("select sample from latest where name = 'gpu'", name="metrics")
    return len(msgspec.json.decode(sample).get("devices", [])) if sample else 0
