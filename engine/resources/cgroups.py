"""What the container or slice we run in may use: the kernel's control groups, version 1 and 2."""

import os
from pathlib import Path

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of our control group; None where there is none."""

    cores: float | None = None
    memory_bytes: int | None = None
    memory_folder: Path | None = None  # of the group that bounds it: what `memory_in_use` is asked of


def usable_cores(limits: Limits) -> float:
    """Return how many cores our processes may use: affinity and quota, whichever is less."""
    affinity = float(len(os.sched_getaffinity(0)))
    return min(affinity, limits.cores) if limits.cores is not None else affinity


def read_limits(root: Path = Path("/")) -> Limits:
    """Return the tightest bounds from our own control group up to the top; unreadable ones count as none.

    Args:
        root: Where /proc and /sys are, for tests.
    """
    cores: list[float] = []
    memory: list[tuple[int, Path]] = []
    for folder in group_folders(root, "cpu"):
        cores += filter(None, [cpu_quota(folder)])
    for folder in group_folders(root, "memory"):
        bound = number(folder / "memory.max") or number(folder / "memory.limit_in_bytes")
        if bound is not None and bound < 2**60:  # version 1 says "no limit" with a huge number
            memory.append((bound, folder))
    if not memory:
        return Limits(cores=min(cores, default=None))
    bound, folder = min(memory)
    return Limits(cores=min(cores, default=None), memory_bytes=bound, memory_folder=folder)


def group_folders(root: Path, controller: str) -> list[Path]:
    """Return the folders of our group and those above it that exist, for one controller."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if controllers else "")
        folder = base / path.lstrip("/")
        # Inside a container the path may be the host's: then only the mount itself is there.
        folders += [step for step in (folder, *folder.parents) if step.is_relative_to(base) and step.is_dir()]
    return list(dict.fromkeys(folders))


def cpu_quota(folder: Path) -> float | None:
    """Return how many cores' worth of time the group may use, None for all."""
    try:
        quota, _, period = (folder / "cpu.max").read_text().strip().partition(" ")
    except OSError:
        quota, period = str(number(folder / "cpu.cfs_quota_us")), str(number(folder / "cpu.cfs_period_us"))
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return int(quota) / int(period)


def memory_in_use(folder: Path) -> int | None:
    """Return what the group uses without the file cache that the kernel would drop first."""
    used = number(folder / "memory.current") or number(folder / "memory.usage_in_bytes")
    if used is None:
        return None
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return used
    stat = dict(line.split(" ", 1) for line in lines if " " in line)
    return max(0, used - int(stat.get("total_inactive_file", stat.get("inactive_file", "0"))))


def number(path: Path) -> int | None:
    """Return the whole number in a file, None when it is missing or says something else (`max`, `-1`)."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
