"""Which version answers a request: by its key, so that the same key always gets the same one. Pure.

A key falls on a point of [0, 1) by its hash, and the challenger answers what lies below the split's share. So a key
stays where it is while the share stays, and a larger share only adds keys to the challenger's.
"""

import csv
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import Struct

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
HEADER = "header:"
USUAL_HEADER = b"x-lemnis-key"


class Peek(Struct, frozen=True):
    """The parts of a request that may carry its key. Any: JSON of both protocols, judged later."""

    id: str = ""
    parameters: Any = None
    params: Any = None
    inputs: Any = None
    instances: Any = None
    dataframe_records: Any = None
    dataframe_split: Any = None


decoder = msgspec.json.Decoder(Peek)


def point_of(key: str, salt: str) -> float:
    """Return the place of a key in [0, 1); the salt makes the places of two splits independent."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, salt=blake2b_salt(salt)).digest()
    return int.from_bytes(digest[:7]) / (1 << 56)


def blake2b_salt(text: str) -> bytes:
    """Return the 16 bytes that blake2b takes as salt."""
    return blake2b(text.encode(), digest_size=16).digest()


def is_challengers(key: str, salt: str, share: float) -> bool:
    """Say whether the challenger answers this key when it has a share of [0, 1]."""
    return point_of(key, salt) < share


def request_key(rule: str, headers: Headers, body: bytes, *, csv_body: bool = False) -> str:
    """Return the key of a request, empty when it has none.

    Args:
        rule: ``header:NAME`` takes a header. Another name takes ``parameters.NAME`` (``params.NAME``), else the value
            of that column in the first row. Empty takes the first there is of: header X-Lemnis-Key,
            ``parameters.key``, the first of ``parameters.keys``, the request's ``id``.
        headers: With lower-case names.
        body: Its JSON part, or CSV.
        csv_body: It is CSV.
    """
    if rule.startswith(HEADER):
        return header_of(headers, rule.removeprefix(HEADER).lower().encode())
    if not rule:
        named = header_of(headers, USUAL_HEADER)
        if named:
            return named
    if csv_body:
        return csv_value(body, rule) if rule else ""
    try:
        peek = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return ""  # whoever answers says what is wrong
    return named_key(peek, rule) if rule else usual_key(peek)


def header_of(headers: Headers, wanted: bytes) -> str:
    """Return a header's value, empty when it is not there."""
    return next((value.decode("latin-1").strip() for name, value in headers if name == wanted), "")


def usual_key(peek: Peek) -> str:
    """Return the key that a request names by itself."""
    for given in (peek.parameters, peek.params):
        if isinstance(given, dict):
            parameters = cast("dict[str, Any]", given)
            keys = parameters.get("keys")
            first: Any = cast("list[Any]", keys)[0] if isinstance(keys, list) and keys else None
            for value in (parameters.get("key"), first):
                if is_key(value):
                    return text_of(value)
    return peek.id


def named_key(peek: Peek, name: str) -> str:
    """Return the parameter of a name, else the value of that column in the first row."""
    for given in (peek.parameters, peek.params):
        if isinstance(given, dict):
            value = cast("dict[str, Any]", given).get(name)
            if is_key(value):
                return text_of(value)
    value = first_value(peek, name)
    return text_of(value) if is_key(value) else ""


def first_value(peek: Peek, name: str) -> Any:
    """Return a column's value in the first row, None when it has none. Any: JSON."""
    for rows in (peek.dataframe_records, peek.instances):
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            return cast("dict[str, Any]", rows[0]).get(name)
    if isinstance(peek.dataframe_split, dict):
        split = cast("dict[str, Any]", peek.dataframe_split)
        try:
            return split["data"][0][split["columns"].index(name)]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            return None
    if isinstance(peek.inputs, dict):
        return first_of(cast("dict[str, Any]", peek.inputs).get(name))
    if isinstance(peek.inputs, list):
        for entry in cast("list[Any]", peek.inputs):
            if isinstance(entry, dict):
                fields = cast("dict[str, Any]", entry)
                if fields.get("name") == name:
                    return first_of(fields.get("data"))
                if "name" not in fields:
                    return fields.get(name)
    return None


def first_of(values: Any) -> Any:
    """Return the first of a list, however deeply it nests; what is no list by itself. Any: JSON."""
    while isinstance(values, list):
        entries = cast("list[Any]", values)
        if not entries:
            return None
        values = entries[0]
    return values


def csv_value(body: bytes, name: str) -> str:
    """Return a column's value in the first row of CSV, empty when it has none."""
    lines = body[:65_536].decode("utf-8-sig", "replace").splitlines()[:2]
    try:
        header, row = list(csv.reader(lines))
        return row[header.index(name)]
    except (ValueError, IndexError, csv.Error):
        return ""


def is_key(value: Any) -> bool:
    """Say whether a JSON value can be a key."""
    return isinstance(value, (str, int, float)) and value != ""


def text_of(value: Any) -> str:
    """Return a key as text: the whole number 7.0 is the key 7."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
