"""What the pool really has: what lemnis.toml declares, bounded by what this machine or container gives."""

import os

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import parse_bytes
from lemnis.engine.resources.cgroups import read_limits, usable_cores
from lemnis.engine.resources.gpu_shares import devices_of
from lemnis.engine.resources.records import GpuReport, HostSample
from lemnis.engine.resources.scheduling import Pool
from lemnis.engine.store import Store

GPU_STALE_MS = 600_000  # after it a GPU no longer counts: the device service probes at least every five minutes


def machine_pool(declared: DeclaredPool, store: Store) -> Pool:
    """Return what jobs may hold now; a declaration can only lower what the machine has.

    GPUs are those that answered the device service lately, so a lost one is not given away, each without what processes
    of others hold of it.
    """
    limits = read_limits()
    cores = usable_cores(limits)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    memory = min(memory, limits.memory_bytes or memory)
    devices = devices_of(gpu_report(store), store)
    gpus = float(len(devices))
    return Pool(
        cores=min(cores, declared.cores or cores),
        memory_bytes=min(memory, declared_bytes(declared) or memory),
        gpus=gpus if declared.gpus is None else min(gpus, declared.gpus),
        devices=devices,
    )


def declared_bytes(declared: DeclaredPool) -> int:
    """Return the declared memory; 0 for none or for a size nobody can read."""
    try:
        return parse_bytes(declared.memory) if declared.memory else 0
    except ValueError:
        return 0


def core_use(store: Store) -> dict[int, float]:
    """Return how busy each processor was at the sampler's last reading, percent by number."""
    row = store.row("select sample from latest where name = 'host'", name="metrics")
    if row is None:
        return {}
    found = msgspec.json.decode(row["sample"], type=HostSample).core_percents
    return {number: percent for number, percent in enumerate(found) if percent is not None}


def gpu_report(store: Store) -> GpuReport:
    """Return what the device service said lately; without GPUs when it has been silent for long."""
    row = store.row("select at, sample from latest where name = 'gpu'", name="metrics")
    if row is None or now_ms() - row["at"] > GPU_STALE_MS:
        return GpuReport(at=now_ms())
    return msgspec.json.decode(row["sample"], type=GpuReport)
