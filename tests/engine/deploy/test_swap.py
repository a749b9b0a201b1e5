"""An endpoint follows its alias without dropping a request, logs what it answered, and keeps what turned out true."""

import http.client
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lemnis.engine.deploy.spool import spools
from lemnis.engine.errors import Unavailable
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.files import sha256_of


class Load:
    """Threads that ask one row again and again on kept connections, and note each answer's status and version."""

    def __init__(self, port: int, body: bytes, clients: int = 3) -> None:
        self.port, self.body = port, body
        self.seen: Counter[tuple[int, str]] = Counter()
        self.scores: dict[str, set[float]] = {}
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            while not self._stop.is_set():
                connection.request("POST", "/invocations", self.body)
                response = connection.getresponse()
                document = json.loads(response.read())
                version = document.get("model_version", "")
                self.seen[response.status, version] += 1
                self.scores.setdefault(version, set()).add(document["predictions"][0]["probability"])
        except Exception as error:
            self.failures.append(repr(error))
        finally:
            connection.close()


def test_promoting_and_rolling_back_under_load_drops_mixes_and_forgets_nothing(
    two_versions: Any, start_server: Callable[..., Any], wait: Callable[..., None], first_model: Any, second_model: Any
) -> None:
    server = start_server(two_versions)
    server.wait_ready(1)
    row = first_model.request_rows(1)
    with Load(server.port, json.dumps({"dataframe_records": row}).encode()) as load:
        wait(lambda: load.seen[200, "1"] > 50, server)
        two_versions.room.promote("late", 2, "champion", "ada", "better")
        wait(lambda: load.seen[200, "2"] > 50, server)
        two_versions.room.rollback("late", "champion", "ada", "worse after all")
        before = load.seen[200, "1"]
        wait(lambda: load.seen[200, "1"] > before + 50, server)
    assert load.failures == []
    assert {status for status, _ in load.seen} == {200}
    for version, model in (("1", first_model), ("2", second_model)):
        answer = model.booster().predict(encode_rows(row, model.signature))[0]
        assert list(load.scores[version]) == [pytest.approx(answer, abs=1e-12)]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) in (0, -signal.SIGTERM)
    wait(lambda: not spools(two_versions.store.workspace))  # until all is recorded
    found = two_versions.room.endpoint("late")
    assert (found.requests, found.errors, found.dropped) == (load.seen.total(), 0, 0)
    assert two_versions.store.value("select ready from endpoints") == 0


@pytest.mark.slow
def test_a_version_that_is_damaged_leaves_the_old_one_serving_and_says_why(
    two_versions: Any, start_server: Callable[..., Any], wait: Callable[..., None]
) -> None:
    server = start_server(two_versions)
    server.wait_ready(1)
    path = two_versions.room.version("late", 2).path
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[: len(whole) // 2])
    two_versions.room.promote("late", 2, "champion", "ada", "better")
    wait(lambda: "version 2 is not served" in server.why(), server)
    assert "version 1 goes on serving" in server.why()
    assert server.version() == 1
    path.write_bytes(whole)
    two_versions.room.rollback("late", "champion", "ada", "damaged")
    wait(lambda: server.why() == "", server)
    two_versions.room.promote("late", 2, "champion", "ada", "restored")
    server.wait_ready(2)


def test_a_version_whose_golden_answers_differ_never_becomes_ready(
    two_versions: Any, start_server: Callable[..., Any], wait: Callable[..., None], second_model: Any
) -> None:
    path = two_versions.room.version("late", 1).path
    path.chmod(0o600)
    path.write_bytes((second_model.folder / "model.txt").read_bytes())
    with two_versions.store.write() as db:  # as if the hash itself had been forged
        db.execute("update model_versions set sha256 = ? where version = 1", [sha256_of(path)])
    server = start_server(two_versions)
    wait(lambda: "golden row" in server.why(), server)
    assert server.ask("GET", "/v2/health/live")[0] == 200
    assert server.ask("GET", "/v2/health/ready")[0] == 503
    assert server.ask("POST", "/v2/models/late/infer", {"inputs": []})[0] == 503
    assert server.ask("POST", "/invocations", {"instances": []})[0] == 503


def test_an_address_that_others_can_reach_needs_a_private_token(
    two_versions: Any, start_server: Callable[..., Any], wait: Callable[..., None]
) -> None:
    with pytest.raises(Unavailable, match="no token"):
        start_server(two_versions, host="0.0.0.0")
    token = two_versions.room.create_token("late")
    path = two_versions.store.workspace.hidden / "tokens" / "endpoint-late"
    assert path.stat().st_mode & 0o777 == 0o600
    os.chmod(path, 0o644)
    with pytest.raises(Unavailable, match="Others can read"):
        start_server(two_versions, host="0.0.0.0")
    os.chmod(path, 0o600)
    server = start_server(two_versions, host="0.0.0.0")
    headers = {"Authorization": f"Bearer {token}"}
    wait(lambda: answers(server, headers), server)
    assert server.ask("GET", "/v2/health/live")[0] == 401
    assert server.ask("GET", "/v2/health/live", headers={"Authorization": "Bearer " + token[:-1]})[0] == 401
    assert server.ask("GET", f"/v2/health/live?token={token}")[0] == 401
    assert server.ask("GET", "/v2/health/live", headers=headers | {"Host": "evil.example"})[0] == 403


def answers(server: Any, headers: dict[str, str]) -> bool:
    """Say whether the server answers yet."""
    try:
        return bool(server.ask("GET", "/v2/health/live", headers=headers)[0] == 200)
    except OSError:
        return False
