"""`lemnis jobs`: the queue, its logs, and stopping and trying again."""

import sys
import time
from typing import Annotated, Any, get_args

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import Job, JobsRoom
from lemnis.engine.jobs.states import JobState
from lemnis.engine.text import safe
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.format import MISSING, age, bytes_, duration, number, share, verdict, when

app = group("List, follow, cancel and retry jobs.")
FOLLOW_SECONDS = 0.3

JobId = Annotated[int, typer.Argument(help="A job's number, see `lemnis jobs list`.", metavar="JOB")]


@app.command("list")
def list_jobs(
    context: typer.Context,
    state: Annotated[list[str], typer.Option(help="Only jobs in this state; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[int, typer.Option(help="At most this many.", min=1, max=10_000)] = 50,
) -> None:
    """List jobs: running, then waiting in their order, then the newest ended.

    With --json: {"jobs": [{"id", "kind", "title", "state", "why", "pid", "progress" (0..1), "progress_text",
    "allocation": {"cores", "memory_bytes", "gpu"}, "executor" (local or dask), "run_id",
    "created_at", "started_at", "ended_at"}]}; times in ms.
    """
    session = session_of(context)
    jobs = session.engine.jobs.jobs(states=states_of(state), limit=limit)
    if session.json:
        print_json({"jobs": [job_document(job) for job in jobs]})
        return
    now = session.engine.now_ms()
    rows = [
        (str(j.id), j.kind, verdict(j.state).text, progress_text(j), age(j.created_at, now), j.title, j.why)
        for j in jobs
    ]
    print_table(["id", "kind", "state", "progress", "age", "title", "why"], rows, right={"id", "age"})


@app.command()
def show(context: typer.Context, job_id: JobId) -> None:
    """Show one job with its result.

    With --json: the job as in `list`, with "arguments", "result", "attempts", "priority", "peak_bytes", "user",
    "terms": {"project", "preemptible", "limited", "gang", "gang_size"}, "preemptions", "admissions": [{"epoch",
    "lease": {"account", "gpus", "cpus", "borrowed", "why"}, "started_at", "ended_at", "ended"}] and "events":
    [{"at", "user", "what"}].
    """
    session = session_of(context)
    room = session.engine.jobs
    job = room.job(job_id)
    if session.json:
        more = {"admissions": room.admissions(job_id), "events": room.events(job_id)}
        print_json(full_document(job) | more)
        return
    took = (job.ended_at or session.engine.now_ms()) - job.started_at if job.started_at else None
    held = job.allocation
    print_facts(
        [
            ("job", f"{job.id}  {job.title}"),
            ("kind", job.kind),
            ("state", f"{verdict(job.state).text}: {job.why}"),
            ("progress", progress_text(job)),
            ("asked for", f"{number(held.cores, 0)} cores, {bytes_(held.memory_bytes)}, {number(held.gpu, 2)} GPU"),
            ("executor", job.executor),
            ("peak memory", bytes_(job.peak_bytes)),
            ("queued", when(job.created_at, seconds=True)),
            ("started", when(job.started_at, seconds=True)),
            ("took", duration(took / 1000 if took is not None else None)),
            ("attempts", str(job.attempts)),
            ("pid", str(job.pid or MISSING)),
            ("counts for", job.terms.project or job.submitted_by),
            ("priority", f"{job.priority}{', can be preempted' if job.terms.preemptible else ''}"),
        ]
    )
    starts = [
        (when(one.started_at, seconds=True), when(one.ended_at, seconds=True), one.lease.why, one.ended)
        for one in session.engine.jobs.admissions(job_id)
    ]
    if starts:
        print()
        print_table(["started", "ended", "admitted because", "ended because"], starts)
    for event in session.engine.jobs.events(job_id):
        say(f"{when(event.at, seconds=True)}  {event.user}: {event.what}")


@app.command()
def logs(
    context: typer.Context,
    job_id: JobId,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the job has ended.")] = False,
) -> None:
    """Print the end of a job's log.

    With --json: {"id", "log"}.
    """
    session = session_of(context)
    room = session.engine.jobs
    if session.json:
        print_json({"id": job_id, "log": room.log(job_id)})
        return
    said = ""
    while True:
        ended, log = room.job(job_id).ended, room.log(job_id)
        said = print_added(said, log)
        if ended or not follow:
            return
        time.sleep(FOLLOW_SECONDS)


@app.command()
def cancel(context: typer.Context, job_id: JobId) -> None:
    """Ask a job to stop; a training stops at its next iteration and keeps what it has.

    With --json: the job as in `list`.
    """
    session = session_of(context)
    tell(session.engine.jobs.cancel(job_id), as_json=session.json)


@app.command()
def priority(
    context: typer.Context,
    job_id: JobId,
    value: Annotated[int, typer.Argument(help="Higher goes first; 50 is usual.", min=0, max=200, metavar="PRIORITY")],
) -> None:
    """Give a job another place in line; from 100 on it also preempts its own account's jobs of lower priority.

    See what it would do first with `lemnis resources pools --what-if JOB --priority N`. Who changed it is on record.

    With --json: the job as in `list`.
    """
    session = session_of(context)
    tell(session.engine.jobs.prioritise(job_id, value), as_json=session.json)


@app.command()
def retry(
    context: typer.Context,
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
) -> None:
    """Queue a job that has ended again.

    With --json: the job as in `list`.
    """
    session = session_of(context)
    room = session.engine.jobs
    job = room.retry(job_id)
    room.ensure_supervisor()
    tell(wait_for(room, job.id) if wait else job, as_json=session.json)


def wait_for(room: JobsRoom, job_id: int) -> Job:
    """Wait for a job and show its progress on a terminal's stderr; raises JobFailed if it did not finish."""
    moving = sys.stderr.isatty()

    def progress(job: Job) -> None:
        if moving:
            line = f"{verdict(job.state).text}  {progress_text(job)}"
            sys.stderr.write(f"\r\x1b[K{safe(line, limit=100)}")
            sys.stderr.flush()

    try:
        return room.wait(job_id, progress)
    finally:
        if moving:
            sys.stderr.write("\r\x1b[K")


def tell(job: Job, *, as_json: bool) -> None:
    """Print one job in a line."""
    if as_json:
        print_json(job_document(job))
    else:
        say(f"job {job.id}  {verdict(job.state).text}  {job.title}: {job.why}")


def states_of(words: list[str]) -> tuple[JobState, ...]:
    """Return the states a person named."""
    known = get_args(JobState)
    for word in words:
        if word not in known:
            raise BadInput(f"There is no job state {word!r}.", f"States: {', '.join(known)}.", "--state")
    return tuple(state for state in known if state in words)


def job_document(job: Job) -> dict[str, Any]:  # Any: a JSON document
    """Return a job as `lemnis jobs list --json` gives it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "why": job.why,
        "pid": job.pid,
        "progress": job.progress,
        "progress_text": job.progress_text,
        "allocation": job.allocation,
        "executor": job.executor,
        "run_id": job.run_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def full_document(job: Job) -> dict[str, Any]:  # Any: a JSON document
    """Return everything there is of a job."""
    more = {
        "arguments": job.arguments,
        "result": job.result,
        "attempts": job.attempts,
        "priority": job.priority,
        "peak_bytes": job.peak_bytes,
        "user": job.submitted_by,
        "terms": job.terms,
        "preemptions": job.preemptions,
    }
    return job_document(job) | more


def progress_text(job: Job) -> str:
    """Return how far a job is: a share, a sentence, or both."""
    part = share(job.progress, 0) if job.progress is not None else ""
    return " ".join(filter(None, (part, job.progress_text))) or MISSING


def print_added(said: str, log: str) -> str:
    """Print what a log gained since `said`; returns the log."""
    if log != said:
        added = log.removeprefix(said) if said and log.startswith(said) else log
        say(added.rstrip("\n"))
    return log
