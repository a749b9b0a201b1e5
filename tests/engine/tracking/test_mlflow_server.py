"""What a hostile or clumsy client sends is refused with a reason, and is never a 500."""

import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_server import Served

from lemnis.engine.errors import BadInput
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.artifacts import located, parts_of, run_folder

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


def ask(
    served: Served, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Return the status and the document of an answer."""
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body)
    usual = {"Content-Type": "application/json"} if isinstance(data, str) else {}
    connection.request(method, path, data, {**usual, **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text.startswith(b"{") else text


@pytest.fixture(scope="module")
def run(served: Served) -> str:
    status, document = ask(served, "POST", f"{API}runs/create", {"experiment_id": "0", "start_time": "1700000000000"})
    assert status == 200
    info = document["run"]["info"]
    assert info["run_id"] == info["run_uuid"]
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/{info['run_id']}/artifacts"
    return info["run_id"]


def test_the_server_says_that_it_is_well_and_what_it_speaks(served: Served) -> None:
    assert ask(served, "GET", "/health") == (200, b"OK")
    assert ask(served, "GET", "/version")[1].startswith(b"3.")
    assert ask(served, "GET", "/api/3.0/mlflow/server-info")[1]["multipart_uploads_enabled"] is False


@pytest.mark.parametrize(
    ("call", "body", "status", "code"),
    [
        ("runs/get-nothing", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("runs/create", {"experiment_id": "abc"}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/create", {"experiment_id": "77"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("runs/create", {"experiment_id": "0", "start_time": -1}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/create", b"[1, 2", 400, "INVALID_PARAMETER_VALUE"),
        ("runs/create", b'{"experiment_id": NaN}', 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"run_id": "RUN", "key": "a", "value": "many"}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"run_id": "RUN", "key": "../a", "value": 1}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"run_id": "RUN", "key": "a\u0000", "value": 1}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"run_id": "RUN", "key": "a", "value": 1, "step": 2**64}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"run_id": "0" * 31 + "9", "key": "a", "value": 1}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("runs/log-parameter", {"run_id": "RUN", "key": "p", "value": "x" * 6001}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-batch", {"run_id": "RUN", "metrics": [{"key": "k"}]}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/log-batch", {"run_id": "RUN", "tags": [{"key": "k"}] * 1001}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/search", {"experiment_ids": ["0"], "page_token": "x"}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/search", {"experiment_ids": ["0"], "order_by": ["nothing DESC"]}, 400, "INVALID_PARAMETER_VALUE"),
        ("runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, 400, "INVALID_PARAMETER_VALUE"),
        ("experiments/create", {"name": ""}, 400, "INVALID_PARAMETER_VALUE"),
        ("experiments/create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("experiments/create", {"name": "x", "artifact_location": "/etc"}, 400, "INVALID_PARAMETER_VALUE"),
        ("experiments/delete", {"experiment_id": "0"}, 400, "INVALID_PARAMETER_VALUE"),
        ("logged-models", {"experiment_id": "0", "name": "a/b"}, 400, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_is_wrong_is_said_in_mlflows_words(
    served: Served, run: str, call: str, body: Any, status: int, code: str
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).replace("RUN", run).encode()
    answered, document = ask(served, "POST", API + call, sent, {"Content-Type": "application/json"})
    assert (answered, document["error_code"]) == (status, code), document
    assert document["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_other_sites_and_other_bodies_are_refused(served: Served, headers: dict[str, str], status: int) -> None:
    assert ask(served, "POST", f"{API}experiments/create", {"name": "evil"}, headers)[0] == status
    assert ask(served, "GET", f"{API}experiments/get-by-name?experiment_name=evil")[0] == 404


def test_artifacts_stay_below_their_run(served: Served, run: str) -> None:
    base = f"{FILES}/0/{run}/artifacts"
    assert ask(served, "PUT", f"{base}/a%20b/%23x%3Fy.txt", b"data", {"Content-Type": "text/plain"})[0] == 200
    assert ask(served, "GET", f"{base}/a%20b/%23x%3Fy.txt") == (200, b"data")
    for path in ("../x", "%2e%2e/x", "a/../../../x", "..%2f..%2fx", "a//b", "a%00b", "a/./b", "x%5c..%5cy", "a%0ab"):
        assert ask(served, "PUT", f"{base}/{path}", b"evil")[0] == 400, path
        assert ask(served, "GET", f"{base}/{path}")[0] == 400, path
    for path in (
        "1/" + run + "/artifacts/x",
        "0/" + "e" * 32 + "/artifacts/x",
        "0/" + run + "/x",
        "0/models/m-1/artifacts/x",
    ):
        assert ask(served, "PUT", f"{FILES}/{path}", b"evil")[0] == 404, path
    assert ask(served, "PUT", f"{base}/a%20b", b"evil")[0] == 400  # a folder
    assert ask(served, "PUT", f"{base}/a%20b/%23x%3Fy.txt/z", b"evil")[0] == 400  # below a file
    assert ask(served, "GET", f"{base}/nothing")[0] == 404
    assert ask(served, "DELETE", f"{base}/a%20b")[0] == 405
    folder = run_folder(served.engine.store, served.engine.experiments.search("").runs[0])
    assert folder.is_dir()
    os.symlink("/etc", folder / "link")
    assert ask(served, "GET", f"{base}/link/passwd")[0] == 400
    os.unlink(folder / "link")
    assert ask(served, "GET", f"{FILES}?path=0/{run}/artifacts")[1] == {"files": [{"path": "a b", "is_dir": True}]}


def test_an_upload_that_breaks_off_leaves_nothing(served: Served, run: str) -> None:
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.putrequest("PUT", f"{FILES}/0/{run}/artifacts/half.bin")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"x" * 1000)
    connection.close()
    assert ask(served, "GET", f"{FILES}/0/{run}/artifacts/half.bin")[0] == 404


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_no_path_leads_out(path: str) -> None:
    try:
        parts = parts_of(path)
    except BadInput:
        return
    assert all(part not in ("", ".", "..") and "/" not in part and "\0" not in part for part in parts)


@given(st.floats() | st.integers(-(2**53), 2**53))
def test_every_number_comes_back_as_it_was(value: float) -> None:
    sent = protocol.json_number(protocol.number(value))
    back = protocol.number(json.loads(json.dumps(sent)))
    assert back == (None if value != value else value)


def test_a_training_of_ours_is_read_and_not_changed(served: Served) -> None:
    with served.engine.store.write() as db:
        db.execute("insert into runs (id, name, created_at) values (4000, 'ours', 1700000000000)")
        db.execute("insert into run_metrics (run_id, key, value, step) values (4000, 'auc', 0.8, 9)")
    uid = f"{4000:032x}"
    folder = served.engine.workspace.run_dir(4000)
    folder.mkdir()
    (folder / "model.txt").write_text("tree")
    document = ask(served, "GET", f"{API}runs/get?run_id={uid}")[1]["run"]
    assert document["data"]["metrics"][0]["value"] == 0.8
    assert ask(served, "GET", f"{FILES}/0/{uid}/artifacts/model.txt") == (200, b"tree")
    assert ask(served, "PUT", f"{FILES}/0/{uid}/artifacts/model.txt", b"evil")[0] == 400
    assert ask(served, "POST", f"{API}runs/log-metric", {"run_id": uid, "key": "auc", "value": 1})[0] == 400
    assert ask(served, "POST", f"{API}runs/set-tag", {"run_id": uid, "key": "seen", "value": "1"})[0] == 200
    assert served.engine.experiments.run(4000).tags == {"seen": "1"}
    assert located(served.engine.store, f"0/{uid}/artifacts/model.txt") == folder / "model.txt"


def test_models_of_ours_are_shown_in_the_registry_and_changed_only_here(served: Served) -> None:
    store = served.engine.store
    with store.write() as db:
        db.execute("insert into runs (id, name, created_at) values (4100, 'champion', 1700000000000)")
        db.execute("insert into models (name, note, created_at) values ('late', 'ours', 1)")
        db.execute(
            """insert into model_versions (model, version, run_id, sha256, path, bytes, signature, golden, who, why,
               created_at) values ('late', 1, 4100, 'x', 'x', 1, '{}', '{}', 'ana', 'better', 2)"""
        )
        db.execute(
            """insert into alias_events (model, alias, kind, version, who, why, at)
               values ('late', 'champion', 'promote', 1, 'ana', 'better', 3)"""
        )
    found = ask(served, "GET", f"{API}registered-models/search")[1]["registered_models"]
    assert [(model["name"], model["aliases"]) for model in found] == [("late", [{"alias": "champion", "version": "1"}])]
    by_alias = ask(served, "GET", f"{API}registered-models/alias?name=late&alias=champion")[1]["model_version"]
    assert (by_alias["run_id"], by_alias["user_id"]) == (f"{4100:032x}", "ana")
    versions = ask(served, "GET", f"{API}model-versions/search?filter=name%3D%27late%27")[1]["model_versions"]
    assert [version["version"] for version in versions] == ["1"]
    moved = {"name": "late", "alias": "champion", "version": "1"}
    for method, call, body in (
        ("POST", "registered-models/alias", moved),
        ("POST", "registered-models/create", {"name": "late"}),
        ("POST", "model-versions/create", {"name": "late", "source": "models:/m-1"}),
        ("DELETE", "registered-models/delete", {"name": "late"}),
        ("DELETE", "model-versions/delete", {"name": "late", "version": "1"}),
    ):
        assert ask(served, method, API + call, body)[0] == 400, call
