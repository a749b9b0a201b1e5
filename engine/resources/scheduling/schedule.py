"""Who starts now, who is asked to make room, and why everybody else waits. Pure."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.resources.scheduling.claims import Claim, Decision, Device, Policy, Pool
from lemnis.engine.resources.scheduling.fitting import excess, placed
from lemnis.engine.resources.scheduling.line import Line
from lemnis.engine.resources.scheduling.preemption import victims

NOBODY = Policy()


def schedule(queued: Sequence[Claim], running: Sequence[Claim], pool: Pool, policy: Policy = NOBODY) -> list[Decision]:
    """Decide for every queued job, in line order; see `Line.place`.

    Never over-commits: what runs and what is admitted fits the pool in cores, memory and GPUs, each share of a GPU on
    one GPU, and each account keeps to its limit. A job that can never fit is refused. Jobs of a gang start together.
    The first that has to wait reserves: one behind it starts only if it would still leave room for the reserving one
    beside everything else that stands behind it, even if none of those ever ended. So small jobs fill gaps but never
    delay a big one. A job within its account's guarantee takes back what others borrow: `preempts` says from whom.
    Any job that fits beside what is guaranteed to others starts once those ahead of it have ended.
    """
    round_ = Round(queued, running, pool, policy)
    return [decision for unit in round_.units() for decision in round_.decide(unit)]


class Round:
    """One look at the whole queue; it holds what has been given away so far."""

    def __init__(self, queued: Sequence[Claim], running: Sequence[Claim], pool: Pool, policy: Policy) -> None:
        self.line, self.pool, self.queued = Line(queued, running, policy), pool, queued
        self.held = list(running)
        self.heads: dict[str, list[Claim]] = {}  # who reserves under an account's limit
        self.head: list[Claim] = []  # who reserves in the pool
        self.promised: list[Claim] = []  # for whom others stop

    def units(self) -> list[list[Claim]]:
        """Return what starts together, in line order: single jobs and gangs; a gang stands where its last one does."""
        found: dict[str, list[Claim]] = {}
        for claim in self.queued:
            found.setdefault(claim.gang if claim.gang_size > 1 else f"job {claim.job_id}", []).append(claim)
        return sorted(found.values(), key=lambda unit: max(self.line.place(claim) for claim in unit))

    def decide(self, unit: list[Claim]) -> list[Decision]:
        """Decide for jobs that start together, and note what they take or reserve."""
        from lemnis.engine.resources.scheduling import words

        if (why := self.never(unit)) is not None:
            return self.told(unit, why, refused=True)
        if len(unit) < unit[0].gang_size:
            size = unit[0].gang_size
            return self.told(unit, f"waits for its gang: {len(unit)} of {size} are queued, they start together")
        account = unit[0].account
        mine = [claim for claim in self.held if claim.account == account]
        limited = words.short_limit(unit, mine, self.line)
        if limited is not None:
            self.heads.setdefault(account, unit)
            return self.told(unit, words.at_limit(unit, mine, limited[1], limited[0]))
        ahead = self.heads.get(account)
        if ahead and words.short_limit(unit, [*ahead, *self.line.behind(ahead, mine)], self.line) is not None:
            return self.told(unit, words.next_in_line(ahead))
        short = excess(unit, self.held, self.pool)
        if short is not None:
            return self.wait(unit, short)
        if self.head and excess(unit, [*self.head, *self.line.behind(self.head, self.held)], self.pool) is not None:
            return self.told(unit, words.next_in_line(self.head))
        return self.start(unit)

    def never(self, unit: list[Claim]) -> str | None:
        """Return why jobs can never start; None if they can. A GPU that others fill may become free again."""
        from lemnis.engine.resources.scheduling import words

        limited = words.short_limit(unit, [], self.line)
        if limited is not None:
            return words.above_limit(unit, unit[0].account, limited[1], limited[0])
        whole = msgspec.structs.replace(self.pool, devices=tuple(unfilled(self.pool)))
        short = excess(unit, [], whole)
        return None if short is None else words.refusal(unit, whole, short)

    def start(self, unit: list[Claim]) -> list[Decision]:
        """Let jobs start."""
        from lemnis.engine.resources.scheduling import words

        where = placed(unit, self.held, self.pool) or {}
        now = self.line.policy.now
        for claim in unit:
            gpus = where.get(claim.job_id, ())
            self.held.append(msgspec.structs.replace(claim, gpus=gpus, started_at=now))
        return [
            self.decision(claim, words.starts(unit, claim, self.line), admitted=True, gpus=where.get(claim.job_id, ()))
            for claim in unit
        ]

    def wait(self, unit: list[Claim], short: int) -> list[Decision]:
        """Let jobs wait for what is short, reserve it for the first, and see whether others are to make room."""
        from lemnis.engine.resources.scheduling import words

        if excess(unit, [], self.pool) is not None:  # others' processes fill a GPU: nothing here would help
            return self.told(unit, words.shortage(unit, self.held, self.pool, short, self.line))
        stopping = [claim for claim in self.held if claim.stops_for is not None]
        kept = [claim for claim in self.held if claim.stops_for is None]
        asked = [claim for claim in stopping if claim.stops_for in {one.job_id for one in unit}]
        if excess(unit, [*kept, *self.promised], self.pool) is None and not self.delays_head(unit, kept):
            self.promise(unit)
            return self.told(unit, words.takes_back(unit, asked or stopping, self.line))
        chosen = victims(unit, kept, self.promised, self.pool, self.line)
        if chosen and not self.delays_head(unit, [one for one in kept if one not in chosen]):
            self.promise(unit)
            self.held = [
                msgspec.structs.replace(one, stops_for=unit[0].job_id) if one in chosen else one for one in self.held
            ]
            preempts = tuple(one.job_id for one in chosen)
            return self.told(unit, words.takes_back(unit, chosen, self.line), preempts=preempts)
        self.head = self.head or unit
        self.heads.setdefault(unit[0].account, unit)
        return self.told(unit, words.shortage(unit, self.held, self.pool, short, self.line))

    def delays_head(self, unit: list[Claim], kept: list[Claim]) -> bool:
        """Say whether jobs, put beside what stays, would take the room of the one that reserves."""
        if not self.head:
            return False
        return excess(unit, [*self.head, *self.line.behind(self.head, kept)], self.pool) is not None

    def promise(self, unit: list[Claim]) -> None:
        """Keep for jobs what others are about to leave."""
        self.promised += unit
        self.head = self.head or unit
        self.heads.setdefault(unit[0].account, unit)

    def told(
        self, unit: list[Claim], why: str, *, refused: bool = False, preempts: tuple[int, ...] = ()
    ) -> list[Decision]:
        """Return the same answer for jobs that do not start; the first of a gang carries whom it preempts."""
        return [
            self.decision(claim, why, admitted=False, refused=refused, preempts=preempts if claim is unit[0] else ())
            for claim in unit
        ]

    def decision(
        self,
        claim: Claim,
        why: str,
        *,
        admitted: bool,
        refused: bool = False,
        preempts: tuple[int, ...] = (),
        gpus: tuple[str, ...] = (),
    ) -> Decision:
        """Return what is decided for one job."""
        return Decision(
            job_id=claim.job_id,
            admitted=admitted,
            why=why,
            refused=refused,
            borrows=claim.job_id not in self.line.entitled,
            score=round(self.line.score(claim), 2),
            preempts=preempts,
            gpus=gpus,
        )


def unfilled(pool: Pool) -> list[Device]:
    """Return the GPUs as they are without processes of others."""
    return [msgspec.structs.replace(device, share=1.0, foreign="") for device in pool.devices]
