"""What lemnis.toml promises of the pool, and to whom: guaranteed shares, limits, weights."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, field

from lemnis.engine.config.types import Declared

if TYPE_CHECKING:
    from lemnis.engine.config.resources import Pool

Amount = Annotated[float, Meta(ge=0)]


class Amounts(Declared, frozen=True):
    """Cores, memory and GPUs; what is left out is said by where it stands."""

    cores: Amount | None = None
    memory: str = ""
    gpus: Amount | None = None


class Quota(Declared, frozen=True):
    """The share of one project or user.

    Attributes:
        guaranteed: What it gets whenever it asks, taken back from borrowers if need be. Cores and GPUs that are left
            out are none; memory that is left out goes with the cores.
        limit: What it may hold at most, borrowed included; what is left out has no limit.
        weight: Of what is borrowed: an account of weight 2 may use twice as much as one of 1 before it stands behind.
        users: Whose jobs count against it, beside those that name it as their project and those of a user of its name.
    """

    guaranteed: Amounts = Amounts()
    limit: Amounts = Amounts()
    weight: Annotated[float, Meta(gt=0)] = 1.0
    users: list[str] = field(default_factory=list[str])


def sizes_of(pool: "Pool") -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each amount of memory that a pool declares, with its keys."""
    yield ("pool", "memory"), pool.memory or "0"
    for name, quota in pool.quotas.items():
        yield ("pool", "quotas", name, "guaranteed", "memory"), quota.guaranteed.memory or "0"
        yield ("pool", "quotas", name, "limit", "memory"), quota.limit.memory or "0"


def quota_problems(pool: "Pool") -> Iterator[tuple[str, str, list[str]]]:
    """Yield what contradicts itself in the quotas: problem, remedy, keys."""
    owner: dict[str, str] = {}
    for name, quota in pool.quotas.items():
        keys = ["pool", "quotas", name]
        for user in quota.users:
            if user in owner:
                where = f"pool.quotas.{owner[user]} and in pool.quotas.{name}"
                yield f"{user!r} is a user in {where}.", "Leave one out: a user has one share.", [*keys, "users"]
            owner[user] = name
        for what in ("cores", "gpus"):
            promised, most = getattr(quota.guaranteed, what), getattr(quota.limit, what)
            if promised is not None and most is not None and promised > most:
                problem = f"pool.quotas.{name} guarantees {promised:g} {what}, its limit is {most:g}."
                yield problem, "Raise the limit, or promise less.", [*keys, "limit"]
    for what, has in (("cores", pool.cores), ("gpus", pool.gpus)):
        promised = sum(getattr(quota.guaranteed, what) or 0 for quota in pool.quotas.values())
        if has and promised > has:
            yield f"The quotas guarantee {promised:g} {what}, the pool has {has:g}.", "Promise less.", ["pool", what]
