"""Waiting inside a job for another job, whose progress is passed on."""

import time
from typing import TYPE_CHECKING

from lemnis.engine.errors import Cancelled
from lemnis.engine.jobs import JobFailed, JobsRoom

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

POLL_S = 0.2


def followed(context: "JobContext", job_id: int, part: tuple[float, float], doing: str) -> None:
    """Return when a job has finished; one that was cut short is queued again, and stopped when this one is.

    Args:
        context: The job that waits.
        job_id: What it waits for.
        part: Where of this job's progress, 0 to 1, the other's begins and ends.
        doing: What the other does, for people.

    Raises:
        JobFailed: It failed.
        Cancelled: This job was asked to stop.
    """
    jobs = JobsRoom(context.store)
    if jobs.job(job_id).state in ("cancelled", "lost"):
        jobs.retry(job_id)
    while True:
        job = jobs.job(job_id)
        if job.state == "finished":
            return
        if job.ended:
            raise JobFailed(
                f"{job.title} is {job.state}: {job.why}", f"Read `lemnis jobs logs {job_id}`.", f"job {job_id}"
            )
        says = job.progress_text if job.state == "running" else job.why
        try:
            context.progress(part[0] + (part[1] - part[0]) * (job.progress or 0.0), f"{doing}: {says}".rstrip(": "))
        except Cancelled:
            jobs.cancel(job_id)
            raise
        time.sleep(POLL_S)
