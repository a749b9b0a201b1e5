"""Deploys and rollbacks under load fail no request, and a thousand slow clients keep nobody waiting."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from late_flights import Bench, Server, bench_at, end, spawn, train, until

from lemnis.engine.deploy.rollout import events, splits, workers
from lemnis.engine.deploy.spool import spools

REQUESTS = int(os.environ.get("LEMNIS_REQUESTS", "100000"))
MOVES = int(os.environ.get("LEMNIS_MOVES", "20"))
SLOW = int(os.environ.get("LEMNIS_SLOW", "1000"))
WORKERS, CLIENTS = 2, 6
KEPT = 50  # requests on one connection, then another one: the kernel may give it to another worker


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A workspace with three versions, the first of them champion."""
    models = [train(tmp_path / str(seed), seed=seed, rounds=12 + seed) for seed in (1, 2, 3)]
    made = bench_at(tmp_path, models[0])
    for model in models:
        made.room.register(made.add_run(model), "late", "ada", "to serve")
    made.room.promote("late", 1, "champion", "ada", "first")
    return made


@pytest.fixture
def started(bench: Bench) -> Iterator[list[Server]]:
    """An endpoint of WORKERS processes, ready."""
    servers = [spawn(bench, worker=number, count=WORKERS) for number in range(1, WORKERS + 1)]
    try:
        until(lambda: serving(bench) == [1] * WORKERS, servers[0], 120.0)
        yield servers
    finally:
        for server in servers:
            end(server)


def serving(bench: Bench) -> list[int | None]:
    return [worker.version if worker.ready else None for worker in workers.listed(bench.store, "late")]


class Client(threading.Thread):
    """Asks one row again and again, and keeps how long each answer took and what failed."""

    def __init__(self, port: int, body: bytes, *, pause_s: float = 0.0) -> None:
        super().__init__()
        self.port, self.pause_s = port, pause_s
        head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.request = head.encode() + body
        self.waits: list[float] = []
        self.failed: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for _ in range(KEPT):
                        began = time.perf_counter()
                        connection.sendall(self.request)
                        status = answered(connection)
                        self.waits.append(time.perf_counter() - began)
                        if status != 200:
                            self.failed.append(f"status {status}")
                        if self.stop.wait(self.pause_s) if self.pause_s else self.stop.is_set():
                            return
            except OSError as error:
                self.failed.append(repr(error))


def answered(connection: socket.socket) -> int:
    """Read one whole answer and return its status; raises OSError when the connection ends before."""
    said = b""
    while b"\r\n\r\n" not in said:
        part = connection.recv(65_536)
        if not part:
            raise OSError("the connection was closed before the answer")
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        part = connection.recv(65_536)
        if not part:
            raise OSError("the connection was closed inside the answer")
        body += part
    return int(head.split(b" ", 2)[1])


def quantile_ms(waits: list[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(share * len(waits)))] * 1000


def row(bench: Bench, place: int = 0) -> bytes:
    rows = bench.trained[0].request_rows(place + 1)[place:]
    return json.dumps({"dataframe_records": rows}).encode()


