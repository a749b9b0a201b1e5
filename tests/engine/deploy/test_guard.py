"""Who may ask what: tokens with scopes, and how they are kept."""

from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.deploy.application import scope_of
from lemnis.engine.deploy.endpoints import tokens_of
from lemnis.engine.deploy.guard import Guard
from lemnis.engine.deploy.records import SCOPES, TokenScope
from lemnis.engine.errors import BadInput

HOST = (b"host", b"localhost:8100")
TOKENS: dict[TokenScope, str] = {scope: f"{scope}-{'x' * 32}" for scope in SCOPES}


def asked(guard: Guard, token: bytes | None, needs: Any) -> int:
    headers = [HOST] if token is None else [HOST, (b"authorization", token)]
    refusal = guard.refusal(headers, needs=needs)
    return refusal.status if refusal else 200


@pytest.mark.parametrize("has", SCOPES)
@pytest.mark.parametrize("needs", SCOPES)
def test_a_token_is_good_for_its_scope_and_those_before_it(has: Any, needs: Any) -> None:
    good = SCOPES.index(has) >= SCOPES.index(needs)
    assert asked(Guard("127.0.0.1", TOKENS), f"Bearer {TOKENS[has]}".encode(), needs) == (200 if good else 403)


@pytest.mark.parametrize(
    "sent", [None, b"", b"Bearer ", b"Bearer wrong", b"Basic abc", b"Bearer \xff\xfe", b"x" * 1_000_000]
)
def test_any_other_token_is_refused_and_none_is_asked_for_without_one(sent: bytes | None) -> None:
    assert asked(Guard("127.0.0.1", {"read": TOKENS["read"]}), sent, "read") == 401
    assert asked(Guard("127.0.0.1", {}), sent, "admin") == 200


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [
        ("GET", "/v2/health/ready", "read"),
        ("HEAD", "/metrics", "read"),
        ("POST", "/v2/repository/index", "read"),
        ("POST", "/v2/models/late/infer", "serve"),
        ("POST", "/v2/models/late/versions/1/infer", "serve"),
        ("POST", "/invocations", "serve"),
        ("POST", "/feedback", "serve"),
        ("POST", "/v2/repository/models/late/load", "admin"),
        ("POST", "/v2/logging", "admin"),
        ("DELETE", "/v2", "admin"),
    ],
)
def test_reading_asking_and_changing_need_more_and_more(method: str, path: str, needs: str) -> None:
    assert scope_of(method, path) == needs


def test_each_scope_has_a_token_of_its_own_in_a_private_file(two_versions: Any) -> None:
    made = {scope: two_versions.room.create_token("late", scope) for scope in SCOPES}
    workspace = two_versions.store.workspace
    assert tokens_of(workspace, "late") == made
    assert len(set(made.values())) == 3
    files: list[Path] = sorted((workspace.hidden / "tokens").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    with pytest.raises(BadInput, match="a token already"):
        two_versions.room.create_token("late", "read")


def test_a_server_asks_for_the_token_of_the_right_scope(two_versions: Any, start_server: Any, wait: Any) -> None:
    reading = {"Authorization": f"Bearer {two_versions.room.create_token('late', 'read')}"}
    serving = {"Authorization": f"Bearer {two_versions.room.create_token('late', 'serve')}"}
    server = start_server(two_versions)
    wait(lambda: two_versions.store.value("select ready from endpoints"), server)
    body = {"dataframe_records": [{"carrier": "AA", "distance": 100, "wind": None, "holiday": False}]}
    assert server.ask("GET", "/v2/health/ready", headers=reading)[0] == 200
    assert server.ask("GET", "/v2/health/ready")[0] == 401
    status, document = server.ask("POST", "/invocations", body, headers=reading)
    assert (status, document["error"]) == (403, "This token may read; here one that may serve is needed.")
    assert server.ask("POST", "/invocations", body, headers=serving)[0] == 200
    assert server.ask("POST", "/v2/logging", b"{}", headers=serving)[0] == 403
    log = (two_versions.store.workspace.hidden / "server.log").read_text()
    assert not any(token in log for token in (reading["Authorization"][7:], serving["Authorization"][7:]))
