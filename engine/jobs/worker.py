"""The worker: one process, one job; it claims its row, does the work, and says how it ended."""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import Cancelled, LemnisError
from lemnis.engine.jobs import PROJECT, queue
from lemnis.engine.jobs.bounds import bind, stand_back
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.kinds import Handler, handler
from lemnis.engine.jobs.processes import hold_lock, identity_of, step_back
from lemnis.engine.jobs.records import Job
from lemnis.engine.jobs.states import JobState
from lemnis.engine.resources.accounting.exact import keep_exact
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

NICENESS = 5  # the console and the servers come first


def main() -> int:
    """Run the job that the command line names; the exit status is 0 when the job's end was recorded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", type=int, required=True)
    parser.add_argument("--epoch", type=int, required=True)
    options = parser.parse_args()
    store = Store(Workspace(options.workspace))
    job = queue.get(store, options.job)
    bind(next((one.lease.cpus for one in queue.admissions(store, job.id) if one.epoch == options.epoch), ()))
    context = JobContext(store, job.id, epoch=options.epoch, cores=max(1, int(job.allocation.cores)))
    stop_on_signals(context)
    if job.terms.project:
        os.environ[PROJECT] = job.terms.project  # what it queues counts against the same share
    alive = hold_lock(context.directory / "alive.lock")
    me = identity_of(os.getpid())
    if alive is None or me is None or not queue.register(store, job.id, options.epoch, me):
        return 0  # another worker has this job, or it was cancelled meanwhile
    step_back(NICENESS)
    stand_back()
    os.umask(0o077)
    began = monotonic_s()
    code = run(context)
    keep_exact(store, job.id, job.started_at or 0, monotonic_s() - began)
    return code


def stop_on_signals(context: JobContext) -> None:
    """Let SIGTERM and SIGINT ask the job to stop at its next sign of life."""

    def ask(number: int, _frame: FrameType | None) -> None:
        context.stop_reason = f"stopped by {signal.Signals(number).name}"
        context.stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)


def run(context: JobContext, do: "Handler | None" = None) -> int:
    """Do the job, as its kind or `do` says, and record its end; every failure gets a reason that a person can read."""
    store, job_id, epoch = context.store, context.job_id, context.epoch
    job = queue.get(store, job_id)
    try:
        result = (do or handler(job.kind))(context, job.arguments)
        queue.end(store, job_id, epoch, "finished", "finished", result)
    except Cancelled as stopped:
        now = queue.get(store, job_id)
        if now.stops_for is not None and queue.yield_place(store, job_id, epoch, yielded(now, context.kept)):
            return 0
        asked = now.cancel_asked
        state: JobState = "cancelled" if asked else context.stop_state
        queue.end(store, job_id, epoch, state, "cancelled on request" if asked else stopped.problem)
    except LemnisError as error:
        print(f"{error.problem}\n  where: {error.place}\n  try: {error.remedy}", file=sys.stderr)
        place = f" ({error.place})" if error.place else ""
        queue.end(store, job_id, epoch, "failed", f"{error.problem}{place} {error.remedy}".strip())
    except MemoryError:
        traceback.print_exc()
        queue.end(store, job_id, epoch, "failed", "Out of memory: give it more, or fewer rows.")
    except Exception as error:  # the border: whatever a job does wrong ends this job alone, with its reason
        traceback.print_exc()
        queue.end(store, job_id, epoch, "failed", f"{type(error).__name__}: {error} (the log has the details)")
    return 0


def yielded(job: Job, kept: str) -> str:
    """Return how a job that made room goes back into the queue; `why` of the job says for whom."""
    return f"{job.why}; {f'goes on from {kept}' if kept else 'begins again'}"


if __name__ == "__main__":
    sys.exit(main())
