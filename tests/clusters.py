"""A real Dask scheduler with real workers, each a process of its own that a test may kill."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import psutil
from support import until

RESOURCES = "lemnis-cores=2"


class RealCluster:
    """A scheduler on a free port of the loopback address, and the workers that were started."""

    def __init__(self, tls: Mapping[str, str] | None = None) -> None:
        """Start the scheduler; `tls` are the files that [cluster] names, for connections by TLS alone."""
        self.tls = dict(tls or {})
        self.folder = Path(tempfile.mkdtemp(prefix="lemnis-dask-"))
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = ""
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler, on the port that it had before if there was one."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        host = "tls://127.0.0.1" if self.tls else "127.0.0.1"
        self.scheduler = self.start("scheduler", "--port", port, "--host", host, "--scheduler-file", str(file))
        self.address = until(lambda: self.address_in(file), 60.0)

    def address_in(self, file: Path) -> str:
        """Return the scheduler's address once it has written it."""
        import msgspec

        assert self.scheduler.poll() is None, (self.folder / "log").read_text()
        with suppress(OSError, msgspec.DecodeError):
            return str(msgspec.json.decode(file.read_bytes())["address"])
        return ""

    def start(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of Dask."""
        names = {"ca": "--tls-ca-file", "certificate": "--tls-cert", "key": "--tls-key"}
        tls = [word for name, path in self.tls.items() for word in (names[name], path)]
        command = [sys.executable, "-m", "dask", kind, *arguments, "--no-dashboard", *tls]
        environment = os.environ | {"DASK_DISTRIBUTED__COMM__RETRY__COUNT": "0"}
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=environment
            )

    def add_workers(self, count: int, resources: str = RESOURCES) -> list[subprocess.Popen[bytes]]:
        """Start workers and return once they are there."""
        options = ["--nthreads", "2", "--no-nanny", "--local-directory", str(self.folder)]
        more = ["--resources", resources] if resources else []
        made = [self.start("worker", self.address, *options, *more) for _ in range(count)]
        self.workers += made
        wanted = sum(worker.poll() is None for worker in self.workers)
        until(lambda: len(self.there()) >= wanted, 60.0)
        return made

    def there(self) -> dict[str, int]:
        """Return the process of each worker that is there, by address."""
        from distributed import Client, Security

        security = None
        if self.tls:
            files = {"ca_file": self.tls["ca"], "client_cert": self.tls["certificate"], "client_key": self.tls["key"]}
            security = Security(require_encryption=True, **{f"tls_{name}": path for name, path in files.items()})
        with Client(self.address, timeout=20, set_as_default=False, security=security) as client:
            found: Any = cast(Any, client).run(os.getpid)  # Any: distributed is typed in part
            return dict(found)

    def trainings(self) -> int:
        """Return how many processes the workers have started that still run."""
        alive = [worker.pid for worker in self.workers if worker.poll() is None]
        return sum(len(psutil.Process(pid).children(recursive=True)) for pid in alive)

    def kill(self, address: str) -> None:
        """Kill the worker at an address."""
        pid = self.there()[address]
        os.kill(pid, signal.SIGKILL)
        next(worker for worker in self.workers if worker.pid == pid).wait()

    def close(self) -> None:
        """End everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Kill the scheduler and all workers."""
        for process in (*self.workers, self.scheduler):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
