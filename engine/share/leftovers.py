"""Leftovers: what transfers that broke off have sent of a file, which costs room until somebody clears it away."""

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lemnis.engine.errors import LemnisError

if TYPE_CHECKING:
    from lemnis.engine.share.place import Shared

KEPT_MS = 7 * 86_400_000  # a transfer that broke off is gone on with within a week, or sent from its beginning
PARTIAL = re.compile(r"[0-9a-f]{32}-[0-9a-f]{64}(\.json)?\Z")  # what we call one: the workspace and the content


class Leftover(Struct, frozen=True, kw_only=True):
    """What is there of one file that was not sent to its end.

    Attributes:
        bytes: How much of it is there.
        at: Epoch ms, by the place's clock, of the last byte that came.
        handle: What the place knows it by. Any: each kind of place has its own.
    """

    bytes: int
    at: int
    handle: Any


class Swept(Struct, frozen=True, kw_only=True):
    """What was cleared away.

    Attributes:
        files, bytes: Files that were not sent to their end, and what was there of them.
        problem: Why nothing could be cleared away, as a place may let us write and not remove; empty when it could.
    """

    files: int = 0
    bytes: int = 0
    problem: str = ""


def sweep(place: "Shared", now: int) -> Swept:
    """Clear away what no byte came to for a week, of any workspace; return what it was."""
    try:
        gone = [one for one in place.leftovers() if one.at < now - KEPT_MS]
        for one in gone:
            place.discard(one)
    except LemnisError as error:
        return Swept(problem=error.problem)
    return Swept(files=len(gone), bytes=sum(one.bytes for one in gone))
