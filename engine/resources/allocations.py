"""The pool as people ask about it: who holds what, what they really use of it, and who waits why."""

from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import load_config
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.capacity import machine_pool
from lemnis.engine.resources.pools import Claim, Pool, admit
from lemnis.engine.resources.records import Holding, PoolState, ProcessTable, Waiting
from lemnis.engine.store import Row, Store

LIVE = """
    select id, run_id, kind, title, state, cores, memory_bytes, gpu, priority, created_at, started_at,
      executor
    from jobs where state in ('preparing', 'running') order by id"""
QUEUED = """
    select id, run_id, kind, title, state, cores, memory_bytes, gpu, priority, created_at, started_at
    from jobs where state = 'queued' order by priority desc, created_at, id limit 500"""


def pool_state(store: Store, processes: ProcessTable) -> PoolState:
    """Return the pool of a workspace now; each queued job's sentence is what admission says at this moment."""
    pool = declared_pool(store)
    live, queued = store.rows(LIVE), store.rows(QUEUED)
    decisions = admit([claim_of(row) for row in queued], [claim_of(row) for row in live], pool)
    by_id = {row["id"]: row for row in queued}
    return PoolState(
        cores=pool.cores,
        memory_bytes=pool.memory_bytes,
        gpus=pool.gpus,
        held_cores=sum(row["cores"] for row in live),
        held_memory_bytes=sum(row["memory_bytes"] for row in live),
        held_gpus=sum(row["gpu"] for row in live),
        holding=[holding_in(row, processes) for row in live],
        waiting=[
            waiting_in(
                by_id[decision.job_id], decision.why if not decision.admitted else "starts next", decision.refused
            )
            for decision in decisions
        ],
    )


def declared_pool(store: Store) -> Pool:
    """Return the pool in force; a broken lemnis.toml counts as one that declares none."""
    try:
        declared = load_config(store.workspace.config).pool
    except LemnisError:
        declared = DeclaredPool()
    return machine_pool(declared, store)


def claim_of(row: Row) -> Claim:
    """Return what one row of `jobs` asks for or holds."""
    return Claim(
        job_id=row["id"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        priority=row["priority"],
        created_at=row["created_at"],
    )


def holding_in(row: Row, processes: ProcessTable) -> Holding:
    """Return one live job with the sum of what its processes use; None when none was seen."""
    mine = [process for process in processes.rows if process.job_id == row["id"]]
    shares = [process.cpu_percent for process in mine if process.cpu_percent is not None]
    return Holding(
        job_id=row["id"],
        run_id=row["run_id"],
        kind=row["kind"],
        title=row["title"],
        state=row["state"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        since=row["started_at"],
        executor=row["executor"],
        used_cores=sum(shares) / 100 if shares else None,
        used_memory_bytes=sum(process.memory_bytes or 0 for process in mine) if mine else None,
    )


def waiting_in(row: Row, why: str, refused: bool) -> Waiting:
    """Return one queued job with its sentence."""
    return Waiting(
        job_id=row["id"],
        run_id=row["run_id"],
        kind=row["kind"],
        title=row["title"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        priority=row["priority"],
        since=row["created_at"],
        why=why,
        refused=refused,
    )
