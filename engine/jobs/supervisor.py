"""The supervisor: one process per workspace that starts jobs when they fit, sees them end, and keeps services up."""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Pool as DeclaredPool
from lemnis.engine.config import load_config
from lemnis.engine.errors import LemnisError
from lemnis.engine.jobs import SUPERVISOR_LOCK, queue, services
from lemnis.engine.jobs.executors import Death, Executor, HostedExecutor, LocalExecutor
from lemnis.engine.jobs.kinds import planners
from lemnis.engine.jobs.processes import hold_lock
from lemnis.engine.jobs.records import Job
from lemnis.engine.resources.pools import Claim, Pool, admit
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

TICK_S = 0.25
PLAN_S = 5.0  # how often plans are asked for what is due
LOOK_S = 1.0  # how often the rows are read again even when nothing seems to have changed
STANDING = (("sampler", "lemnis.engine.resources.sampler"), ("device", "lemnis.engine.resources.device"))


class Supervisor:
    """The loop's state: it holds nothing that a successor could not read from the store."""

    def __init__(self, store: Store, executor: Executor, keeper: services.Keeper) -> None:
        self.store, self.executor, self.keeper = store, executor, keeper
        self.hosted = HostedExecutor(store.workspace)
        self.stopping = threading.Event()
        self._refused: dict[int, str] = {}
        self._problem = ""

    def run(self) -> None:
        """Go round until asked to stop or until the workspace is gone."""
        seen, looked_at, planned_at = -1, -LOOK_S, -PLAN_S
        while not self.stopping.is_set() and self.store.workspace.state.exists():
            version = self.store.data_version()
            if version != seen or monotonic_s() - looked_at >= LOOK_S:
                seen, looked_at = version, monotonic_s()
                self.watch()
                self.admit()
                self.keeper.tend()
            if monotonic_s() - planned_at >= PLAN_S:
                planned_at = monotonic_s()
                self.plan()
            self.stopping.wait(TICK_S)
        self.keeper.stop_all()

    def plan(self) -> None:
        """Queue what is due by a plan; what can't be read now is asked again, and said once."""
        for queue_due in planners():
            try:
                for job_id in queue_due(self.store):
                    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} job {job_id} is queued by its plan", flush=True)
                self._problem = ""
            except LemnisError as error:
                if error.problem != self._problem:
                    self._problem = error.problem
                    print(f"no plan: {error.problem} {error.place}", file=sys.stderr, flush=True)

    def watch(self) -> None:
        """See which live jobs have lost their worker, and stop those that were asked to."""
        live = queue.listed(self.store, states=("preparing", "running"))
        self.executor.forget(live)
        for job in live:
            executor = self._executor(job)
            death = executor.death(job)
            if death is not None:
                self._bury(job, death)
            elif job.cancel_asked:
                executor.stop(job)

    def _executor(self, job: Job) -> Executor:
        return self.executor if job.host_id is None else self.hosted

    def _bury(self, job: Job, death: Death) -> None:
        """Record the end of a job whose worker could not do it itself; no effect when it did."""
        if job.cancel_asked:
            queue.end(self.store, job.id, job.epoch, "cancelled", f"cancelled on request: {death.why}")
        else:
            again = f"; go on with `lemnis jobs retry {job.id}`" if death.state == "lost" else ""
            queue.end(self.store, job.id, job.epoch, death.state, death.why + again)

    def admit(self) -> None:
        """Start what fits into the pool, and tell the others what they wait for."""
        waiting = queue.waiting(self.store)
        if not waiting:
            return
        live = queue.listed(self.store, states=("preparing", "running"))
        for decision in admit([claim_of(job) for job in waiting], [claim_of(job) for job in live], self._pool()):
            if decision.admitted:
                job = queue.claim(self.store, decision.job_id)
                if job is not None:
                    self.executor.start(job)
            elif self._refused.get(decision.job_id) != decision.why:
                self._refused[decision.job_id] = decision.why
                with self.store.write() as db:
                    db.execute(
                        "update jobs set why = ? where id = ? and state = 'queued'", [decision.why, decision.job_id]
                    )

    def _pool(self) -> Pool:
        from lemnis.engine.resources.capacity import machine_pool

        try:
            declared = load_config(self.store.workspace.config).pool
        except LemnisError:
            declared = DeclaredPool()  # a broken lemnis.toml must not stop the queue
        return machine_pool(declared, self.store)


def claim_of(job: Job) -> Claim:
    """Return what a job asks of the pool."""
    return Claim(
        job_id=job.id,
        cores=job.allocation.cores,
        memory_bytes=job.allocation.memory_bytes,
        gpu=job.allocation.gpu,
        priority=job.priority,
        created_at=job.created_at,
    )


def main() -> int:
    """Be the supervisor of a workspace; leave at once with status 0 when it has one already."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    workspace = Workspace(parser.parse_args().workspace)
    os.umask(0o077)
    lock = hold_lock(workspace.hidden / SUPERVISOR_LOCK)
    if lock is None:
        print("already running")
        return 0
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()
    store = Store(workspace)
    for name, module in STANDING:
        services.declare(store, name, module, ["--workspace", str(workspace.root)])
    supervisor = Supervisor(store, LocalExecutor(workspace), services.Keeper(store))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: supervisor.stopping.set())
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} supervisor {os.getpid()} watches {workspace.root}")
    supervisor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
