"""NodeWatch: follows the workers of a cluster in a child process, so that whoever asks never waits for the network."""

import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import load_config
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.nodes.records import Nodes
from lemnis.engine.workspace import Workspace

STALE_MS = 10_000
END_S = 3.0
NO_CLUSTER = 'no cluster is declared: add [cluster] with address = "tcp://HOST:8786" to lemnis.toml'


class NodeWatch:
    """The newest that is known of the workers. `latest` returns at once; `close` ends the child."""

    def __init__(self, workspace: Workspace) -> None:
        """Start the child; without a cluster in lemnis.toml there is none."""
        self._newest = Nodes(at=now_ms(), reason="connecting to the scheduler …")
        self._said: deque[str] = deque(maxlen=5)
        self._changed = threading.Condition()
        self._child: subprocess.Popen[str] | None = None
        try:
            address = load_config(workspace.config).cluster.address
        except LemnisError as error:
            self._newest = Nodes(at=now_ms(), reason=error.problem)
            return
        if not address:
            self._newest = Nodes(at=now_ms(), reason=NO_CLUSTER)
            return
        command = [sys.executable, "-m", "lemnis.engine.resources.nodes.follow", "--workspace", str(workspace.root)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=self._follow, name="nodes", daemon=True).start()

    def latest(self) -> Nodes:
        """Return what was heard last; what is older than STALE_MS is told as a reason, never as it is now."""
        with self._changed:
            newest = self._newest
        silent = now_ms() - newest.at
        if self._child is not None and silent > STALE_MS:
            ended = self._child.poll() is not None
            why = "its reader has ended" if ended else f"nothing was heard for {silent // 1000} s"
            return Nodes(at=newest.at, address=newest.address, reason=f"{why}; {newest.reason or 'it was well before'}")
        return newest

    def first(self, seconds: float) -> Nodes:
        """Return what is heard first, waiting at most so many seconds."""
        deadline = monotonic_s() + seconds
        with self._changed:
            began = self._newest
            while self._child is not None and self._newest is began and monotonic_s() < deadline:
                self._changed.wait(deadline - monotonic_s())
        return self.latest()

    def close(self) -> None:
        """End the child; it ends by itself too when this process does."""
        if self._child is None:
            return
        if self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _follow(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        for line in self._child.stdout:
            try:
                heard = msgspec.json.decode(line, type=Nodes)
            except msgspec.DecodeError:
                continue  # a library that prints
            with self._changed:
                self._newest = heard
                self._changed.notify_all()
        self._child.stdout.close()
