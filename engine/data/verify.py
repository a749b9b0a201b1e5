"""`lemnis data verify`: hashes every kept file, or those that nobody has looked at since they were written."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, to_builtins

from lemnis.engine.clock import monotonic_s
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data.references import Holding
    from lemnis.engine.jobs.context import JobContext


class Fault(Struct, frozen=True, kw_only=True):
    """One file that is not what it should be.

    Attributes:
        path: Relative to the workspace's hidden folder.
        held_by: Whoever needs it, in words.
    """

    title: str
    path: str
    condition: Literal["damaged", "missing"]
    held_by: list[str]
    remedy: str


class Verification(Struct, frozen=True, kw_only=True):
    """What looking at every kept file found.

    Attributes:
        files, bytes: All that are kept.
        hashed: How many were read this time; the others had not been touched since they were read before.
    """

    files: int
    bytes: int
    hashed: int
    faults: list[Fault]
    seconds: float


def verify(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Hash kept files and return a Verification; `all`: also those that were not touched since. Any: JSON objects.

    Raises:
        Cancelled: The job was asked to stop; what was hashed is remembered.
    """
    from lemnis.engine.data.references import holdings
    from lemnis.engine.data.verified import condition_of, hash_now

    store, everything = context.store, bool(arguments.get("all"))
    found = holdings(store)
    unread = [one for one in found if everything or condition_of(one.path) == "unread"]
    total, done, started = sum(one.bytes for one in unread), 0, monotonic_s()
    for one in unread:
        elapsed = monotonic_s() - started
        left = f", {elapsed / done * (total - done):.0f} s left" if done else ""
        context.progress(done / total if total else 1.0, f"{one.title}{left}")
        hash_now(one.path)
        done += one.bytes
    return to_builtins(
        Verification(
            files=len(found),
            bytes=sum(one.bytes for one in found),
            hashed=len(unread),
            faults=[fault for one in found if (fault := fault_of(store, one))],
            seconds=round(monotonic_s() - started, 3),
        )
    )


def fault_of(store: Store, one: "Holding") -> Fault | None:
    """Return what is wrong with a kept file, as far as it was hashed; None when nothing is."""
    from lemnis.engine.data.verified import condition_of

    condition = condition_of(one.path)
    if condition not in ("damaged", "missing"):
        return None
    remedies = {
        "snapshot": "Read the source again with `lemnis data sync`.",
        "version": "Make it again with `lemnis data link`.",
        "model": "Register the run again.",
    }
    return Fault(
        title=one.title,
        path=str(Path(one.path).relative_to(store.workspace.hidden)),
        condition=condition,
        held_by=one.held_by,
        remedy=remedies[one.kind],
    )
