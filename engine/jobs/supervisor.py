"""The supervisor: one process per workspace that starts jobs when they fit, sees them end, and keeps services up."""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from lemnis.engine.clock import AwakeClock, monotonic_s
from lemnis.engine.errors import LemnisError
from lemnis.engine.jobs import SUPERVISOR_LOCK, queue, services
from lemnis.engine.jobs.bounds import MemoryWatch, chosen_cpus
from lemnis.engine.jobs.executors import Death, Executor, HostedExecutor, LocalExecutor
from lemnis.engine.jobs.kinds import planners
from lemnis.engine.jobs.processes import hold_lock
from lemnis.engine.jobs.records import Job, Lease
from lemnis.engine.resources.capacity import core_use, gpu_report
from lemnis.engine.resources.gpu_shares import environment_of
from lemnis.engine.resources.records import GpuReport
from lemnis.engine.resources.scheduling import Decision, schedule
from lemnis.engine.resources.situation import Reader
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

TICK_S = 0.25
PLAN_S = 5.0  # how often plans are asked for what is due
LOOK_S = 1.0  # how often the rows are read again even when nothing seems to have changed
STANDING = (("sampler", "lemnis.engine.resources.sampler"), ("device", "lemnis.engine.resources.device"))


class Supervisor:
    """The loop's state: it holds nothing that a successor could not read from the store."""

    def __init__(self, store: Store, executor: Executor, keeper: services.Keeper, awake: AwakeClock) -> None:
        self.store, self.executor, self.keeper, self.awake = store, executor, keeper, awake
        self.hosted = HostedExecutor(store.workspace, awake)
        self.stopping = threading.Event()
        self.situations = Reader(store)
        self.memory = MemoryWatch(store)
        self._told: dict[int, str] = {}
        self._problem = ""

    def run(self) -> None:
        """Go round until asked to stop or until the workspace is gone."""
        seen, looked_at, planned_at = -1, -LOOK_S, -PLAN_S
        while not self.stopping.is_set() and self.store.workspace.state.exists():
            if slept := self.awake.look():
                print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {slept:,.0f} s were slept through", flush=True)
            version = self.store.data_version()
            if version != seen or monotonic_s() - looked_at >= LOOK_S:
                seen, looked_at = version, monotonic_s()
                self.watch()
                self.admit()
                self.keeper.tend()
            self.memory.look()
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
        self.memory.follow(live)
        for job in live:
            executor = self._executor(job)
            death = executor.death(job)
            if death is not None:
                self._bury(job, death)
            elif job.cancel_asked:
                executor.stop(job)
            elif job.stops_for is not None:
                executor.make_room(job)

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
        """Start what fits into the pool, ask borrowers for room, and tell the others what they wait for."""
        if self.store.value("select 1 from jobs where state = 'queued' limit 1") is None:
            return
        now = self.situations.read()
        accounts = {claim.job_id: claim.account for claim in now.queued}
        for decision in schedule(now.queued, now.running, now.pool, now.policy):
            for job_id in decision.preempts:
                self._ask_for_room(job_id, decision)
            if not decision.admitted:
                self._tell(decision)
            elif not self.executor.leaving(queue.get(self.store, decision.job_id)):
                self._start(decision, accounts[decision.job_id])

    def _start(self, decision: Decision, account: str) -> None:
        lease = Lease(
            account=account,
            gpus=decision.gpus,
            cpus=self._cpus(queue.get(self.store, decision.job_id)),
            borrowed=decision.borrows,
            why=decision.why,
        )
        job = queue.claim(self.store, decision.job_id, lease=lease)
        if job is not None:
            self._told.pop(job.id, None)
            report = gpu_report(self.store) if lease.gpus else GpuReport(at=0)
            self.executor.start(job, environment_of(job.allocation.gpu, lease.gpus, report))

    def _cpus(self, job: Job) -> tuple[int, ...]:
        """Return the processors for a training or a command; other jobs use what is free."""
        cores = job.allocation.cores
        if job.run_id is None or job.executor != "local" or cores != int(cores):
            return ()
        held = [cpu for one in queue.live_leases(self.store) for cpu in one.cpus]
        return chosen_cpus(int(cores), sorted(os.sched_getaffinity(0)), held, core_use(self.store))

    def _ask_for_room(self, job_id: int, decision: Decision) -> None:
        """Ask a running job to stop at its next checkpoint; it says itself when it waits again."""
        job = queue.get(self.store, job_id)
        right = decision.why.partition(":")[0]
        if queue.ask_to_yield(self.store, job_id, job.epoch, decision.job_id, right):
            self.executor.make_room(job)

    def _tell(self, decision: Decision) -> None:
        """Write down why a job waits, if that is news."""
        if self._told.get(decision.job_id) == decision.why:
            return
        self._told[decision.job_id] = decision.why
        starts = queue.admissions(self.store, decision.job_id)
        left = f" ({starts[-1].ended})" if starts and starts[-1].ended.startswith("preempted") else ""
        with self.store.write() as db:
            db.execute(
                "update jobs set why = ? where id = ? and state = 'queued'", [decision.why + left, decision.job_id]
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
    awake = AwakeClock()
    supervisor = Supervisor(store, LocalExecutor(workspace, awake), services.Keeper(store, awake), awake)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: supervisor.stopping.set())
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} supervisor {os.getpid()} watches {workspace.root}")
    supervisor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
