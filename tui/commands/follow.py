"""Waiting for a job in a command: its progress on one line of stderr, its reason if it fails."""

import sys

from lemnis.engine.jobs import Job
from lemnis.engine.text import safe
from lemnis.tui.commands.session import Session
from lemnis.tui.format import share

CLEAR_LINE = "\r\x1b[K"


def follow(session: Session, job_id: int) -> Job:
    """Wait for a job and return it; on a terminal its progress is drawn, nothing is written elsewhere.

    Raises:
        JobFailed: It ended other than finished.
    """
    drawn = sys.stderr.isatty() and not session.json

    def draw(job: Job) -> None:
        done = f" {share(job.progress, 0)}" if job.progress is not None else ""
        doing = job.progress_text if job.state == "running" else job.why
        sys.stderr.write(f"{CLEAR_LINE}{safe(job.title, limit=40)}: {job.state}{done} {safe(doing, limit=60)}")
        sys.stderr.flush()

    try:
        return session.engine.jobs.wait(job_id, draw if drawn else None)
    finally:
        if drawn:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()
