"""What leaves the outbox: real HTTP and mail servers get it once or more often, with the same key."""

# pyright: basic

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from alert_bench import HOUR, MINUTE, Bench

from lemnis.engine.clock import AwakeClock
from lemnis.engine.monitor.alerting import hand, outbox
from lemnis.engine.monitor.alerting.alertmanager import push
from lemnis.engine.monitor.alerting.notifier import Notifier

DAY = 86_400_000


class Receiver:
    """A web server on a free port that keeps what was posted; `status` is what it answers."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[tuple[str, dict[str, str], Any]]()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def notifier_to(bench: Bench, *urls: str, environment: dict[str, str] | None = None) -> Notifier:
    """Declare where `team` is reached and return the notifier."""
    path = bench.store.workspace.config
    path.write_text(path.read_text().replace('["json://localhost:1"]', json.dumps(urls), 1))
    notifier = Notifier(bench.store, environment or {})
    notifier.tick(now=bench.now)
    return notifier


def later(bench: Bench, ms: int = outbox.GROUP_WAIT_MS) -> int:
    bench.now += ms
    return bench.now


def test_a_page_and_its_end_reach_a_web_hook_with_the_keys_of_the_incident(bench: Bench, receiver: Receiver) -> None:
    notifier = notifier_to(bench, f"json://{receiver.host}/hook?+X-Team=${{TEAM}}", environment={"TEAM": "s3cret"})
    bench.minutes("kB")
    assert notifier.send_due(now=bench.now) == 0
    assert notifier.send_due(now=later(bench)) == 1
    bench.minutes("k")
    assert notifier.send_due(now=later(bench)) == 1
    (_, headers, fired), (_, _, ended) = receiver.got
    assert headers["X-Team"] == "s3cret"
    assert fired["title"] == "FIRING (page): errors · serving of late"
    assert "error rate 0.5 is above 0.1" in fired["message"]
    assert "Runbook: https://wiki/errors" in fired["message"]
    assert ended["title"].startswith("RESOLVED: errors")
    assert fired["incident_key"] == ended["incident_key"]
    assert fired["dedupe_key"] != ended["dedupe_key"]
    assert [(one.state, one.title[:6]) for one in bench.room.alerting.notifications()] == [
        ("sent", "RESOLV"),
        ("sent", "FIRING"),
    ]


def test_two_hundred_rules_that_fire_together_make_one_message(bench: Bench, receiver: Receiver) -> None:
    rule = '[[alerts]]\nname = "e{}"\nmetric = "error_rate"\nabove = 0.2\n'
    bench.declare("".join(rule.format(number) for number in range(199)))
    notifier = notifier_to(bench, f"json://{receiver.host}")
    bench.minutes("kB")
    assert len(bench.room.alerts()) == 200
    assert notifier.send_due(now=later(bench)) == 1
    assert "200 alerts" in receiver.got[0][2]["title"]
    assert "… and 195 more" in receiver.got[0][2]["message"]
    assert receiver.got[0][2]["message"].count("\n· ") == 4


def test_a_server_that_fails_is_tried_again_later_each_time_and_given_up(bench: Bench, receiver: Receiver) -> None:
    receiver.status = 500
    notifier = notifier_to(bench, f"json://{receiver.host}/${{TOKEN}}", environment={"TOKEN": "s3cret"})
    bench.minutes("kB")
    waits, before = [], later(bench)
    while bench.room.alerting.notifications()[0].state == "queued":
        assert notifier.send_due(now=bench.now) == 1
        found = bench.room.alerting.notifications()[0]
        waits.append(found.next_at - bench.now)
        bench.now = found.next_at
    assert waits[:4] == [5_000, 10_000, 20_000, 40_000]
    assert (len(waits), max(waits)) == (outbox.GIVE_UP_AFTER, outbox.RETRY_MOST_MS)
    assert (found.state, found.attempts) == ("failed", outbox.GIVE_UP_AFTER)
    assert "address 1 of team (json)" in found.reason
    assert "500" in found.reason
    assert "s3cret" not in found.reason
    assert len({body["dedupe_key"] for _, _, body in receiver.got}) == 1
    assert bench.now > before


def test_an_address_that_has_the_message_is_not_sent_it_again_for_another_that_fails(bench: Bench, receiver) -> None:
    notifier = notifier_to(bench, f"json://{receiver.host}", "json://${NOT_SET}/x", "nonsense://x")
    bench.minutes("kB")
    notifier.send_due(now=later(bench))
    found = bench.room.alerting.notifications()[0]
    assert "The variable NOT_SET is not set" in found.reason
    assert "address 3 of team (nonsense): The address can't be understood." in found.reason
    bench.now = found.next_at
    notifier.send_due(now=bench.now)
    assert (len(receiver.got), bench.room.alerting.notifications()[0].attempts) == (1, 2)


def test_a_notifier_that_dies_while_it_sends_leaves_a_message_that_is_sent_again(bench: Bench, receiver) -> None:
    notifier = notifier_to(bench, f"json://{receiver.host}")
    bench.minutes("kB")
    assert outbox.claim(bench.store, now=later(bench)) is not None  # and then it is killed
    assert notifier.send_due(now=bench.now) == 0
    assert notifier.send_due(now=later(bench, outbox.RETRY_MS)) == 1
    assert [one.state for one in bench.room.alerting.notifications()] == ["sent"]


def test_the_end_of_an_incident_is_never_told_before_its_beginning(bench: Bench, receiver: Receiver) -> None:
    receiver.status = 503
    notifier = notifier_to(bench, f"json://{receiver.host}")
    bench.minutes("kB")
    notifier.send_due(now=later(bench))
    bench.minutes("k")
    receiver.status = 200
    bench.now = max(one.next_at for one in bench.room.alerting.notifications())
    notifier.send_due(now=bench.now)
    assert [body["kind"] for _, _, body in receiver.got] == ["fired", "fired", "resolved"]


def test_mail_arrives_as_text(bench: Bench) -> None:
    got: list[bytes] = []

    class Box:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            got.append(envelope.content)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Box(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        notifier = notifier_to(bench, f"mailto://127.0.0.1:{port}?from=lemnis@example.org&to=team@example.org")
        bench.minutes("kB")
        assert notifier.send_due(now=later(bench)) == 1
    finally:
        server.stop()
    assert [one.state for one in bench.room.alerting.notifications()] == ["sent"]
    assert b"To: team@example.org" in got[0]
    assert b"Subject: " in got[0]


def test_a_watch_that_is_not_heard_of_is_a_page_until_it_looks_again(bench: Bench, receiver: Receiver) -> None:
    seconds = [0.0]
    path = bench.store.workspace.config
    path.write_text(path.read_text().replace("json://localhost:1", f"json://{receiver.host}", 1))
    notifier = Notifier(bench.store, {}, AwakeClock(lambda: seconds[0]))
    with bench.store.write() as db:
        row = {"name": "monitor", "module": "m", "arguments": "[]", "updated_at": bench.now, "started_at": bench.now}
        db.table("services").insert(row)
    for day in (0, 1, -1):  # the clock on the wall is set to and fro
        notifier.tick(now=bench.now + day * 24 * HOUR)
    for _ in range(11):
        seconds[0] += 5
        notifier.tick(now=bench.now)
    seconds[0] += 8 * 3600  # the machine sleeps, and the watch with it: it has the rest of its minute
    notifier.tick(now=bench.now + MINUTE)
    assert bench.room.alerts() == []
    seconds[0] += 1
    notifier.tick(now=bench.now + MINUTE + 1)
    alert = bench.alert("watch down")
    assert (alert.severity, alert.state, alert.endpoint) == ("page", "firing", "")
    with bench.store.write("metrics") as db:
        beat = json.dumps({"at": bench.now + 2 * MINUTE, "problem": ""})
        db.table("latest").insert({"name": "monitor", "at": 1, "sample": beat})
    notifier.tick(now=bench.now + 2 * MINUTE + 1)
    assert bench.alert("watch down").state == "resolved"
    assert bench.told() == [("team", "fired"), ("team", "resolved")]


def test_an_alertmanager_gets_what_fires_as_its_interface_describes_it(bench: Bench, receiver: Receiver) -> None:
    bench.minutes("kB")
    url = f"http://ada:${{PASSWORD}}@{receiver.host}/am/"
    assert push(bench.store, url, {"PASSWORD": "s3cret"}, now=bench.now) == 1
    path, headers, body = receiver.got[0]
    assert path == "/am/api/v2/alerts"
    assert headers["Authorization"] == "Basic YWRhOnMzY3JldA=="
    assert set(body[0]) == {"labels", "annotations", "startsAt", "endsAt"}  # postableAlert of its openapi.yaml
    assert body[0]["labels"] | {"alertname": "errors", "endpoint": "late", "severity": "page"} == body[0]["labels"]
    assert all(isinstance(value, str) for part in ("labels", "annotations") for value in body[0][part].values())
    assert body[0]["startsAt"] < body[0]["endsAt"]
    silence = hand.silence(bench.store, "errors", until=bench.now + DAY, who="ada", why="w", now=bench.now)
    assert push(bench.store, url, {}, now=bench.now) == 0
    hand.end_silence(bench.store, silence.id, who="ada", now=bench.now)
    hand.resolve(bench.store, bench.alert().id, who="ada", why="w", now=bench.now)
    assert push(bench.store, url, {}, now=bench.now) == 1
    assert receiver.got[-1][2][0]["labels"] == body[0]["labels"]
    assert push(bench.store, url, {}, now=bench.now + DAY) == 0


def test_an_alertmanager_that_refuses_or_is_away_is_a_problem_that_shows_no_secret(bench: Bench, receiver) -> None:
    receiver.status = 400
    path = bench.store.workspace.config
    path.write_text(
        path.read_text().replace("[monitor]", f'[monitor]\nalertmanager = "http://a:${{P}}@{receiver.host}"')
    )
    bench.minutes("kB")
    notifier = Notifier(bench.store, {"P": "s3cret"})
    notifier.tick(now=bench.now)
    assert notifier.problem.startswith("Alertmanager refused the alerts: 400")
    notifier.tick(now=bench.now)
    assert notifier.problem.startswith("Alertmanager refused")
    assert len(receiver.got) == 1
