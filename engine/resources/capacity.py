"""What the pool really has: what lemnis.toml declares, bounded by what this machine or container gives."""

import os

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import parse_bytes
from lemnis.engine.resources.cgroups import read_limits, usable_cores
from lemnis.engine.resources.pools import Pool
from lemnis.engine.resources.records import GpuReport
from lemnis.engine.store import Store

GPU_STALE_MS = 600_000  # after it a GPU no longer counts: the device service probes at least every five minutes


def machine_pool(declared: DeclaredPool, store: Store) -> Pool:
    """Return what jobs may hold now; a declaration can only lower what the machine has.

    GPUs are those that answered the device service lately, so a lost one is not given away.
    """
    limits = read_limits()
    cores = usable_cores(limits)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    memory = min(memory, limits.memory_bytes or memory)
    gpus = float(gpus_in(store))
    return Pool(
        cores=min(cores, declared.cores or cores),
        memory_bytes=min(memory, declared_bytes(declared) or memory),
        gpus=gpus if declared.gpus is None else min(gpus, declared.gpus),
    )


def declared_bytes(declared: DeclaredPool) -> int:
    """Return the declared memory; 0 for none or for a size nobody can read."""
    try:
        return parse_bytes(declared.memory) if declared.memory else 0
    except ValueError:
        return 0


def gpus_in(store: Store) -> int:
    """Return how many whole GPUs the device service saw lately."""
    row = store.row("select at, sample from latest where name = 'gpu'", name="metrics")
    if row is None or now_ms() - row["at"] > GPU_STALE_MS:
        return 0
    return msgspec.json.decode(row["sample"], type=GpuReport).usable
