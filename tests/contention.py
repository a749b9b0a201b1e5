"""A made-up machine on which randomised jobs of several users are scheduled to their end, without a clock."""

from dataclasses import dataclass, field
from random import Random

import msgspec

from lemnis.engine.resources.scheduling import Claim, Decision, Device, Policy, Pool, Quota, schedule
from lemnis.engine.resources.scheduling.fairness import Held, decayed_use
from lemnis.engine.resources.scheduling.fitting import placed
from lemnis.engine.resources.scheduling.line import guaranteed_of

GIB = 2**30
TICK_MS = 60_000
GRACE_MS = 3 * TICK_MS
HALF_LIFE_MS = 120 * TICK_MS
USERS = ("ann", "bob", "cem", "dee")


@dataclass
class Work:
    """One job of the made-up machine: what it asks for, how many ticks it needs and has had."""

    claim: Claim
    needs: int
    had: int = 0
    starts: list[int] = field(default_factory=list[int])
    stops: list[int] = field(default_factory=list[int])


class Machine:
    """Runs a schedule tick by tick; a job that is to make room keeps its place for one tick more, as a checkpoint."""

    def __init__(self, pool: Pool, quotas: dict[str, Quota]) -> None:
        self.pool, self.quotas = pool, quotas
        self.now = 1_000_000_000_000
        self.queued: dict[int, Work] = {}
        self.running: dict[int, Work] = {}
        self.done: dict[int, Work] = {}
        self.held: list[Held] = []
        self.told: list[Decision] = []

    def add(self, claim: Claim, needs: int) -> None:
        claim = msgspec.structs.replace(claim, created_at=self.now)
        self.queued[claim.job_id] = Work(claim, needs)

    def policy(self) -> Policy:
        used = decayed_use(self.held, self.pool, self.now, HALF_LIFE_MS)
        return Policy(now=self.now, quotas=self.quotas, used=used, grace_ms=GRACE_MS)

    def tick(self) -> None:
        """Let a minute pass: what is done ends, what was asked stops, and the scheduler decides."""
        self.now += TICK_MS
        for job_id, work in list(self.running.items()):
            work.had += 1
            self.held.append(
                Held(account=work.claim.account, amounts=work.claim.amounts, since=self.now - TICK_MS, until=self.now)
            )
            if work.had >= work.needs:
                self.done[job_id] = self.running.pop(job_id)
            elif work.claim.stops_for is not None:
                work.claim = msgspec.structs.replace(
                    work.claim, stops_for=None, started_at=None, gpus=(), gang="", gang_size=0
                )
                work.stops.append(self.now)
                self.queued[job_id] = self.running.pop(job_id)
        self.held = self.held[-400:]
        running = [work.claim for work in self.running.values()]
        self.told = schedule([work.claim for work in self.queued.values()], running, self.pool, self.policy())
        for decision in self.told:
            for victim in decision.preempts:
                work = self.running[victim]
                work.claim = msgspec.structs.replace(work.claim, stops_for=decision.job_id)
            if decision.admitted:
                work = self.queued.pop(decision.job_id)
                work.starts.append(self.now)
                work.claim = msgspec.structs.replace(work.claim, started_at=self.now, gpus=decision.gpus)
                self.running[decision.job_id] = work

    def check(self) -> None:
        """Make sure that nothing is over-committed and that every limit is kept."""
        claims = [work.claim for work in self.running.values()]
        assert sum(claim.cores for claim in claims) <= self.pool.cores + 1e-6
        assert sum(claim.memory_bytes for claim in claims) <= self.pool.memory_bytes
        for device in self.pool.units:
            on_it = sum(claim.gpu / len(claim.gpus) for claim in claims if device.index in claim.gpus)
            assert on_it <= device.share + 1e-6
            assert not device.slice or all(len(claim.gpus) == 1 for claim in claims if device.index in claim.gpus)
        assert all(claim.gpus for claim in claims if claim.gpu > 0)
        assert placed([], claims, self.pool) is not None
        for account, quota in self.quotas.items():
            mine = [claim for claim in claims if claim.account == account]
            for index, limit in enumerate(quota.limit):
                assert limit is None or sum(claim.amounts[index] for claim in mine) <= limit + 1e-6

    def guaranteed(self) -> set[int]:
        """Return the running jobs that count as guaranteed."""
        return guaranteed_of([work.claim for work in self.running.values()], self.policy())


def random_machine(random: Random) -> Machine:
    """Return a machine of a few cores and GPUs, part of which is promised to some users."""
    cores = random.choice([2, 4, 8])
    gpus = random.choice([0, 0, 1, 2])
    devices = tuple(
        Device(index=str(n), share=random.choice([1.0, 1.0, 0.6]), slice=random.random() < 0.3) for n in range(gpus)
    )
    quotas: dict[str, Quota] = {}
    left = cores
    for user in USERS[:3]:
        promised = random.choice([0, 1, cores // 4])
        if random.random() < 0.7 and promised <= left:
            left -= promised
            limit = random.choice([None, float(max(promised, cores // 2))])
            memory = cores * GIB * promised / cores
            quotas[user] = Quota(
                guaranteed=(promised, memory, 0.0), limit=(limit, None, None), weight=random.choice([1.0, 2.0])
            )
    return Machine(Pool(cores=cores, memory_bytes=cores * GIB, gpus=gpus, devices=devices), quotas)


def random_claim(random: Random, machine: Machine, job_id: int) -> Claim:
    """Return what one job asks for: mostly little, at times everything, sometimes more than there is."""
    pool = machine.pool
    return Claim(
        job_id=job_id,
        cores=random.choice([0, 0.5, 1, 1, 1, 2, pool.cores, pool.cores + 1]),
        memory_bytes=random.choice([0, GIB // 2, GIB, pool.memory_bytes]),
        gpu=random.choice([0.0, 0.0, 0.3, 0.5, 1.0, 2.0]) if pool.gpus else 0.0,
        priority=random.choice([10, 50, 50, 50, 90, 120]),
        account=random.choice(USERS),
        preemptible=random.random() < 0.6,
    )
