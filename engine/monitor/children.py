"""Modules that run beside the watch: LightGBM can end its process, and the watch must not wait for it."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace


class Children:
    """The processes that one process has started and not yet asked about."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def ended(self, *arguments: str) -> str | None:
        """Start a module once; return None while it runs, then its last words if it failed, else an empty text.

        Args:
            arguments: The module's name and what it is told; they say which one it is when asked again.
        """
        started = self._running.get(arguments)
        if started is None:
            words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has ended
            command = [sys.executable, "-m", *arguments]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=words)
            self._running[arguments] = process, words
            return None
        process, words = started
        status = process.poll()
        if status is None:
            return None
        del self._running[arguments]
        with words:
            words.seek(0)
            lines = words.read().decode(errors="replace").strip().splitlines()
        return safe((lines or [f"it ended with status {status}"])[-1], limit=300) if status else ""

    def reap(self) -> None:
        """Take the exit statuses of those that have ended, so that none stays a zombie until it is asked about."""
        for process, _ in self._running.values():
            process.poll()

    def close(self) -> None:
        """End those that still run; what they did not keep is made again."""
        for process, words in self._running.values():
            process.terminate()
            process.wait()
            words.close()
        self._running.clear()


CHILDREN = Children()


def run_as_child(work: Callable[[Store, list[str]], object]) -> int:
    """Do one piece of work in this process and return its exit code; what went wrong is its last line on stderr.

    Args:
        work: Is given the workspace's store and the arguments after the workspace's folder.
    """
    root, *told = sys.argv[1:]
    store = Store(Workspace(Path(root)))
    try:
        work(store, told)
    except LemnisError as error:
        print(f"{error.problem} {error.remedy}", file=sys.stderr)
        return error.exit_code
    finally:
        store.close()
    return 0
