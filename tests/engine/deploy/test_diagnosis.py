import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.deploy.asgi import Head
from lemnis.engine.deploy.diagnosis import faults_of_request
from lemnis.engine.deploy.faults import Fault
from lemnis.engine.deploy.invocations import parse_invocation
from lemnis.engine.features.signature import Feature, Signature

SIGNATURE = Signature(
    features=[
        Feature(name="wind", kind="numeric"),
        Feature(name="carrier", kind="categorical", categories=["AA"]),
        Feature(name="holiday", kind="numeric", logical=True),
    ],
    task="binary",
    target="late",
)
JSON = "application/json"


def faults(document: object, path: str = "/invocations", content_type: str = JSON) -> list[Fault]:
    body = document.encode() if isinstance(document, str) else msgspec.json.encode(document)
    return faults_of_request(Head(path, [], content_type, None), body, SIGNATURE)


RENAMED = [Fault("absent", "wind", 2), Fault("unknown", "windSpeed", 2, [3.5, None])]


@pytest.mark.parametrize(
    "document",
    [
        {"dataframe_split": {
            "columns": ["windSpeed", "carrier", "holiday"], "data": [[3.5, "AA", True], [None, "B", None]],
        }},
        {"dataframe_records": [
            {"windSpeed": 3.5, "carrier": "AA", "holiday": True}, {"windSpeed": None, "carrier": "DL", "holiday": None},
        ]},
        {"inputs": {"windSpeed": [3.5, None], "carrier": ["AA", "B"], "holiday": [True, None]}},
    ],
)  # fmt: skip
def test_a_renamed_column_is_absent_and_unknown_in_every_form(document: object) -> None:
    assert faults(document) == RENAMED


def test_tensors_and_csv_are_looked_at_too() -> None:
    tensors = [
        {"name": "windSpeed", "shape": [2], "datatype": "FP64", "data": [3.5, None]},
        {"name": "carrier", "shape": [2, 1], "datatype": "BYTES", "data": [["AA"], ["B"]]},
        {"name": "holiday", "shape": [2], "datatype": "INT64", "data": [1, 0]},
    ]
    found = faults({"inputs": tensors}, "/v2/models/late/infer")
    assert found == [RENAMED[0], Fault("mistyped", "holiday", 2, [1, 0]), RENAMED[1]]
    assert faults("windSpeed,carrier,holiday\n3.5,AA,maybe\n", content_type="text/csv") == [
        Fault("absent", "wind", 1),
        Fault("mistyped", "holiday", 1, ["maybe"]),
        Fault("unknown", "windSpeed", 1, ["3.5"]),
    ]


def test_what_is_more_than_the_model_takes_is_kept_of_an_answered_request() -> None:
    body = {"dataframe_records": [{"wind": 1, "carrier": "AA", "holiday": True, "gate": "A1"}]}
    assert parse_invocation(msgspec.json.encode(body), JSON, SIGNATURE).more == {"gate": ["A1"]}


cells = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(["wind", "carrier", "holiday", "x" * 99]), cells), max_size=4))
def test_whatever_is_sent_can_be_logged(rows: list[dict[str, object]]) -> None:
    try:
        body = msgspec.json.encode({"dataframe_records": rows})
    except OverflowError:  # integers that JSON has and msgspec does not write
        return
    for fault in faults(body.decode()):
        assert msgspec.json.decode(msgspec.json.encode(fault), type=Fault) == fault
        assert len(fault.column) <= 80
        assert all(len(value) <= 60 for value in fault.values if isinstance(value, str))


@pytest.mark.parametrize("body", ["", "{", "[1]", '{"inputs": 3}', "[" * 5000])
def test_what_cannot_be_read_has_no_columns(body: str) -> None:
    assert faults(body) == faults(body, "/v2/models/late/infer") == []
