"""Which process works for which job, run or service of this workspace."""

import os

import msgspec

from lemnis.engine.resources.records import GpuReport, Process, ProcessTable
from lemnis.engine.store import Store
from lemnis.engine.store.revisions import revision

LIVE_JOBS = """
    select j.id, j.kind, j.title, j.run_id, j.pid, j.started_ticks, r.name as run_name from jobs j
    left join runs r on r.id = j.run_id
    where j.state in ('preparing', 'running') and j.pid is not null and j.started_ticks is not null"""
LIVE_SERVICES = "select name, pid, started_ticks from services where pid is not null and started_ticks is not null"

LOOK_EVERY = 10  # looks after which all is asked in any case


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a process and all it started work for."""

    label: str
    job_id: int | None = None
    run_id: int | None = None
    service: str = ""


def our_pids(store: Store) -> set[int]:
    """Return the supervisor and the processes of live jobs and services."""
    rows = store.rows(
        """select pid from jobs where state in ('preparing', 'running') and pid is not null
           union select pid from services where pid is not null"""
    )
    return {row["pid"] for row in rows} | supervisor_pids(store)


def supervisor_pids(store: Store) -> set[int]:
    """Return who last held the supervisor's lock, as the lock file says; it may be gone."""
    try:
        text = (store.workspace.hidden / "supervisor.lock").read_text().strip()
    except OSError:
        return set()
    return {int(text)} if text.isdigit() else set()


def owners(store: Store) -> dict[tuple[int, int], Owner]:
    """Return the owner of each process of ours by (pid, start time): a pid that was given to a stranger is not ours."""
    found: dict[tuple[int, int], Owner] = {}
    for row in store.rows(LIVE_JOBS):
        label = (
            f"run {row['run_id']} {row['run_name']}" if row["run_id"] is not None else f"job {row['id']} {row['title']}"
        )
        owner = Owner(label=label, job_id=row["id"], run_id=row["run_id"])
        found[row["pid"], row["started_ticks"]] = owner
    for row in store.rows(LIVE_SERVICES):
        found[row["pid"], row["started_ticks"]] = Owner(label=row["name"], service=row["name"])
    return found


class Ours:
    """Who works for this workspace, asked again only when a job or a service moved."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: int | None = None
        self._turn = 0
        self.pids: set[int] = set()
        self.owners: dict[tuple[int, int], Owner] = {}

    def look(self) -> None:
        """Bring `pids` and `owners`, see `our_pids` and the function `owners`, up to date."""
        version, self._turn = revision(self._store, "jobs"), self._turn + 1
        if version != self._version or self._turn % LOOK_EVERY == 0:  # the supervisor's lock is no part of the state
            self.pids, self.owners, self._version = our_pids(self._store), owners(self._store), version


def with_owners(table: ProcessTable, owners: dict[tuple[int, int], Owner], *, root: str) -> ProcessTable:
    """Return the table with each process joined to its nearest ancestor that is known.

    The supervisor is known by its command line, which names the workspace's `root`; this very process is the console.
    """
    return msgspec.structs.replace(table, rows=[owned(row, owners, root) for row in table.rows])


def owned(row: Process, owners: dict[tuple[int, int], Owner], root: str) -> Process:
    """Return one process with its owner."""
    owner = next((owners[step] for step in row.line if step in owners), None)
    if owner is not None:
        return msgspec.structs.replace(
            row, owner=owner.label, job_id=owner.job_id, run_id=owner.run_id, service=owner.service
        )
    if row.pid == os.getpid():
        return msgspec.structs.replace(row, owner="this console")
    if "lemnis.engine.jobs.supervisor" in row.command and row.command.endswith(root):
        return msgspec.structs.replace(row, owner="supervisor")
    return row


def with_gpus(table: ProcessTable, report: GpuReport) -> ProcessTable:
    """Return the table with what each process holds on all GPUs together; not known where the driver doesn't say."""
    held: dict[int, int] = {}
    for gpu in report.devices:
        for one in gpu.processes:
            if one.memory_bytes is not None:
                held[one.pid] = held.get(one.pid, 0) + one.memory_bytes
    if not held:
        return table
    rows = [
        msgspec.structs.replace(row, gpu_memory_bytes=held[row.pid]) if row.pid in held else row for row in table.rows
    ]
    return msgspec.structs.replace(table, rows=rows)
