"""What is asked for, held and promised at this moment, and by what rules: read from the store for the scheduler."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import load_config, parse_age, parse_bytes
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.capacity import machine_pool
from lemnis.engine.resources.scheduling import Claim, Policy, Pool, Quota
from lemnis.engine.resources.scheduling.fairness import Held, decayed_use
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.config.quotas import Amounts

USE_EVERY_S = 15.0  # how often what was used of late is summed again
HALF_LIVES = 8  # after so many, what was used counts a 256th
LIVE = """
    select j.*, a.gpus, j.gang_size as gang_left
    from jobs j left join allocations a on a.job_id = j.id and a.epoch = j.epoch
    where j.state in ('preparing', 'running') order by j.id"""
# One that is done in another's process waits for that one, unless it has ended.
QUEUED = """
    select j.*, '[]' as gpus,
      -- once one of a gang has started, the others need not wait for each other
      case when j.gang != '' and exists (select 1 from jobs g where g.gang = j.gang and g.attempts > 0)
        then 0 else j.gang_size end as gang_left
    from jobs j where j.state = 'queued' and not exists (select 1 from jobs h
      where h.id = j.host_id and h.state in ('queued', 'preparing', 'running'))
    order by j.priority desc, j.created_at, j.id limit 500"""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the scheduler decides by."""

    pool: Pool
    policy: Policy
    queued: list[Claim]
    running: list[Claim]


class Reader:
    """Reads situations; sums what was used of late only now and then."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._used: dict[str, float] = {}
        self._used_at = -USE_EVERY_S

    def read(self) -> Situation:
        """Return what is asked for and held now; a broken lemnis.toml counts as one that declares no pool."""
        try:
            declared = load_config(self.store.workspace.config).pool
        except LemnisError:
            declared = DeclaredPool()
        pool, accounts = machine_pool(declared, self.store), users_of(declared)
        if monotonic_s() - self._used_at >= USE_EVERY_S:
            self._used, self._used_at = self._use(declared, pool), monotonic_s()
        policy = Policy(
            now=self.store.now_ms(),
            quotas=quotas_of(declared, pool),
            used=self._used,
            grace_ms=round(declared.grace_seconds * 1000),
        )
        return Situation(
            pool=pool,
            policy=policy,
            queued=[claim_of(row, accounts) for row in self.store.rows(QUEUED)],
            running=[claim_of(row, accounts) for row in self.store.rows(LIVE)],
        )

    def _use(self, declared: DeclaredPool, pool: Pool) -> dict[str, float]:
        half_life_ms, now = max(60_000, parse_age(declared.half_life)), now_ms()
        rows = self.store.rows(
            """select account, cores, memory_bytes, gpu, started_at, coalesce(ended_at, ?) as until from allocations
               where coalesce(ended_at, ?) >= ?""",
            [now, now, now - HALF_LIVES * half_life_ms],
        )
        held = [
            Held(
                account=row["account"],
                amounts=(row["cores"], float(row["memory_bytes"]), row["gpu"]),
                since=row["started_at"],
                until=row["until"],
            )
            for row in rows
        ]
        return decayed_use(held, pool, now, half_life_ms)


def users_of(declared: DeclaredPool) -> dict[str, str]:
    """Return the project of each user that one counts."""
    return {user: name for name, quota in declared.quotas.items() for user in quota.users}


def claim_of(row: Row, accounts: dict[str, str]) -> Claim:
    """Return what one row of `jobs` asks for or holds; it counts against its project, else against its user's."""
    user, live = str(row["submitted_by"]), row["state"] != "queued"
    return Claim(
        job_id=row["id"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        gpu=row["gpu"],
        priority=row["priority"],
        created_at=row["created_at"],
        account=str(row["project"]) or accounts.get(user, user),
        # One whose process only starts can't be asked yet.
        preemptible=bool(row["preemptible"]) and (not live or row["state"] == "running"),
        started_at=row["started_at"] if live else None,
        stops_for=row["stops_for"],
        gang=row["gang"],
        gang_size=row["gang_left"],
        gpus=tuple(msgspec.json.decode(row["gpus"] or "[]", type=list[str])),
    )


def quotas_of(declared: DeclaredPool, pool: Pool) -> dict[str, Quota]:
    """Return the quotas in the scheduler's amounts; memory that is not promised by itself goes with the cores."""
    found: dict[str, Quota] = {}
    for name, quota in declared.quotas.items():
        cores, memory, gpus = quota.guaranteed.cores or 0.0, size(quota.guaranteed), quota.guaranteed.gpus or 0.0
        if memory is None:
            memory = pool.memory_bytes * min(1.0, cores / pool.cores) if pool.cores else 0.0
        limit = (quota.limit.cores, size(quota.limit), quota.limit.gpus)
        found[name] = Quota(guaranteed=(cores, memory, gpus), limit=limit, weight=quota.weight)
    return found


def size(amounts: "Amounts") -> float | None:
    """Return declared memory in bytes, None where none is declared."""
    return float(parse_bytes(amounts.memory)) if amounts.memory else None
