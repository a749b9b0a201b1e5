"""A key always gets the same version, and a growing share only adds keys to the challenger's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.deploy.rollout.sticky import is_challengers, point_of, request_key

shares = st.floats(0, 1)


@pytest.mark.slow
@given(st.text(), st.text(), shares, shares)
def test_a_growing_share_takes_no_key_away_from_the_challenger(key: str, salt: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert is_challengers(key, salt, more) or not is_challengers(key, salt, less)
    assert not is_challengers(key, salt, 0.0)
    assert is_challengers(key, salt, 1.0)
    assert point_of(key, salt) == point_of(key, salt)


def test_the_share_of_keys_is_the_share_asked_for_and_splits_are_independent() -> None:
    keys = [str(number) for number in range(20_000)]
    first = {key for key in keys if is_challengers(key, "a", 0.1)}
    second = {key for key in keys if is_challengers(key, "b", 0.1)}
    assert len(first) / 20_000 == pytest.approx(0.1, abs=0.008)
    assert len(first & second) / 20_000 == pytest.approx(0.01, abs=0.003)


RECORDS: dict[str, object] = {"dataframe_records": [{"carrier": "AA", "id": 7.0}], "params": {"keys": ["k1"]}}
TENSORS: dict[str, object] = {
    "id": "req",
    "inputs": [{"name": "carrier", "data": [["DL"], ["AA"]]}],
    "parameters": {"customer": 5},
}


CASES: list[tuple[str, list[tuple[bytes, bytes]], dict[str, object], str]] = [
    ("header:X-User", [(b"x-user", b"ada")], {}, "ada"),
    ("header:X-User", [], RECORDS, ""),
    ("", [(b"x-lemnis-key", b"h")], RECORDS, "h"),
    ("", [], RECORDS, "k1"),
    ("", [], TENSORS, "req"),
    ("", [], {"instances": [[1]]}, ""),
    ("carrier", [], RECORDS, "AA"),
    ("id", [], RECORDS, "7"),
    ("customer", [], TENSORS, "5"),
    ("carrier", [], TENSORS, "DL"),
    ("carrier", [], {"dataframe_split": {"columns": ["x", "carrier"], "data": [[1, "UA"]]}}, "UA"),
    ("carrier", [], {"inputs": {"carrier": ["B6"]}}, "B6"),
    ("carrier", [], {"instances": [{"carrier": "B6"}]}, "B6"),
    ("carrier", [], {"dataframe_split": {"columns": None}}, ""),
    ("carrier", [], {"inputs": [{"name": "carrier", "data": [[]]}]}, ""),
]


@pytest.mark.parametrize(("rule", "headers", "body", "key"), CASES)
def test_a_key_is_found_where_the_rule_says(
    rule: str, headers: list[tuple[bytes, bytes]], body: object, key: str
) -> None:
    assert request_key(rule, headers, json.dumps(body).encode()) == key


def test_csv_has_keys_in_columns() -> None:
    assert request_key("carrier", [], b"wind,carrier\n1,AA\n2,DL\n", csv_body=True) == "AA"
    assert request_key("nobody", [], b"wind,carrier\n1,AA\n", csv_body=True) == ""


@given(st.binary(max_size=200), st.sampled_from(["", "a", "header:a"]), st.booleans())
def test_no_body_can_do_harm(body: bytes, rule: str, csv_body: bool) -> None:
    assert isinstance(request_key(rule, [], body, csv_body=csv_body), str)


@given(
    st.recursive(
        st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["name", "data", "columns", "inputs", "dataframe_split", "parameters", "keys", "key"]),
                inner,
            )
        ),
    )
)
def test_no_json_can_do_harm(content: object) -> None:
    for name in ("inputs", "dataframe_split", "dataframe_records", "parameters", "instances"):
        body = json.dumps({name: content}).encode()
        assert isinstance(request_key("data", [], body), str)
        assert isinstance(request_key("", [], body), str)
