"""Requests become rows or refusals that name the column and the value, whatever is sent."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lemnis.engine.deploy import protocol
from lemnis.engine.deploy.invocations import parse_invocation
from lemnis.engine.deploy.openapi import infer_example
from lemnis.engine.deploy.protocol import Asked, infer_answer, labels_of, parse_feedback, parse_infer
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Feature, Signature

SIGNATURE = Signature(
    features=[
        Feature(name="carrier", kind="categorical", categories=["AA", "B6", "ü€"], nullable=True),
        Feature(name="wind", kind="numeric", low=0.0, high=40.0, nullable=True),
        Feature(name="holiday", kind="numeric", logical=True),
    ],
    task="binary",
    target="late",
    classes=["false", "true"],
    threshold=0.5,
)
NAMES = SIGNATURE.names

cells = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
good_rows = st.fixed_dictionaries(
    {
        "carrier": st.one_of(st.none(), st.sampled_from(["AA", "B6", "ü€", "new"])),
        "wind": st.one_of(st.none(), st.floats(-1e6, 1e6)),
        "holiday": st.one_of(st.none(), st.booleans()),
    }
)
json_values = st.recursive(
    cells, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4))
)


def tensors(rows: list[dict[str, Any]]) -> dict[str, Any]:
    kinds = {"carrier": "BYTES", "wind": "FP64", "holiday": "BOOL"}
    return {
        "inputs": [
            {"name": n, "shape": [len(rows)], "datatype": kinds[n], "data": [row[n] for row in rows]} for n in NAMES
        ]
    }


def infer(document: Any, **options: Any) -> Asked:
    return parse_infer(json.dumps(document).encode(), SIGNATURE, **options)


@given(st.lists(good_rows, min_size=1, max_size=20))
def test_every_dialect_reads_the_same_rows_as_the_same_matrix(rows: list[dict[str, Any]]) -> None:
    wanted = encode_rows(rows, SIGNATURE)
    listed = [[row[name] for name in NAMES] for row in rows]
    codes = [None if np.isnan(value) else value for value in wanted.ravel().tolist()]
    read = [
        infer(tensors(rows)),
        infer(matrix([len(rows), len(NAMES)], codes)),
    ]
    for body in (
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": NAMES, "data": listed}},
        {"instances": listed},
        {"inputs": {name: [row[name] for row in rows] for name in NAMES}},
    ):
        read.append(parse_invocation(json.dumps(body).encode(), "application/json", SIGNATURE))
    for asked in read:
        assert np.array_equal(asked.matrix, wanted, equal_nan=True)
    for asked in (read[0], *read[2:]):
        assert [list(row) for row in asked.sent] == listed


GOOD = {"carrier": "AA", "wind": 3.0, "holiday": True}


def changed(**changes: Any) -> dict[str, Any]:
    """Return a good request with its `wind` tensor changed."""
    document = tensors([GOOD])
    document["inputs"][1] |= changes
    return document


def matrix(shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"inputs": [{"name": "matrix", "shape": shape, "datatype": "FP64", "data": data}]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (changed(data=["strong"]), "wind can't be 'strong'"),
        (changed(data=[True]), "wind can't be True"),
        (changed(data=[[1.0], [2.0]]), "2 values, its shape says 1"),
        (changed(data=[]), "0 values, its shape says 1"),
        (changed(data=[1.0], shape=[2]), "wind has 2 rows, others have 1"),
        (changed(shape=[0], data=[]), "shape"),
        (changed(shape=[-1]), "shape"),
        (changed(shape=[1, 1, 1]), "shape"),
        (changed(shape=[]), "shape"),
        (changed(shape=[10**18]), "rows"),
        (changed(shape=[[1]]), "can't be read"),
        (changed(shape=["1"]), "can't be read"),
        (changed(datatype="FP63"), "datatype"),
        (changed(datatype="BYTES"), "wind came with the datatype 'BYTES'"),
        (changed(name="gust"), "no input gust"),
        (changed(name="carrier"), "carrier was sent twice"),
        (changed(data=[10**400]), "wind can't be"),
        (changed(parameters={"binary_data_size": 8}), "data and binary_data_size"),
        ({"inputs": tensors([GOOD])["inputs"][:2]}, "holiday is absent"),
        ({"inputs": []}, "carrier is absent"),
        ({}, "inputs"),
        ([], "can't be read"),
        (changed() | {"parameters": {"keys": ["a", "b"]}}, "keys has 2 entries for 1 rows"),
        (changed() | {"parameters": {"event_times": ["yesterday"]}}, "'yesterday' is no time"),
        (matrix([1, 3], [9, 1, 0]), "carrier can't be 9"),
        (matrix([1, 3], [0, 1, 0.5]), "holiday can't be 0.5"),
        (matrix([1, 2], [9, 1]), "shape"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(document: Any, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        infer(document)
    assert says in f"{refused.value.problem} {refused.value.place}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"inputs":' * 50_000,
        b'{"inputs": [{"name": "wind", "shape": [1], "datatype": "FP64", "data": [NaN]}]}',
        b'{"inputs": [{"name": "wind", "shape": [1], "datatype": "FP64", "data": [Infinity]}]}',
        b'{"inputs": [{"name": "wind", "shape": [1], "datatype": "FP64", "data": [1e999]}]}',
        b'{"inputs": [' + b"9" * 5000 + b"]}",
        b"\xff\xfe",
        b'{"id": "\xed\xa0\x80", "inputs": []}',
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse_infer(body, SIGNATURE)
    with pytest.raises(BadInput):
        parse_invocation(body, "application/json", SIGNATURE)
    with pytest.raises(BadInput):
        parse_feedback(body)


def test_too_many_rows_are_refused_before_they_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_ROWS", 3)
    for read in (
        lambda: infer(tensors([GOOD] * 4)),
        lambda: parse_invocation(json.dumps({"dataframe_records": [GOOD] * 4}).encode(), "", SIGNATURE),
    ):
        with pytest.raises(protocol.TooLarge):
            read()
    assert len(infer(tensors([GOOD] * 3)).matrix) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("carrier,wind,holiday\nAA,x,true\n", "wind can't be 'x'"),
        ("carrier,wind,holiday\nAA,inf,true\n", "wind can't be 'inf'"),
        ("carrier,wind,holiday\nAA,1,maybe\n", "holiday can't be 'maybe'"),
        ("carrier,wind\nAA,1\n", "holiday is absent"),
        ("carrier,wind,holiday\nAA,1\n", "2 fields for 3 columns"),
        ("carrier,carrier\nAA,AA\n", "twice"),
        ("carrier,wind,holiday\n", "no rows"),
        ("", "no rows"),
        ('carrier,wind,holiday\n"AA,1,true\n', "can't be read"),
    ],
)
def test_what_is_wrong_with_a_csv_is_named(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_invocation(text.encode(), "text/csv; charset=utf-8", SIGNATURE)
    assert says in refused.value.problem


def test_keys_and_event_times_go_with_the_rows() -> None:
    parameters = {"keys": ["a", 7], "event_times": ["2013-07-01T00:00:00Z", 1_372_636_800_001]}
    asked = infer(tensors([GOOD] * 2) | {"parameters": parameters})
    assert (asked.keys, asked.event_times) == (["a", "7"], [1_372_636_800_000, 1_372_636_800_001])
    body = json.dumps({"dataframe_records": [GOOD] * 2, "params": parameters}).encode()
    assert parse_invocation(body, "", SIGNATURE).event_times == asked.event_times


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), json_values.map(lambda value: json.dumps(value).encode())))
def test_no_body_raises_anything_but_a_refusal(body: bytes) -> None:
    for read in (
        lambda: parse_infer(body, SIGNATURE),
        lambda: parse_infer(body, SIGNATURE, len(body) // 2),
        lambda: parse_invocation(body, "application/json", SIGNATURE),
        lambda: parse_invocation(body, "text/csv", SIGNATURE),
        lambda: parse_feedback(body),
    ):
        with suppress(BadInput):
            read()


fields = st.fixed_dictionaries(
    {
        "name": st.one_of(st.sampled_from([*NAMES, "matrix"]), st.text(max_size=3)),
        "shape": st.lists(st.one_of(st.integers(-1, 4), st.just(10**18)), max_size=3),
        "datatype": st.sampled_from(["FP64", "FP32", "FP16", "BYTES", "BOOL", "INT64", "UINT8", "BF16", ""]),
    },
    optional={
        "data": st.lists(st.one_of(cells, st.lists(cells, max_size=3)), max_size=6),
        "parameters": st.one_of(
            st.just(dict[str, Any]()),
            st.fixed_dictionaries({"binary_data_size": st.one_of(st.integers(-2, 40), cells)}),
        ),
    },
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.lists(fields, max_size=4),
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from(["keys", "event_times"]), json_values),
)
@example([matrix([1, 3], [])["inputs"][0] | {"datatype": "BYTES", "data": ["AA", "1", "x"]}], b"", {})
def test_no_mix_of_tensors_raises_anything_but_a_refusal(
    inputs: list[Any], tail: bytes, parameters: dict[str, Any]
) -> None:
    head = json.dumps({"inputs": inputs, "parameters": parameters}).encode()
    try:
        asked = parse_infer(head + tail, SIGNATURE, len(head))
    except BadInput:
        return
    assert np.isfinite(asked.matrix[~np.isnan(asked.matrix)]).all()
    assert asked.matrix.shape[1] == 3


def test_only_the_outputs_that_are_wanted_come_back() -> None:
    asked = infer(tensors([GOOD]) | {"outputs": [{"name": "label"}]})
    answered = infer_answer(asked, [[0.7]], SIGNATURE, model="late", version=3)
    assert json.loads(answered.body)["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["true"]}
    ]
    with pytest.raises(BadInput, match="no output 'odds'"):
        infer_answer(infer(tensors([GOOD]) | {"outputs": [{"name": "odds"}]}), [[0.7]], SIGNATURE, model="m", version=1)


def test_a_score_at_the_threshold_is_positive() -> None:
    assert labels_of([[0.5], [0.49999]], SIGNATURE) == ["true", "false"]


def test_more_than_two_classes_answer_a_probability_each() -> None:
    signature = Signature(features=SIGNATURE.features, task="multiclass", target="t", classes=["a", "b", "c"])
    answered = infer_answer(infer(tensors([GOOD])), [[0.2, 0.5, 0.3]], signature, model="m", version=1)
    outputs = {output["name"]: output for output in json.loads(answered.body)["outputs"]}
    assert (outputs["probability"]["shape"], outputs["label"]["data"]) == ([1, 3], ["b"])


def test_a_regression_answers_its_value() -> None:
    signature = Signature(features=SIGNATURE.features, task="regression", target="t")
    answered = infer_answer(infer(tensors([GOOD])), [[12.5]], signature, model="m", version=1)
    assert json.loads(answered.body)["outputs"] == [{"name": "value", "datatype": "FP64", "shape": [1], "data": [12.5]}]


def test_the_documented_example_is_accepted() -> None:
    assert len(infer(infer_example(SIGNATURE)).matrix) == 1
