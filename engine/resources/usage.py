"""Accounting: what jobs took over their time, and what the workspace takes on disk."""

import os
from pathlib import Path

from lemnis.engine.resources.records import DiskUse, JobUse
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

FILES_LIMIT = 200_000  # more files than that are not counted: it would take seconds


def job_uses(store: Store, since: int, now: int) -> list[JobUse]:
    """Return what every job that ran after `since` (epoch ms) held until it ended or until `now`, largest first."""
    rows = store.rows(
        """select id, run_id, kind, title, state, submitted_by, cores, gpu, memory_bytes, peak_bytes,
                  max(0, coalesce(ended_at, ?) - max(started_at, ?)) / 1000.0 as held_s
           from jobs where started_at is not null and coalesce(ended_at, ?) >= ?
           order by cores * held_s desc, id desc limit 1000""",
        [now, since, now, since],
    )
    return [
        JobUse(
            job_id=row["id"],
            run_id=row["run_id"],
            kind=row["kind"],
            title=row["title"],
            state=row["state"],
            user=row["submitted_by"],
            held_s=row["held_s"],
            core_hours=row["cores"] * row["held_s"] / 3600,
            gpu_hours=row["gpu"] * row["held_s"] / 3600,
            peak_bytes=row["peak_bytes"],
            memory_bytes=row["memory_bytes"],
        )
        for row in rows
    ]


def disk_uses(workspace: Workspace) -> list[DiskUse]:
    """Return the size of each part of a workspace, in the order of its folders; what it has not is left out."""
    parts = [
        DiskUse(name=name, bytes=size, files=files)
        for name, folder in (
            ("data", workspace.data),
            ("runs", workspace.runs),
            ("jobs", workspace.jobs),
            ("services", workspace.services),
        )
        for size, files in [folder_size(folder)]
    ]
    for database in (workspace.state, workspace.metrics, workspace.predictions):
        files = [database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))]
        sizes = [file.stat().st_size for file in files if file.exists()]
        parts.append(DiskUse(name=database.name, bytes=sum(sizes), files=len(sizes)))
    return parts


def folder_size(folder: Path) -> tuple[int, int]:
    """Return bytes on disk and number of files below a folder; a file that vanishes meanwhile counts as none."""
    size = files = 0
    todo = [str(folder)]
    while todo and files < FILES_LIMIT:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    files += 1
            except OSError:
                continue
    return size, files
