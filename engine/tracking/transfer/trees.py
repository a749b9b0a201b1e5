"""Files below a folder, links left out."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

from lemnis.engine.tracking.transfer.records import File


def files_below(folder: Path) -> Iterator[File]:
    """Return the files of a folder and its folders, by path; nothing where there is none, and nothing behind a link."""
    for top, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(top, name)
            if path.is_file() and not path.is_symlink():
                yield File(str(path.relative_to(folder)), path.stat().st_size, partial(opened, path))


def opened(path: Path) -> IO[bytes]:
    """Open a file that is no link."""
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