def test_rolling_deploys_and_rollbacks_under_load_fail_no_request(bench: Bench, started: list[Server]) -> None:
    clients = [Client(started[0].port, row(bench)) for _ in range(CLIENTS)]
    began = time.monotonic()
    for client in clients:
        client.start()
    moves = 0

    def asked() -> int:
        assert [fault for client in clients for fault in client.failed] == []
        return sum(len(client.waits) for client in clients)

    try:
        while moves < MOVES:
            version = 2 + moves // 2 % 2  # the other one each time, so that each deploy loads a model
            bench.room.promote("late", version, "champion", "ada", f"deploy {moves}")
            until(lambda wanted=version: serving(bench) == [wanted] * WORKERS, started[0], 120.0)
            bench.room.rollback("late", "champion", "ada", f"rollback {moves}")
            until(lambda: serving(bench) == [1] * WORKERS, started[0], 120.0)
            moves += 2
            due = min(REQUESTS, moves * REQUESTS // MOVES)  # the moves are spread over the requests
            until(lambda due=due: asked() >= due, started[0], 600.0)
    finally:
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join()
    took = time.monotonic() - began
    waits = [wait for client in clients for wait in client.waits]
    steps = events.events(bench.store, "late", limit=10_000)
    swaps = [step for step in steps if step.kind == "swap"]
    back = sorted(step.took_ms or 0.0 for step in swaps if step.version == 1)
    print(
        f"\n{len(waits):,} requests during {moves} deploys and rollbacks of {WORKERS} workers in {took:.0f} s, "
        f"{len(waits) / took:,.0f}/s: p50 {quantile_ms(waits, 0.5):.2f} ms, p99 {quantile_ms(waits, 0.99):.2f} ms, "
        f"failed {sum(len(client.failed) for client in clients)}; way back p50 {back[len(back) // 2]:.0f} ms, "
        f"worst {back[-1]:.0f} ms"
    )
    assert [fault for client in clients for fault in client.failed] == []
    assert len(waits) >= REQUESTS
    assert moves >= MOVES
    assert len(swaps) == moves * WORKERS
    assert not [step.why for step in steps if step.kind == "refuse"]
    assert not [step.why for step in steps if step.kind == "drill" and "stays loaded" not in step.why]
    for server in started:
        server.process.terminate()
    for server in started:
        server.process.wait(60)
    until(lambda: not spools(bench.store.workspace))  # until all is recorded
    found = bench.room.endpoint("late")
    assert (found.requests, found.errors, found.dropped) == (len(waits), 0, 0)


def p99_of(server: Server, body: bytes, seconds: float) -> list[float]:
    """Return what answers took while two healthy clients ask some hundred times a second."""
    clients = [Client(server.port, body, pause_s=0.005) for _ in range(2)]
    for client in clients:
        client.start()
    time.sleep(seconds)  # a measurement of so long
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join()
    assert [fault for client in clients for fault in client.failed] == []
    return [wait for client in clients for wait in client.waits]


def test_a_thousand_slow_clients_keep_nobody_waiting(bench: Bench, started: list[Server]) -> None:
    server, body = started[0], row(bench)
    p99_of(server, body, 2.0)  # warm
    alone: list[float] = []
    crowded: list[float] = []
    memory = [resident(one) for one in started]
    for _ in range(3):  # in turn, so that what else the machine does falls on both
        alone += p99_of(server, body, 5.0)
        with slow_clients(server.port) as crowd:
            assert crowd.connected == SLOW
            crowded += p99_of(server, body, 5.0)
        assert crowd.cut >= SLOW / 2  # their time is bounded
    before, after = quantile_ms(alone, 0.99), quantile_ms(crowded, 0.99)
    grown = [(resident(one) - was) / 2**20 for one, was in zip(started, memory, strict=True)]
    print(
        f"\n{SLOW:,} slow clients: healthy p99 {after:.2f} ms of {len(crowded):,} requests, {before:.2f} ms of "
        f"{len(alone):,} without them ({after / before:.2f}x); memory +{max(grown):.1f} MiB a worker"
    )
    assert after < 2 * before
    assert max(grown) < 50


class slow_clients:
    """SLOW clients that send a byte a second, in a process of their own."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, str(Path(__file__).parent.parent / "slowly.py"), str(port), str(SLOW)]
        self.process: subprocess.Popen[str] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.connected = self.cut = 0

    def __enter__(self) -> "slow_clients":
        assert self.process.stdout is not None
        self.connected = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_: Any) -> None:
        said = self.process.communicate(timeout=60)[0]
        self.cut = int(said.split()[-1])


def resident(server: Server) -> int:
    """Return the bytes that a process has in memory."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_a_health_check_answers_meanwhile(bench: Bench, started: list[Server]) -> None:
    with slow_clients(started[0].port) as crowd:
        assert crowd.connected == SLOW
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", started[0].port, timeout=5)
            connection.request("GET", "/v2/health/ready")
            assert connection.getresponse().status == 200
            connection.close()


def test_a_challenger_whose_answers_drift_gets_no_request_any_more(tmp_path: Path, bench: Bench) -> None:
    wrong = train(tmp_path / "wrong", seed=9, wrong=True)
    bench.room.register(bench.add_run(wrong), "late", "ada", "to compare")
    bench.room.promote("late", 4, "challenger", "ada", "to compare")
    servers = [spawn(bench, worker=number, count=WORKERS) for number in range(1, WORKERS + 1)]
    until(lambda: serving(bench) == [1] * WORKERS, servers[0], 120.0)
    wish = splits.Wish(challenger="challenger", percent=20, who="ada", why="try it")
    splits.start(bench.store, bench.room.jobs, "late", wish)
    here = ["--workspace", str(bench.store.workspace.root), "--endpoint", "late"]
    judge = subprocess.Popen([sys.executable, "-m", splits.JUDGE, *here])
    clients = [Client(servers[0].port, row(bench, place), pause_s=0.002) for place in range(8)]
    try:
        until(lambda: [one.challenger for one in workers.listed(bench.store, "late")] == [4] * WORKERS, servers[0])
        for client in clients:
            client.start()
        until(lambda: splits.running(bench.store, "late") is None, servers[0], 120.0)
        until(lambda: [one.challenger for one in workers.listed(bench.store, "late")] == [None] * WORKERS, servers[0])
        assert judge.wait(30) == 0
    finally:
        for client in clients:
            client.stop.set()
        for server in servers:
            end(server)
        judge.kill()
    split = splits.latest(bench.store, "late")
    assert split is not None
    assert (split.state, split.why.partition(":")[0]) == ("aborted", "drift")
    found = {entry.measure: entry for entry in split.standings}
    print(f"\naborted after {found['drift'].challenger.n} answers of the challenger: {split.why}")
    assert not found["errors"].worse
    assert [fault for client in clients for fault in client.failed] == []
