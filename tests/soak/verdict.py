"""Whether a console was the same after the walk as before it: memory, threads, descriptors, and how soon it answers.

What is open when a sample is taken, rows that are browsed or a past moment, holds memory, threads and files of its own
until it is closed. So what is judged is the least of each part of the time, and whether it rises from part to part:
caches that fill and what is loaded when it is first needed make one step, a leak rises in each. Tabs that are open have
tasks, and memory and files with them: how much is learned from each sample and the next, and taken off.
"""

# pyright: basic

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median, quantiles

from gauges import Sample

MIB = 1 << 20
SETTLED = 1 / 3  # the share of the time in which caches fill: ten of thirty minutes, on a busy machine
PARTS = 6  # of the time after that
TEN_MINUTES_S = 600
MOST_BYTES, MOST_SHARE = MIB, 0.02  # in ten minutes
MOST_MORE = 1  # threads or descriptors, in ten minutes
SLOWER = 1.3


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples after the first third of the time."""
    end = samples[-1].at_s if samples else 0.0
    return [sample for sample in samples if sample.at_s >= SETTLED * end]


def lows(points: Sequence[tuple[float, float]], parts: int = PARTS) -> list[float]:
    """Return the least value of each of so many parts of the time that have one."""
    start, end = points[0][0], points[-1][0]
    found: dict[int, float] = {}
    for at, value in points:
        part = min(parts - 1, int(parts * (at - start) / (end - start or 1)))
        found[part] = min(value, found.get(part, value))
    return [found[part] for part in sorted(found)]


def rise(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the least values rise in ten minutes: from most parts to the next, and from first to last."""
    least = lows(points)
    span_s = (points[-1][0] - points[0][0]) / PARTS
    steps = [b - a for a, b in pairwise(least)]
    return min(median(steps), sum(steps) / len(steps)) * TEN_MINUTES_S / span_s if steps else 0.0


def share_of_task(samples: Sequence[Sample], name: str) -> float:
    """Return how much more of something goes with a task more: the least squares of how both change between samples.

    From one sample to the next nothing has leaked to speak of, and tabs were opened or closed.
    """
    changes = [(b.tasks - a.tasks, getattr(b, name) - getattr(a, name)) for a, b in pairwise(samples)]
    squares = sum(tasks * tasks for tasks, _ in changes)
    return max(0.0, sum(tasks * more for tasks, more in changes) / squares) if squares else 0.0


def fifths(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Return the first and the last fifth of some samples, at least one of each."""
    size = max(1, len(samples) // 5)
    return list(samples[:size]), list(samples[-size:])


def answers(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return what half of the keys and what 95 % of them took at most, in ms; 0 without keys."""
    times = [ms for sample in samples for ms in sample.keys_ms] or [0.0]
    shares = quantiles(times * 2, n=20, method="inclusive")
    return round(median(times), 1), round(shares[-1], 1)


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what the verdict is about: MiB, counts, how both rise in ten minutes, and answers in ms."""
    later = settled(samples)
    found: dict[str, float] = {"minutes": round(samples[-1].at_s / 60, 1), "samples": len(samples)}
    for name, unit in (("uss", MIB), ("pss", MIB), ("threads", 1), ("descriptors", 1)):
        share = share_of_task(later, name)
        points = [(sample.at_s, (getattr(sample, name) - share * sample.tasks) / unit) for sample in later]
        least = lows(points)
        found[f"{name}_first"], found[f"{name}_last"] = round(least[0], 1), round(least[-1], 1)
        found[f"{name}_rises"] = round(rise(points), 2)
    for name in ("tasks", "widgets"):
        for part, of in zip(("first", "last"), fifths(later), strict=True):
            found[f"{name}_{part}"] = median(getattr(sample, name) for sample in of)
    for part, of in zip(("first", "last"), fifths(samples), strict=True):
        found[f"key_{part}_ms"], found[f"key_p95_{part}_ms"] = answers(of)
    return found


def complaints(found: dict[str, float]) -> Iterator[str]:
    """Yield a sentence for each thing that got worse."""
    allowed = max(MOST_BYTES / MIB, MOST_SHARE * found["uss_first"])
    if found["uss_rises"] > allowed:
        yield f"Memory grows by {found['uss_rises']} MiB in ten minutes; {allowed:.1f} may be."
    for name in ("threads", "descriptors"):
        if found[f"{name}_rises"] > MOST_MORE:
            yield f"From {found[f'{name}_first']:g} {name} it came to {found[f'{name}_last']:g}, step by step."
    # Of all keys: what else the machine does now and then, and not the console, makes the slowest slower.
    if found["key_last_ms"] > SLOWER * found["key_first_ms"]:
        yield f"A key was answered in {found['key_first_ms']} ms at first, in {found['key_last_ms']} at last."
