"""When waiting jobs will start, by letting the scheduler go on as jobs end one after the other. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from lemnis.engine.resources.scheduling.claims import Claim, Policy, Pool
from lemnis.engine.resources.scheduling.schedule import schedule

CHECKPOINT_MS = 5_000  # what a job is granted to stop in
MOST_JOBS, MOST_STEPS = 60, 120  # of the queue, and of the future


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """When a job is expected to start.

    Attributes:
        at: Epoch ms; None where it can't be told.
        after: The jobs whose end lets it start; where `at` is None, those of which nobody knows how long they take.
    """

    at: int | None = None
    after: tuple[int, ...] = ()


def forecast(
    queued: Sequence[Claim], running: Sequence[Claim], pool: Pool, policy: Policy, left_ms: Mapping[int, int]
) -> dict[int, Start]:
    """Return when each waiting job is expected to start, as far as the first MOST_JOBS of the line.

    Args:
        queued: What waits.
        running: What holds something.
        pool: What there is.
        policy: By what rules is decided, and what time it is.
        left_ms: How long each job will still run, or will once it runs; without an entry nobody knows.
    """
    future = Future(list(queued)[:MOST_JOBS], list(running), left_ms, policy.now)
    for _ in range(MOST_STEPS):
        future.step(pool, policy)
        if not future.queued or not future.go_on(policy):
            break
    unknown = tuple(claim.job_id for claim in future.running if claim.job_id not in future.ends)
    for claim in future.queued:
        future.starts.setdefault(claim.job_id, Start(after=unknown))
    return {claim.job_id: future.starts[claim.job_id] for claim in queued if claim.job_id in future.starts}


class Future:
    """The jobs at one moment to come."""

    def __init__(self, queued: list[Claim], running: list[Claim], left_ms: Mapping[int, int], now: int) -> None:
        self.queued, self.running, self.left_ms, self.now = queued, running, left_ms, now
        self.ends = {one.job_id: now + left_ms[one.job_id] for one in running if one.job_id in left_ms}
        self.yields = {one.job_id: now + CHECKPOINT_MS for one in running if one.stops_for is not None}
        self.starts: dict[int, Start] = {}
        self.ended: tuple[int, ...] = ()

    def step(self, pool: Pool, policy: Policy) -> None:
        """Let the scheduler decide at this moment."""
        by_id = {claim.job_id: claim for claim in self.queued}
        for decision in schedule(self.queued, self.running, pool, msgspec.structs.replace(policy, now=self.now)):
            self.yields |= {victim: self.now + CHECKPOINT_MS for victim in decision.preempts}
            if decision.admitted:
                claim = by_id.pop(decision.job_id)
                self.starts.setdefault(claim.job_id, Start(at=self.now, after=self.ended))
                self.running.append(msgspec.structs.replace(claim, started_at=self.now, gpus=decision.gpus))
                if claim.job_id in self.left_ms:
                    self.ends[claim.job_id] = self.now + self.left_ms[claim.job_id]
        self.queued = list(by_id.values())

    def go_on(self, policy: Policy) -> bool:
        """Go to the next moment at which a job ends, stops or loses its grace; False when there is none."""
        graces = [
            (one.started_at or 0) + policy.grace_ms
            for one in self.running
            if one.preemptible and (one.started_at or 0) + policy.grace_ms > self.now
        ]
        moments = [*self.ends.values(), *self.yields.values(), *graces]
        if not moments:
            return False
        self.now = max(self.now, min(moments))
        gone = {job_id for job_id, at in self.ends.items() if at <= self.now}
        stopped = {job_id for job_id, at in self.yields.items() if at <= self.now} - gone
        self.ended = tuple(sorted(gone | stopped))
        for claim in self.running:
            if claim.job_id in stopped:
                waits = msgspec.structs.replace(claim, started_at=None, stops_for=None, gpus=(), gang="", gang_size=0)
                self.queued.append(waits)
        self.running = [claim for claim in self.running if claim.job_id not in gone | stopped]
        for job_id in gone | stopped:
            self.ends.pop(job_id, None)
            self.yields.pop(job_id, None)
        return True
