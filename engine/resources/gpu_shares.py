"""Which part of each GPU is left to jobs: what processes of others hold is seen before a job starts."""

import os
from collections.abc import Sequence
from pathlib import Path

from lemnis.engine.resources.owners import our_pids
from lemnis.engine.resources.processes import Stat, line_of, read_table, user_name
from lemnis.engine.resources.records import Gpu, GpuReport
from lemnis.engine.resources.scheduling import Device
from lemnis.engine.store import Store

GIB = 2**30
MPS_PIPE = "CUDA_MPS_PIPE_DIRECTORY"
MPS_USUAL = Path("/tmp/nvidia-mps")


def devices_of(report: GpuReport, store: Store) -> tuple[Device, ...]:
    """Return the GPUs that answer, each with the share that processes of others leave.

    The share is of memory, which is what a job can't do without. A process that this container can't see counts as
    another's only on a GPU that no job of this workspace holds. Of a divided GPU each MIG slice counts as one.
    """
    usable = report.units
    if not any(gpu.processes for gpu in usable):
        return tuple(Device(index=gpu.index, slice=gpu.is_slice) for gpu in usable)
    ours, table, held = our_pids(store), read_table(), held_gpus(store)
    return tuple(device_of(gpu, ours, table, leased=gpu.index in held) for gpu in usable)


def device_of(gpu: Gpu, ours: set[int], table: dict[int, Stat], *, leased: bool) -> Device:
    """Return one GPU with what others hold of it; graphics of a desktop don't count."""
    taken, told = 0, list[str]()
    for process in gpu.processes:
        if process.kind != "compute":
            continue
        seen = table.get(process.pid)
        if seen is None and leased:
            continue
        if seen is not None and ours.intersection(pid for pid, _ in line_of(seen, table)):
            continue
        taken += process.memory_bytes or 0
        who = f" ({owner_of(process.pid)} {seen.name})" if seen is not None else ""
        told.append(f"pid {process.pid}{who} holds {(process.memory_bytes or 0) / GIB:.1f} GiB")
    if not told:
        return Device(index=gpu.index, slice=gpu.is_slice)
    part = taken / gpu.memory_total_bytes if gpu.memory_total_bytes else 1.0
    foreign = f"on GPU {gpu.index} {', '.join(told[:2])} and is not of this workspace"
    return Device(index=gpu.index, slice=gpu.is_slice, share=max(0.0, 1.0 - part), foreign=foreign)


def owner_of(pid: int) -> str:
    """Return whose a process is."""
    try:
        return user_name(os.stat(f"/proc/{pid}").st_uid)
    except OSError:
        return "ended"


def held_gpus(store: Store) -> set[str]:
    """Return the GPUs that live jobs hold a share of."""
    rows = store.rows(
        """select g.value as gpu from allocations a, json_each(a.gpus) g where a.ended_at is null
           and a.job_id in (select id from jobs where state in ('preparing', 'running'))"""
    )
    return {str(row["gpu"]) for row in rows}


def mps_runs() -> bool:
    """Say whether NVIDIA's multi-process service listens here."""
    return (Path(os.environ.get(MPS_PIPE, MPS_USUAL)) / "control").exists()


def enforcement(report: GpuReport) -> str:
    """Return in a word and a sentence what keeps a job to its share of a GPU on this machine."""
    if not report.usable:
        return ""
    parts = "MPS: a job gets no more than its share of the multiprocessors and of the memory"
    if not mps_runs():
        parts = "watchdog: a job that holds more GPU memory than its share is ended; its computing is not held back"
    if not any(gpu.is_slice for gpu in report.units):
        return parts
    return f"MIG: each slice is a GPU of its own, kept apart by the hardware; of parts of one, {parts}"


def kept_by(share: float, gpus: Sequence[str]) -> str:
    """Return in a word what keeps a job to its share of its GPUs; empty for whole ones that are not divided."""
    levels = ["MIG"] if any("." in index for index in gpus) else []
    levels += [("MPS" if mps_runs() else "watchdog")] if gpus and 0 < share < 1 else []
    return " + ".join(levels)


def environment_of(share: float, gpus: tuple[str, ...], report: GpuReport) -> dict[str, str]:
    """Return the variables that keep a job to the GPUs of its lease, and under MPS to its share of one."""
    if not gpus:
        return {}
    known = {gpu.index: gpu for gpu in report.devices}
    names = [known[index].uuid or index if index in known else index for index in gpus]
    found = {"CUDA_VISIBLE_DEVICES": ",".join(names)}
    if share < 1 and mps_runs():
        total = known[gpus[0]].memory_total_bytes if gpus[0] in known else None
        found["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] = f"{max(1, round(100 * share))}"
        if total:
            found["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"] = f"0={int(share * total) >> 20}M"
    return found
