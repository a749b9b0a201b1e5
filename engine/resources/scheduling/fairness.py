"""Fair share: what accounts have used of late, counted less the longer ago it was. Pure."""

from collections.abc import Iterable

import msgspec

from lemnis.engine.resources.scheduling.claims import Pool

FAIR_POINTS = 30.0  # of priority that an account loses which alone has used everything


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one start of a job held, from when to when (epoch ms); `until` is now for what still runs."""

    account: str
    amounts: tuple[float, float, float]
    since: int
    until: int


def dominant_share(amounts: tuple[float, float, float], pool: Pool) -> float:
    """Return the largest part of the pool that amounts take of any resource, 0 to 1 and more if it shrank.

    Source: Ghodsi et al., Dominant Resource Fairness, NSDI 2011.
    """
    return max((held / has for held, has in zip(amounts, pool.amounts, strict=True) if has > 0), default=0.0)


def decayed_use(held: Iterable[Held], pool: Pool, now: int, half_life_ms: float) -> dict[str, float]:
    """Return each account's use of the pool in seconds of all of it, what lies a half-life back counting half.

    The integral over time of share · 2^(−age / half-life), where the share is the dominant one.

    Source: the decay of SLURM's multifactor priority plugin and of KAI's time-based fair share, in closed form.
    """
    used: dict[str, float] = {}
    for one in held:
        recent = 2 ** (-max(0, now - one.until) / half_life_ms)
        early = 2 ** (-max(0, now - one.since) / half_life_ms)
        seconds = half_life_ms / 1000 / LN_2 * max(0.0, recent - early)
        used[one.account] = used.get(one.account, 0.0) + dominant_share(one.amounts, pool) * seconds
    return used


LN_2 = 0.6931471805599453


def shares_of_use(used: dict[str, float], weights: dict[str, float]) -> dict[str, float]:
    """Return each account's part of all use, 0 to 1, where an account of weight 2 may use twice as much."""
    weighed = {account: use / weights.get(account, 1.0) for account, use in used.items()}
    total = sum(weighed.values())
    return {account: use / total if total > 0 else 0.0 for account, use in weighed.items()}
