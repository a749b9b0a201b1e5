"""Interpretations: kept and read as documents, one of a kind for each run; SQLite only."""

from typing import Literal, TypeAlias, TypeVar

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.store import Store

Kind: TypeAlias = Literal["contributions", "dependences", "interactions", "failures"]
Document = TypeVar("Document", bound=msgspec.Struct)


def save_interpretation(store: Store, run_id: int, kind: Kind, document: msgspec.Struct) -> None:
    """Keep what was found of a run in place of what was found earlier."""
    with store.write() as db:
        db.table("interpretations").insert(
            {"run_id": run_id, "kind": kind, "detail": msgspec.json.encode(document).decode(), "at": now_ms()},
            replace=True,
        )


def find_interpretation(store: Store, run_id: int, kind: Kind, shape: type[Document]) -> Document | None:
    """Return what was found of a run, None before it was looked for."""
    detail = store.value("select detail from interpretations where run_id = ? and kind = ?", [run_id, kind])
    return msgspec.json.decode(detail, type=shape) if detail is not None else None
