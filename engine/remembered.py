"""What a person's console remembers of one workspace, such as chosen columns and typed queries."""

from typing import TypeVar

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.store import Store

T = TypeVar("T")


def recall(store: Store, user: str, what: str, kind: type[T], usual: T) -> T:
    """Return what was remembered under a name, `usual` if nothing, or nothing that can still be read."""
    text = store.value("select value from remembered where user = ? and what = ?", [user, what])
    try:
        return usual if text is None else msgspec.json.decode(text, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return usual  # written by another version: the usual is better than a refusal


def remember(store: Store, user: str, what: str, value: object) -> None:
    """Keep a value under a name, in place of the one before; a workspace opened read-only keeps nothing."""
    if store.read_only:
        return
    row = {"user": user, "what": what, "value": msgspec.json.encode(value).decode(), "at": now_ms()}
    with store.write() as db:
        db.table("remembered").insert(row, replace=True)
