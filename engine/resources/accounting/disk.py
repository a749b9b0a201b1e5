"""What a workspace takes on disk, part by part."""

import os
from pathlib import Path

from lemnis.engine.resources.accounting.records import DiskUse
from lemnis.engine.workspace import Workspace

FILES_LIMIT = 200_000  # more files than that are not counted: it would take seconds


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
