"""Faults: columns of requests that do not fit the model's signature, as they travel with the log and are kept."""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    import sqlite3

Kind: TypeAlias = Literal["absent", "unknown", "mistyped"]

MOST_KEPT = 500  # different ones of an endpoint: a client that makes up names must not fill the disk
VALUES_KEPT = 400


class Fault(Struct, frozen=True, array_like=True, gc=False):
    """One column of a request that is not as training saw it.

    Attributes:
        kind: The model takes it and it is absent; it is sent and the model does not know it; it holds another type.
        rows: Rows of the request that are concerned.
        values: Some of them as they were sent, of an absent column none. Any: what JSON can hold.
    """

    kind: Kind
    column: str
    rows: int
    values: list[Any] = []


def write_faults(connection: "sqlite3.Connection", endpoint: str, version: int, at: int, faults: list[Fault]) -> None:
    """Add one request's faults to those that are kept, inside the caller's transaction."""
    place = "endpoint = ? and version = ? and kind = ? and column_name = ?"
    for fault in faults:
        key = (endpoint, version, fault.kind, fault.column)
        held = connection.execute(f"select sample from schema_faults where {place}", key).fetchone()
        if held is None:
            kept = connection.execute("select count(*) from schema_faults where endpoint = ?", [endpoint]).fetchone()
            if kept[0] >= MOST_KEPT:
                continue
        before: list[Any] = msgspec.json.decode(held[0]) if held else []
        sample = msgspec.json.encode([*before, *fault.values][-VALUES_KEPT:]).decode()
        connection.execute(
            """insert into schema_faults
                 (endpoint, version, kind, column_name, first_at, last_at, requests, rows, sample)
               values (?, ?, ?, ?, ?, ?, 1, ?, ?) on conflict do update set requests = requests + 1,
                 rows = rows + excluded.rows, last_at = max(last_at, excluded.last_at), sample = excluded.sample""",
            [*key, at, at, fault.rows, sample],
        )
