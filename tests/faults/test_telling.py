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

# One minute that breaks the rule or keeps it; killed at the first, second … statement that writes, or never.
LOOK = """
import os, signal, sys
from pathlib import Path
from lemnis.engine.config import load_config
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.store import Store
from lemnis.engine.workspace import find_workspace

store = Store(find_workspace(Path(sys.argv[1])))
at, errors, kill = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with store.write("metrics") as db:
    columns = "endpoint, at, version, requests, errors, down"
    db.execute(f"insert or ignore into endpoint_minutes ({columns}) values ('late', ?, 3, 100, ?, 0)", [at, errors])
left = [kill]
def count(statement):
    if statement.lstrip().lower().startswith(("insert", "update", "commit")):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
store.connection().set_trace_callback(count)
advance(store, load_config(store.workspace.config), "late", [], now=at + 60_000)
"""


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


def look(engine: Engine, at: int, errors: int, kill: int) -> int:
    arguments = [str(engine.workspace.root), str(at), str(errors), str(kill)]
    return subprocess.run([sys.executable, "-c", LOOK, *arguments], check=False).returncode


def notifier(engine: Engine) -> "subprocess.Popen[bytes]":
    module = "lemnis.engine.monitor.alerting.notifier"
    return subprocess.Popen([sys.executable, "-m", module, "--workspace", str(engine.workspace.root)])


def due_now(engine: Engine) -> None:
    """Let what waits for company or for its next attempt be due."""
    with engine.store.write() as db:
        db.execute("update notifications set next_at = 0 where state = 'queued'")


@pytest.mark.slow
def test_whenever_the_watch_is_killed_what_fires_is_written_with_its_message_or_not_at_all(engine: Engine) -> None:
    at, killed = 2_000_000_040_000, 0
    for kill in range(1, KILLS + 1):
        for errors in (50, 0):
            killed += look(engine, at, errors, kill) == -signal.SIGKILL
            assert look(engine, at, errors, 0) == 0
            at += 60_000
        alerts = [alert for alert in engine.monitor.alerts(open_only=False) if alert.rule == "errors"]
        assert len(alerts) == kill
        told = engine.monitor.alerting.notifications(max(alert.id for alert in alerts))
        assert [one.kind for one in told] == ["resolved", "fired"]
    assert killed >= min(KILLS, 10)


def test_a_notifier_that_is_killed_while_it_sends_tells_it_again_with_the_same_key(engine: Engine, receiver) -> None:
    assert look(engine, 2_000_000_040_000, 50, 0) == 0
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
