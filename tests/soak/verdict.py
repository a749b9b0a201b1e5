"""Whether a console was the same after the walk as before it: memory, threads, descriptors, and how soon it answers."""

# pyright: basic

from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from gauges import Sample

MIB = 1 << 20
SETTLED = 0.2  # the share of the time in which caches fill
TEN_MINUTES_S = 600
MOST_BYTES, MOST_SHARE = MIB, 0.02  # in ten minutes
SLOWER = 1.3


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between all pairs of points (Theil and Sen): a few odd ones don't turn it."""
    rises = [(y - b) / (x - a) for place, (a, b) in enumerate(points) for x, y in points[place + 1 :] if x != a]
    return median(rises) if rises else 0.0


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples after the first fifth of the time."""
    end = samples[-1].at_s if samples else 0.0
    return [sample for sample in samples if sample.at_s >= SETTLED * end]


def fifths(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Return the first and the last fifth of some samples, at least one of each."""
    size = max(1, len(samples) // 5)
    return list(samples[:size]), list(samples[-size:])


def p95(samples: Sequence[Sample]) -> float:
    """Return what 95 % of the keys took at most, in ms; 0 without keys."""
    times = [ms for sample in samples for ms in sample.keys_ms]
    return quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else sum(times)


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what the verdict is about: MiB and MiB per ten minutes, medians of counts, 95th percentiles in ms."""
    later = settled(samples)
    first, last = fifths(later)
    found: dict[str, float] = {"minutes": round(samples[-1].at_s / 60, 1), "samples": len(samples)}
    for name in ("uss", "pss"):
        points = [(sample.at_s, getattr(sample, name)) for sample in later]
        found[f"{name}_mib"] = round(median(y for _, y in points) / MIB, 1)
        found[f"{name}_grows_mib"] = round(slope(points) * TEN_MINUTES_S / MIB, 2)
    for name in ("threads", "descriptors", "tasks", "widgets"):
        found[f"{name}_first"] = median(getattr(sample, name) for sample in first)
        found[f"{name}_last"] = median(getattr(sample, name) for sample in last)
    found["key_p95_first_ms"], found["key_p95_last_ms"] = (round(p95(part), 1) for part in fifths(samples))
    return found


def complaints(found: dict[str, float]) -> Iterator[str]:
    """Yield a sentence for each thing that got worse."""
    allowed = max(MOST_BYTES / MIB, MOST_SHARE * found["uss_mib"])
    if found["uss_grows_mib"] > allowed:
        yield f"Memory grows by {found['uss_grows_mib']} MiB in ten minutes; {allowed:.1f} may be."
    for name in ("threads", "descriptors"):
        if found[f"{name}_last"] > found[f"{name}_first"]:
            yield f"From {found[f'{name}_first']:g} {name} it came to {found[f'{name}_last']:g}."
    if found["key_p95_last_ms"] > SLOWER * found["key_p95_first_ms"]:
        yield f"A key was answered in {found['key_p95_first_ms']} ms at first, in {found['key_p95_last_ms']} at last."
