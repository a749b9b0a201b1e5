"""What Resources tells of shares and of changes that are only tried out, as frozen records."""

import msgspec

from lemnis.engine.resources.scheduling.claims import Claim
from lemnis.engine.resources.scheduling.forecast import Start


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One project or user; amounts are cores, bytes of memory and GPUs.

    Attributes:
        guaranteed, limit: As declared; no limit is None.
        held: What its live jobs hold.
        borrowed: The part of that which is not within the guarantee.
        waiting: How many of its jobs wait.
        use: Its part of all that was used of late, 0 to 1.
    """

    name: str
    guaranteed: tuple[float, float, float]
    limit: tuple[float | None, float | None, float | None]
    held: tuple[float, float, float]
    borrowed: tuple[float, float, float]
    waiting: int
    use: float
    declared: bool


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a waiting job would be given instead; None leaves it as it is."""

    priority: int | None = None
    cores: float | None = None
    memory_bytes: int | None = None
    gpu: float | None = None

    def of(self, claim: Claim) -> Claim:
        """Return a claim with what is given replaced."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(claim, **given)


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a job: its place in line from 1, why it waits or starts, when it is expected to start.

    Attributes:
        place: None for one that runs.
        preempts: The running jobs that are to make room for it.
        start: When it is expected to start.
        refused: It never can.
    """

    place: int | None
    why: str
    refused: bool = False
    preempts: tuple[int, ...] = ()
    start: Start = Start()


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Another job for which a change would make a difference; `preempted` says that it would be stopped."""

    job_id: int
    title: str
    account: str
    before: Fate
    after: Fate
    preempted: bool


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of one waiting job would do; nothing was changed."""

    job_id: int
    title: str
    asked: Claim
    before: Fate
    after: Fate
    others: list[Moved]
