"""The processes of an endpoint that answer on one port: what each says of itself, and what that makes together."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.rollout.records import Worker
from lemnis.engine.store import Row, Store
from lemnis.engine.workspace import Workspace

MOST_WORKERS = 64


def worker_service(endpoint: str, number: int) -> str:
    """Return the name of a worker's service; the first has the endpoint's own."""
    return f"endpoint:{endpoint}" if number == 1 else f"endpoint:{endpoint}#{number}"


def judge_service(endpoint: str) -> str:
    """Return the name of the service that judges an endpoint's split."""
    return f"endpoint:{endpoint}#judge"


FACTS = frozenset(("pid", "version", "standby", "event", "ready", "why", "swap_ms", "drill", "drill_ms", "challenger"))


def tell(store: Store, endpoint: str, number: int, **facts: object) -> None:
    """Write what a worker is now, and what the endpoint is by it; facts that are not named stay as they are."""
    assert facts.keys() <= FACTS
    named = list(facts)
    values = {**facts, "endpoint": endpoint, "worker": number, "now": now_ms()}
    with store.write() as db:
        db.execute(
            """insert into endpoint_workers (endpoint, worker, pid, changed_at)
               select name, :worker, 0, :now from endpoints where name = :endpoint
                 and not exists (select 1 from endpoint_workers where endpoint = :endpoint and worker = :worker)""",
            values,
        )
        changes = "".join(f"{name} = :{name}, " for name in named)
        db.execute(
            f"update endpoint_workers set {changes} changed_at = :now where endpoint = :endpoint and worker = :worker",
            values,
        )
        db.execute(
            """update endpoints set changed_at = :now,
                 ready = exists (select 1 from endpoint_workers where endpoint = :endpoint and ready),
                 serving_version = (select version from endpoint_workers where endpoint = :endpoint
                                    order by ready desc, worker limit 1),
                 why = coalesce((select why from endpoint_workers where endpoint = :endpoint and why != ''
                                 order by worker limit 1), '')
               where name = :endpoint""",
            values,
        )


def listed(store: Store, endpoint: str) -> list[Worker]:
    """Return the workers of an endpoint by number."""
    rows = store.rows(
        """select w.*, s.state as service_state, s.pid as service_pid from endpoint_workers w
             join endpoints e on e.name = w.endpoint and w.worker <= e.workers
             left join services s
               on s.name = 'endpoint:' || w.endpoint || case w.worker when 1 then '' else '#' || w.worker end
           where w.endpoint = ? order by w.worker""",
        [endpoint],
    )
    return [worker_in(row) for row in rows]


def worker_in(row: Row) -> Worker:
    """Return the worker of one row."""
    new = row["service_pid"] not in (
        None,
        row["pid"],
    )  # the process that said so is gone, its successor said nothing yet
    live = row["service_state"] in ("starting", "up") and not new
    return Worker(
        number=row["worker"],
        pid=row["pid"],
        live=live,
        ready=bool(row["ready"]) and live,
        version=row["version"],
        standby=row["standby"],
        why=row["why"],
        swap_ms=row["swap_ms"],
        drill=row["drill"],
        drill_ms=row["drill_ms"],
        challenger=row["challenger"],
        changed_at=row["changed_at"],
    )


def refusal_by_others(store: Store, endpoint: str, number: int, event: int) -> str:
    """Return why another worker refused the version of an alias event; empty when none did.

    A rollout ends at the first worker that refuses: the others keep what they have.
    """
    sql = "select why from endpoint_workers where endpoint = ? and worker != ? and event = ? and why != '' limit 1"
    return store.value(sql, [endpoint, number, event]) or ""


@contextmanager
def turn(workspace: Workspace, endpoint: str) -> Generator[None]:
    """Hold an endpoint's turn: its workers change one after another; the kernel frees it if the process dies."""
    folder = workspace.service_dir(worker_service(endpoint, 1))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / "turn.lock", "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
