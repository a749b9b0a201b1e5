"""What would do: allocations that were hardly used, and right sizes from what jobs of one kind used before. Pure."""

import math
from collections.abc import Sequence

from msgspec import Struct

from lemnis.engine.resources.accounting.records import Fit

FEWEST = 3  # jobs of a kind before anything is suggested
BUSY_SHARE = 0.1  # of what is held; who uses less is idle
SPARE = 1.25  # memory beyond the most that was seen
STEP_BYTES = 64 * 2**20
WASTEFUL = 1.5  # a suggestion must save, or add, a third at least


class Past(Struct, frozen=True, kw_only=True):
    """What one ended job asked for and used."""

    what: str
    cores: float
    memory_bytes: int
    used_cores: float
    peak_bytes: int


class Minute(Struct, frozen=True, kw_only=True):
    """What a job used in one minute."""

    at: int
    seconds: float
    used: float  # cores, or GPUs


def idle_since(minutes: Sequence[Minute], held: float) -> tuple[float, float] | None:
    """Return for how many seconds a job has used less than BUSY_SHARE of what it holds, and how much; None if it does.

    Args:
        minutes: In order of time, the newest last; a gap ends the look back.
        held: Cores, or GPUs.
    """
    seconds = used = 0.0
    before: int | None = None
    for minute in reversed(minutes):
        gap = before is not None and before - minute.at > 90_000
        if gap or minute.used >= BUSY_SHARE * held:
            break
        seconds, used, before = seconds + minute.seconds, used + minute.used * minute.seconds, minute.at
    return (seconds, used / seconds) if seconds else None


def fits(past: Sequence[Past]) -> list[Fit]:
    """Return what would do for each kind of job, of those that ask for much more or less than they used.

    Args:
        past: Ended jobs, the newest first.
    """
    kinds: dict[str, list[Past]] = {}
    for one in past:
        kinds.setdefault(one.what, []).append(one)
    found = [fit_of(what, jobs) for what, jobs in kinds.items() if len(jobs) >= FEWEST]
    return [fit for fit in found if fit is not None]


def fit_of(what: str, jobs: Sequence[Past]) -> Fit | None:
    """Return what would do for jobs of one kind; None where what the newest asks for is right."""
    newest = jobs[0]
    used = sorted(one.used_cores for one in jobs)
    most_used = used[math.ceil(0.9 * len(used)) - 1]
    peak = max(one.peak_bytes for one in jobs)
    cores = max(1, math.ceil(most_used - 0.1))
    memory = math.ceil(peak * SPARE / STEP_BYTES) * STEP_BYTES
    said: list[str] = []
    if newest.cores >= WASTEFUL * cores:
        said.append(f"{newest.cores:g} cores are asked for, {most_used:.1f} were used: {cores} would do")
    if newest.memory_bytes > WASTEFUL * memory:
        said.append(f"{mib(newest.memory_bytes)} are asked for, {mib(peak)} were used at most: {mib(memory)} would do")
    if 0 < newest.memory_bytes < peak:
        said.append(f"{mib(newest.memory_bytes)} are asked for, {mib(peak)} were used: ask for {mib(memory)}")
    if not said:
        return None
    return Fit(
        what=what,
        jobs=len(jobs),
        cores=newest.cores,
        used_cores=most_used,
        fitting_cores=cores,
        memory_bytes=newest.memory_bytes,
        peak_bytes=peak,
        fitting_memory_bytes=memory,
        words="; ".join(said),
    )


def mib(value: int) -> str:
    """Return a size in MiB, or in GiB from two of them on."""
    return f"{value / 2**30:.1f} GiB" if value >= 2**31 else f"{value / 2**20:.0f} MiB"
