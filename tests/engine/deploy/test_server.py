"""The server's process, asked over real HTTP."""

# pyright: basic

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lemnis.engine.features.requests import encode_rows

NAMES = ["carrier", "distance", "wind", "holiday"]
KINDS = {"carrier": "BYTES", "distance": "FP64", "wind": "FP64", "holiday": "BOOL"}


def expected(model: Any, rows: list[dict[str, Any]]) -> list[float]:
    return list(model.booster().predict(encode_rows(rows, model.signature)))


def tensors(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": [len(rows)], "datatype": KINDS[name], "data": [row[name] for row in rows]}
        for name in NAMES
    ]


def outputs(document: dict[str, Any]) -> dict[str, list[Any]]:
    return {output["name"]: output["data"] for output in document["outputs"]}


@pytest.mark.parametrize("count", [1, 40, 3000])
def test_one_tensor_a_feature_gets_the_models_own_answers(server: Any, first_model: Any, count: int) -> None:
    rows = (first_model.request_rows(1500) * 2)[:count]
    status, document = server.ask("POST", "/v2/models/late/infer", {"id": "7", "inputs": tensors(rows)})
    assert status == 200, document
    assert (document["model_name"], document["model_version"], document["id"]) == ("late", "1", "7")
    found = outputs(document)
    assert found["probability"] == pytest.approx(expected(first_model, rows), abs=1e-12)
    assert found["label"] == ["true" if score >= 0.4 else "false" for score in found["probability"]]


@pytest.mark.parametrize("count", [1, 40])
def test_reasons_are_told_on_request_and_are_the_models_own_contributions(
    server: Any, first_model: Any, count: int
) -> None:
    rows = first_model.request_rows(count)
    body: dict[str, Any] = {"inputs": tensors(rows), "parameters": {"reason_codes": 2}}
    status, document = server.ask("POST", "/v2/models/late/infer", body)
    assert status == 200, document
    found = {output["name"]: output for output in document["outputs"]}
    assert found["reason_feature"]["shape"] == found["reason_contribution"]["shape"] == [count, 2]
    assert found["probability"]["data"] == pytest.approx(expected(first_model, rows), abs=1e-12)
    parts = first_model.booster().predict(encode_rows(rows, first_model.signature), pred_contrib=True)[:, :-1]
    order = np.argsort(-abs(parts), axis=1, kind="stable")[:, :2]
    assert found["reason_feature"]["data"] == [NAMES[place] for row in order for place in row]
    amounts = np.take_along_axis(parts, order, axis=1).ravel()
    assert found["reason_contribution"]["data"] == pytest.approx(amounts)
    status, document = server.ask("POST", "/invocations", {"dataframe_records": rows, "params": {"reason_codes": 99}})
    assert status == 200, document
    assert [reason["feature"] for reason in document["predictions"][0]["reasons"]][:2] == found["reason_feature"][
        "data"
    ][:2]
    assert len(document["predictions"][0]["reasons"]) == len(NAMES)


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (True, 1), ("2", 1), (2, 65)])
def test_reasons_that_can_not_be_given_are_refused(server: Any, first_model: Any, count: Any, rows: int) -> None:
    body = {"inputs": tensors(first_model.request_rows(rows)), "parameters": {"reason_codes": count}}
    status, document = server.ask("POST", "/v2/models/late/infer", body)
    assert (status, "reason_codes" in document["error"]) == (400, True)
    _, described = server.ask("GET", "/docs")
    assert "reason_codes" in json.dumps(described)


def test_one_matrix_of_encoded_rows_gets_the_same_answers(server: Any, first_model: Any) -> None:
    rows = first_model.request_rows(25)
    matrix = encode_rows(rows, first_model.signature)
    data = [None if np.isnan(value) else value for value in matrix.ravel().tolist()]
    body = {"inputs": [{"name": "matrix", "shape": [25, 4], "datatype": "FP64", "data": data}]}
    status, document = server.ask("POST", "/v2/models/late/versions/1/infer", body)
    assert status == 200, document
    assert outputs(document)["probability"] == pytest.approx(expected(first_model, rows), abs=1e-12)


