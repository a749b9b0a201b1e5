"""The pool as people ask about it: who holds what, what they really use of it, and who waits why."""

import msgspec

from lemnis.engine.resources.accounts import accounts_of
from lemnis.engine.resources.capacity import gpu_report
from lemnis.engine.resources.gpu_shares import enforcement, kept_by
from lemnis.engine.resources.records import Holding, PoolState, ProcessTable, Waiting
from lemnis.engine.resources.scheduling import Claim, Decision, schedule
from lemnis.engine.resources.scheduling.claims import summed
from lemnis.engine.resources.scheduling.forecast import Start
from lemnis.engine.resources.scheduling.line import guaranteed_of
from lemnis.engine.resources.situation import Situation
from lemnis.engine.store import Row, Store

JOBS = """
    select j.*, a.cpus, a.gpus, case when j.kind = 'tracking.script' then coalesce(r.name, j.title)
      else j.title end as called,
      (select p.ended from allocations p where p.job_id = j.id and j.preemptions > 0
       order by p.id desc limit 1) as ended
    from jobs j left join allocations a on a.job_id = j.id and a.epoch = j.epoch left join runs r on r.id = j.run_id
    where j.id in (select value from json_each(?))"""


def pool_state(
    store: Store, situation: Situation, processes: ProcessTable, left: dict[int, int], starts: dict[int, Start]
) -> PoolState:
    """Return the pool of a workspace now; each queued job's sentence is what the scheduler says at this moment.

    Args:
        store: Where the jobs are.
        situation: What is asked for and held.
        processes: What they really use.
        left: How long each job still runs, ms.
        starts: When each waiting job is expected to start.
    """
    pool = situation.pool
    decisions = schedule(situation.queued, situation.running, pool, situation.policy)
    live, queued = rows_of(store, situation.running), rows_of(store, situation.queued)
    guaranteed = guaranteed_of(situation.running, situation.policy)
    held = summed(situation.running)
    claims = {claim.job_id: claim for claim in (*situation.running, *situation.queued)}
    shared = bool(situation.policy.quotas)
    return PoolState(
        cores=pool.cores,
        memory_bytes=pool.memory_bytes,
        gpus=pool.gpus,
        held_cores=held[0],
        held_memory_bytes=int(held[1]),
        held_gpus=held[2],
        holding=[
            holding_in(row, claims[job_id], processes, job_id not in guaranteed, shared=shared, left=left.get(job_id))
            for job_id, row in live.items()
        ],
        waiting=[
            waiting_in(queued[decision.job_id], claims[decision.job_id], decision, starts.get(decision.job_id, Start()))
            for decision in decisions
            if decision.job_id in queued
        ],
        accounts=accounts_of(situation),
        enforcement=enforcement(gpu_report(store)),
    )


def rows_of(store: Store, claims: list[Claim]) -> dict[int, Row]:
    """Return the rows of jobs by number, in the order of the claims; those that are gone are left out."""
    found = {row["id"]: row for row in store.rows(JOBS, [str([claim.job_id for claim in claims])])}
    return {claim.job_id: found[claim.job_id] for claim in claims if claim.job_id in found}


def holding_in(
    row: Row, claim: Claim, processes: ProcessTable, borrowed: bool, *, shared: bool, left: int | None
) -> Holding:
    """Return one live job with the sum of what its processes use; None when none was seen.

    `shared` says that somebody is guaranteed a share, so that it matters who borrows.
    """
    right = f"borrowed by {claim.account}" if borrowed else f"within what {claim.account} is guaranteed"
    mine = [process for process in processes.rows if process.job_id == row["id"]]
    shares = [process.cpu_percent for process in mine if process.cpu_percent is not None]
    return Holding(
        job_id=row["id"],
        run_id=row["run_id"],
        kind=row["kind"],
        title=row["called"],
        state=row["state"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        since=row["started_at"],
        executor=row["executor"],
        account=claim.account,
        priority=row["priority"],
        right=row["why"] if row["stops_for"] is not None else right if shared else "",
        borrowed=borrowed,
        preemptible=claim.preemptible,
        stops_for=row["stops_for"],
        cpus=msgspec.json.decode(row["cpus"] or "[]", type=list[int]),
        gpus=list(claim.gpus),
        kept_by=kept_by(row["gpu"], claim.gpus),
        limited=bool(row["limited"]),
        left_s=None if left is None else left / 1000,
        used_cores=sum(shares) / 100 if shares else None,
        used_memory_bytes=sum(process.memory_bytes or 0 for process in mine) if mine else None,
    )


def waiting_in(row: Row, claim: Claim, decision: Decision, start: Start) -> Waiting:
    """Return one queued job with its sentence."""
    return Waiting(
        job_id=row["id"],
        run_id=row["run_id"],
        kind=row["kind"],
        title=row["called"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        priority=row["priority"],
        since=row["created_at"],
        why="starts next" if decision.admitted else decision.why,
        refused=decision.refused,
        account=claim.account,
        borrows=decision.borrows,
        score=decision.score,
        start=start,
        left=row["ended"] or "",
    )
