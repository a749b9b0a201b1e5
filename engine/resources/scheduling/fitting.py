"""Whether jobs fit beside others: in cores, in memory, and each share of a GPU on one GPU. Pure."""

from collections.abc import Sequence

from lemnis.engine.resources.scheduling.claims import Claim, Pool, summed

SLACK = 1e-9  # shares such as 0.1 + 0.2 must not miss a whole by the last bit
GPU = 2


def excess(claims: Sequence[Claim], held: Sequence[Claim], pool: Pool) -> int | None:
    """Return which resource `claims` would overdraw beside `held` (0 cores, 1 memory, 2 GPUs), None if they fit.

    A resource that they ask nothing of is never short, so a pool that shrank blocks only what needs it.
    """
    short = beyond(claims, held, pool.amounts)
    if short is None and any(claim.gpu > 0 for claim in claims) and placed(claims, held, pool) is None:
        return GPU
    return short


def beyond(
    claims: Sequence[Claim], held: Sequence[Claim], limits: tuple[float | None, float | None, float | None]
) -> int | None:
    """Return the first amount by which claims beside what is held would pass `limits`; None if none."""
    asked, taken = summed(claims), summed(held)
    for index, limit in enumerate(limits):
        if limit is not None and asked[index] > 0:
            most = limit + SLACK * max(1.0, limit)
            if asked[index] + taken[index] > most:
                return index
    return None


def placed(claims: Sequence[Claim], held: Sequence[Claim], pool: Pool) -> dict[int, tuple[str, ...]] | None:
    """Return on which GPUs each claim goes beside what is held, by job; None if there is no such way.

    A part of a GPU lies on one GPU; whole GPUs are free ones. What runs stays where it is. The largest are put first,
    each where it leaves the least free, so that whole GPUs stay whole; of those that are alike a MIG slice goes before
    a GPU that can be joined with others. A claim that was never placed counts like one that is to be.
    """
    free = {device.index: device.share for device in pool.units}
    slices = frozenset(device.index for device in pool.units if device.slice)
    loose: list[Claim] = []
    for claim in held:
        if not claim.gpus:
            loose += [claim] if claim.gpu > 0 else []
        for index in claim.gpus:
            if index in free:
                free[index] -= claim.gpu / len(claim.gpus)
    found: dict[int, tuple[str, ...]] = {}
    for claim in sorted([*loose, *(claim for claim in claims if claim.gpu > 0)], key=lambda claim: -claim.gpu):
        where = places(claim.gpu, free, slices)
        if where is None:
            return None
        for index in where:
            free[index] -= claim.gpu / len(where)
        found[claim.job_id] = where
    return found


def places(share: float, free: dict[str, float], slices: frozenset[str]) -> tuple[str, ...] | None:
    """Return the GPUs that a share goes on, None if none has room; several are never MIG slices."""
    if share <= 1:
        room = [index for index, left in free.items() if left + SLACK >= share]
        return (min(room, key=lambda index: (free[index], index not in slices)),) if room else None
    count = -(-int(share * 1000) // 1000)  # 1.5 takes two: halves of two GPUs are no GPU and a half
    whole = [index for index, left in free.items() if left + SLACK >= share / count and index not in slices]
    return tuple(whole[:count]) if len(whole) >= count else None
