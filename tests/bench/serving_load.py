"""Load for model servers: kept connections that ask again as soon as they are answered; and starting what is loaded."""

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import uvloop

CORES = sorted(os.sched_getaffinity(0))
READY_S = 120.0


class Kind(NamedTuple):
    """A server: how it is started, where it answers, and what it is asked."""

    command: Sequence[str]
    port: int
    path: str
    body: bytes
    folder: Path | None = None
    environment: Mapping[str, str] = {}

    @property
    def request(self) -> bytes:
        """One request as bytes."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        return head.encode() + f"Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


class Load(NamedTuple):
    """What a while of asking took: requests a second, waits in ms, and the server's processor time a request in µs."""

    rate: float
    p50: float
    p99: float
    cpu: float


class Started(NamedTuple):
    """A server that answers, and the seconds until it did."""

    process: "subprocess.Popen[bytes]"
    seconds: float

    def family(self) -> list[psutil.Process]:
        """Return the process and all that it started."""
        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]

    def cpu_s(self) -> float:
        """Return the processor time that it and its children have used."""
        return sum(sum(one.cpu_times()[:2]) for one in self.family())

    def mib(self) -> float:
        """Return the memory of it and all its children, each shared page divided among those that share it."""
        return sum(one.memory_full_info().pss for one in self.family()) / 2**20

    def end(self) -> None:
        """Stop it with everything it started."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Client(asyncio.Protocol):
    """One kept connection; each wait is seconds."""

    def __init__(self, request: bytes, waits: list[float]) -> None:
        self.request, self.waits = request, waits
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got, self._needed = b"", 0
        self._began = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self._began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        if not self._needed:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._got[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                raise RuntimeError(self._got.decode())
            self._needed = end + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(self._got) < self._needed:
            return
        self.waits.append(time.perf_counter() - self._began)
        self._got, self._needed = b"", 0
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


async def asked(kind: Kind, seconds: float, connections: int) -> tuple[list[float], float]:
    """Ask on several connections for a while; return every wait, and how long it was."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    clients = [
        (await loop.create_connection(lambda: Client(kind.request, waits), "127.0.0.1", kind.port))[1]
        for _ in range(connections)
    ]
    waits.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    found, took = list(waits), time.perf_counter() - began
    for client in clients:
        client.transport.abort()
        await client.lost
    return found, took


def load(kind: Kind, server: Started, seconds: float, connections: int) -> Load:
    """Ask a server from this process for a while."""
    used = server.cpu_s()
    waits, took = uvloop.run(asked(kind, seconds, connections))
    used, ordered = server.cpu_s() - used, sorted(waits)
    middle, late = statistics.median(ordered), ordered[int(0.99 * len(ordered))]
    return Load(len(waits) / took, middle * 1000, late * 1000, used / len(waits) * 1e6)


def start(kind: Kind, log: Path) -> Started:
    """Start a server on the first core and return it once it has answered."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **kind.environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            kind.command, stdout=output, stderr=output, cwd=kind.folder, env=environment, start_new_session=True
        )
    os.sched_setaffinity(process.pid, CORES[:1])
    began = time.monotonic()
    while time.monotonic() - began < READY_S:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", kind.port), 5) as connection:
                connection.sendall(kind.request)
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return Started(process, time.monotonic() - began)
        except OSError:
            pass
        time.sleep(0.01)
    raise RuntimeError(f"{kind.command} did not become ready: {log.read_text()[-2000:]}")