def test_binary_tensors_in_and_out_get_the_same_answers(server: Any, first_model: Any) -> None:
    rows = first_model.request_rows(10)
    texts = [(row["carrier"] or "").encode() for row in rows]
    parts = {
        "carrier": b"".join(struct.pack("<I", len(text)) + text for text in texts),
        "distance": np.array([row["distance"] for row in rows], "<i8").tobytes(),
        "wind": np.array([np.nan if row["wind"] is None else row["wind"] for row in rows], "<f8").tobytes(),
        "holiday": np.array([row["holiday"] for row in rows], "?").tobytes(),
    }
    kinds = KINDS | {"distance": "INT64"}
    inputs = [
        {"name": n, "shape": [10, 1], "datatype": kinds[n], "parameters": {"binary_data_size": len(part)}}
        for n, part in parts.items()
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    body = head + b"".join(parts.values())
    connection.sendall(
        b"POST /v2/models/late/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + f"Inference-Header-Content-Length: {len(head)}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    headers, _, payload = answer.partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 200"), answer
    length = int(headers.lower().split(b"inference-header-content-length: ")[1].split(b"\r\n")[0])
    document = json.loads(payload[:length])
    sizes = {output["name"]: output["parameters"]["binary_data_size"] for output in document["outputs"]}
    scores = np.frombuffer(payload[length : length + sizes["probability"]], "<f8")
    assert scores == pytest.approx(expected(first_model, rows), abs=1e-12)
    assert len(payload) == length + sum(sizes.values())


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_every_form_of_invocations_gets_the_same_answers(server: Any, first_model: Any, form: str) -> None:
    rows = first_model.request_rows(5)
    listed = [[row[name] for name in NAMES] for row in rows]
    body: dict[str, Any] = {
        "dataframe_split": {"columns": NAMES, "data": listed},
        "dataframe_records": rows,
        "instances": listed,
        "inputs": {name: [row[name] for row in rows] for name in NAMES},
    }
    status, document = server.ask("POST", "/invocations", {form: body[form]})
    assert status == 200, document
    scores = [prediction["probability"] for prediction in document["predictions"]]
    assert scores == pytest.approx(expected(first_model, rows), abs=1e-12)


def test_csv_is_read_with_the_signatures_types(server: Any, first_model: Any) -> None:
    text = "distance,carrier,wind,holiday,note\n500,B6,,true,x\n700,,3.5,0,y\n"
    rows = [
        {"carrier": "B6", "distance": 500, "wind": None, "holiday": True},
        {"carrier": None, "distance": 700, "wind": 3.5, "holiday": False},
    ]
    status, document = server.ask("POST", "/invocations", text.encode(), headers={"Content-Type": "text/csv"})
    assert status == 200, document
    assert [p["probability"] for p in document["predictions"]] == pytest.approx(expected(first_model, rows))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2", 200),
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/late", 200),
        ("/v2/models/late/ready", 200),
        ("/v2/models/late/versions/1/ready", 200),
        ("/v2/models/late/stats", 200),
        ("/ping", 200),
        ("/health", 200),
        ("/version", 200),
        ("/docs", 200),
        ("/v2/models/late/versions/2", 404),
        ("/v2/models/..%2flate", 404),
        ("/v2/models/late%00", 404),
        ("/v2/models/" + "x" * 4000, 404),
        ("/v2/models/late/infer", 405),
    ],
)
def test_paths_answer_as_the_protocol_says(server: Any, path: str, status: int) -> None:
    assert server.ask("GET", path)[0] == status


def test_metadata_names_every_feature_with_its_datatype(server: Any) -> None:
    document = server.ask("GET", "/v2/models/late")[1]
    assert {entry["name"]: entry["datatype"] for entry in document["inputs"]} == KINDS
    assert document["versions"] == ["1"]
    assert "binary_tensor_data" in server.ask("GET", "/v2")[1]["extensions"]


