"""What fires is told, once or more often with the same key, whichever process is killed at whatever moment."""

# pyright: basic

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from alert_bench import CONFIG
from support import engine_at, until

from lemnis.engine import Engine

KILLS = int(os.environ.get("LEMNIS_KILLS", "20"))
MINUTE = 2_000_000_040_000  # when the first one begins

# Reads lines: what to do (look at a minute, or send what is due), at which statement that writes to be killed, the
# minute and its errors. Each is done by a child, forked before anything was opened; its status is the answer.
FORKS = """
import os, signal, sys
from pathlib import Path
import apprise
from lemnis.engine.config import load_config
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.notifier import Notifier
from lemnis.engine.store import Store
from lemnis.engine.workspace import find_workspace

workspace = find_workspace(Path(sys.argv[1]))

def look(store, at, errors):
    with store.write("metrics") as db:
        columns = "endpoint, at, version, requests, errors, down"
        db.execute(f"insert or ignore into endpoint_minutes ({columns}) values ('late', ?, 3, 100, ?, 0)", [at, errors])
    advance(store, load_config(store.workspace.config), "late", [], now=at + 60_000)

def send(store):
    notifier = Notifier(store, {})
    notifier.declared.reread()
    notifier.send_due()

def do(what, kill, at, errors):
    store, left = Store(workspace), [int(kill)]
    def count(statement):
        if statement.lstrip().lower().startswith(("insert", "update", "commit")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    store.connection().set_trace_callback(count)
    look(store, int(at), int(errors)) if what == "look" else send(store)

for line in sys.stdin:
    child = os.fork()
    if not child:
        do(*line.split())
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
LOOKING, SENDING = 14, 4  # statements that write when an alert fires, and when a message is sent


class Forks:
    """What the watch and the notifier do, killed at the first, second … statement that writes, or never."""

    def __init__(self, engine: Engine) -> None:
        command = [sys.executable, "-c", FORKS, str(engine.workspace.root)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def killed(self, what: str, kill: int = 0, at: int = 0, errors: int = 0) -> bool:
        """Do it, and say whether it was killed; whatever else it ends with fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {kill} {at} {errors}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Receiver(ThreadingHTTPServer):
    """Keeps what was posted; while `slow` is set it takes a message and never answers."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.slow = threading.Event()
        self.arrived = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                receiver.arrived.set()
                if not receiver.slow.is_set():
                    self.send_response(200)
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def engine(tmp_path: Path, receiver: Receiver) -> Iterator[Engine]:
    url = f"json://127.0.0.1:{receiver.server_port}"
    opened = engine_at(
        tmp_path / "w", CONFIG.replace("json://localhost:1", url).replace("[monitor]", "[monitor]\nflap_changes = 100")
    )
    yield opened
    opened.store.close()


@pytest.fixture
def forks(engine: Engine) -> Iterator[Forks]:
    made = Forks(engine)
    yield made
    made.close()


def notifier(engine: Engine) -> "subprocess.Popen[bytes]":
    module = "lemnis.engine.monitor.alerting.notifier"
    return subprocess.Popen([sys.executable, "-m", module, "--workspace", str(engine.workspace.root)])


def due_now(engine: Engine) -> None:
    """Let what waits for company or for its next attempt be due."""
    with engine.store.write() as db:
        db.execute("update notifications set next_at = 0 where state = 'queued'")


@pytest.mark.slow
def test_no_alert_is_lost_whenever_the_watch_or_the_notifier_is_killed(engine: Engine, forks: Forks, receiver) -> None:
    at, kills, fired = MINUTE, 0, 0
    while kills < KILLS:
        fired += 1
        for errors in (50, 0):  # it fires, and is resolved
            kills += forks.killed("look", 1 + fired % LOOKING, at, errors)
            assert not forks.killed("look", 0, at, errors)
            at += 60_000
            for kill in (1 + fired % SENDING, 0):
                due_now(engine)
                kills += forks.killed("send", kill)
    alerts = [alert for alert in engine.monitor.alerts(open_only=False) if alert.rule == "errors"]
    assert [alert.state for alert in alerts] == ["resolved"] * fired
    for alert in alerts:
        told = engine.monitor.alerting.notifications(alert.id)
        assert [(one.kind, one.state) for one in told] == [("resolved", "sent"), ("fired", "sent")]
    for kind in ("fired", "resolved"):
        keys = [body["dedupe_key"] for body in receiver.got if body["kind"] == kind]
        assert len(set(keys)) == fired <= len(keys)  # each came; what came twice, with the same key


def test_a_notifier_that_is_killed_while_it_sends_tells_it_again_with_the_same_key(
    engine: Engine, forks: Forks, receiver
) -> None:
    assert not forks.killed("look", 0, MINUTE, 50)
    due_now(engine)
    receiver.slow.set()
    process = notifier(engine)
    try:
        assert receiver.arrived.wait(30)
        process.kill()
        process.wait()
        receiver.slow.clear()
        found = engine.monitor.alerting.notifications()[0]
        assert (found.state, found.attempts) == ("queued", 1)
        due_now(engine)
        process = notifier(engine)
        until(lambda: engine.monitor.alerting.notifications()[0].state == "sent")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
    assert len(receiver.got) == 2
    assert len({body["dedupe_key"] for body in receiver.got}) == 1
