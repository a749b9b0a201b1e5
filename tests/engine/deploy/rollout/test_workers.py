"""Several processes answer on one port, change one after another, and keep the way back drilled."""

import http.client
import json
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lemnis.engine.deploy.rollout import events, ports, workers
from lemnis.engine.deploy.spool import spools
from lemnis.engine.errors import Unavailable


class Asking:
    """Threads that open a connection for every request, so that the kernel spreads them over the workers."""

    def __init__(self, port: int, body: object) -> None:
        self.port, self.body = port, json.dumps(body).encode()
        self.seen: Counter[str] = Counter()
        self.failed: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(3)]

    def __enter__(self) -> "Asking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("POST", "/invocations", self.body)
                response = connection.getresponse()
                document = json.loads(response.read())
                assert response.status == 200, document
                self.seen[document["model_version"]] += 1
                connection.close()
            except Exception as error:
                self.failed.append(repr(error))
                return


def told_by(started: list[Any]) -> set[int]:
    """Return how many requests /metrics tells, asked until both workers must have answered."""
    texts = [started[0].ask("GET", "/metrics")[1] for _ in range(8)]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("lemnis_requests_total{")]
    return {int(float(line.rpartition(" ")[2])) for line in lines}


def test_two_workers_change_in_turn_and_back_at_once_and_lose_no_request(
    two_versions: Any, start_server: Callable[..., Any], wait: Callable[..., None], first_model: Any
) -> None:
    store, room = two_versions.store, two_versions.room
    started = [start_server(two_versions, worker=number, count=2) for number in (1, 2)]

    def both(version: int) -> bool:
        found = workers.listed(store, "late")
        return [(worker.ready, worker.version) for worker in found] == [(True, version)] * 2

    wait(lambda: both(1), started[0])
    assert room.endpoint("late").state == "ready"
    with Asking(started[0].port, {"dataframe_records": first_model.request_rows(1)}) as asking:
        wait(lambda: asking.seen["1"] > 50, started[0])
        room.promote("late", 2, "champion", "ada", "better")
        wait(lambda: both(2) and asking.seen["2"] > 50, started[0])
        wait(lambda: [worker.standby for worker in workers.listed(store, "late")] == [1, 1], started[0])
        room.rollback("late", "champion", "ada", "worse after all")
        before = asking.seen["1"]
        wait(lambda: both(1) and asking.seen["1"] > before + 50, started[0])
    assert asking.failed == []
    wait(lambda: told_by(started) == {asking.seen.total()}, started[0])
    found = workers.listed(store, "late")
    assert [worker.drill for worker in found] == ["", ""]
    for server in started:
        server.process.send_signal(signal.SIGTERM)
    for server in started:
        assert server.process.wait(30) in (0, -signal.SIGTERM)
    wait(lambda: not spools(store.workspace))  # until all is recorded
    endpoint = room.endpoint("late")
    assert (endpoint.requests, endpoint.errors, endpoint.dropped) == (asking.seen.total(), 0, 0)
    steps = events.events(store, "late")
    swaps = [step for step in steps if step.kind == "swap"]
    assert Counter((step.worker, step.version) for step in swaps) == Counter([(1, 2), (2, 2), (1, 1), (2, 1)])
    assert {step.who for step in swaps} == {"ada"}
    assert [step for step in steps if step.kind == "drill" and "stays loaded" not in step.why] == []
    back = [step.took_ms or 0.0 for step in swaps if step.version == 1]
    assert max(back) < 2_000, back  # nothing is loaded for it


def test_a_port_belongs_to_one_endpoint_though_its_processes_share_it() -> None:
    bound, held = ports.shared("127.0.0.1", 0, "late of one")
    port = bound.getsockname()[1]
    bound.close()
    held.close()
    first, first_held = ports.shared("127.0.0.1", port, "late of one")
    second, second_held = ports.shared("127.0.0.1", port, "late of one")
    with pytest.raises(Unavailable, match="late of one"):
        ports.shared("127.0.0.1", port, "late of another")
    for thing in (first, first_held, second, second_held):
        thing.close()
    third, third_held = ports.shared("127.0.0.1", port, "late of another")
    third.close()
    third_held.close()