def test_metrics_count_requests_by_status(server: Any, first_model: Any) -> None:
    with server.bench.store.write("metrics") as db:
        said = 'lemnis_alert_state{rule="auc"} 1.0\n'
        db.table("latest").insert({"name": "prometheus:late", "at": 1, "sample": said})
    server.ask("POST", "/invocations", {"dataframe_records": first_model.request_rows(2)})
    server.ask("POST", "/invocations", b"{")
    text = server.ask("GET", "/metrics")[1]
    assert 'lemnis_requests_total{endpoint="late",model="late",status="200"}' in text
    assert 'lemnis_requests_total{endpoint="late",model="late",status="400"}' in text
    assert "lemnis_request_duration_seconds_bucket" in text
    assert 'lemnis_alert_state{rule="auc"} 1.0' in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "PUT"])
def test_other_hosts_and_other_sites_are_refused_on_every_method(
    server: Any, method: str, headers: dict[str, str]
) -> None:
    for path in ("/v2/models/late/infer", "/v2/health/live", "/nowhere"):
        assert server.ask(method, path, headers=headers)[0] == 403


def test_forms_plain_text_and_compression_are_refused(server: Any) -> None:
    for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
        assert server.ask("POST", "/invocations", b"{}", headers=headers)[0] == 415


def test_a_body_beyond_the_bound_is_refused(server: Any) -> None:
    status, document = server.ask("POST", "/invocations", b'{"instances": [' + b"1," * (9 << 20) + b"1]}")
    assert (status, "longer than" in document["error"]) == (413, True)


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5000,
        b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * 200_000,
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_malformed_http_is_answered_with_a_4xx_or_closed(server: Any, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            connection.sendall(start)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert server.ask("GET", "/v2/health/live")[0] == 200


def test_every_row_is_logged_as_it_was_sent_with_its_key_and_time(
    server: Any, wait: Callable[..., None], first_model: Any
) -> None:
    rows = first_model.request_rows(3)
    params = {"keys": ["a", "b", "c"], "event_times": ["2013-07-01", 1_372_636_800_000, 5]}
    status, document = server.ask("POST", "/invocations", {"dataframe_records": rows, "params": params})
    assert status == 200
    refused = {"dataframe_records": [rows[0] | {"wind": "strong"}]}
    assert server.ask("POST", "/invocations", refused)[0] == 400
    store = server.bench.store
    unhappy = "select error from requests where status = 400 and error like '%strong%'"
    wait(lambda: store.value(unhappy, name="predictions"), server)
    logged = store.rows("select * from predictions where row_key != '' order by id", name="predictions")
    assert [json.loads(row["features"]) for row in logged] == [list(row.values()) for row in rows]
    assert [row["row_key"] for row in logged] == ["a", "b", "c"]
    assert [row["event_at"] for row in logged] == [1_372_636_800_000, 1_372_636_800_000, 5]
    assert [row["score"] for row in logged] == [p["probability"] for p in document["predictions"]]
    assert "wind can't be 'strong'" in store.value(unhappy, name="predictions")
    endpoint = server.bench.room.endpoint("late")
    assert endpoint.errors > 0
    assert endpoint.rows > 3
    assert endpoint.p50_ms is not None
    assert endpoint.p50_ms <= (endpoint.p99_ms or 0)
    assert sum(endpoint.per_second) > 0


def test_feedback_is_kept_before_it_is_acknowledged(server: Any) -> None:
    body = {"actuals": [{"key": "a", "actual": True}, {"key": 7, "actual": 0}, {"key": "a", "actual": "false"}]}
    assert server.ask("POST", "/feedback", body) == (200, {"accepted": 3})
    kept = server.bench.store.rows("select row_key, actual from actuals order by row_key", name="predictions")
    assert [tuple(row) for row in kept] == [("7", 0.0), ("a", 0.0)]
    status, document = server.ask("POST", "/feedback", {"actuals": [{"key": "a", "actual": "perhaps"}]})
    assert (status, "'perhaps' is no value of late" in document["error"]) == (400, True)
