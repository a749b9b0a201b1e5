"""The files a snapshot was read from, and which of them need not be read again."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from lemnis.engine.config import Source
from lemnis.engine.data.files import COPY_BYTES, last_line_end
from lemnis.engine.data.sources import Origin
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store

WHOLE_BYTES = 256 << 20  # up to here, a file that grows is compared whole with what was read of it
SAMPLES = 64  # blocks of COPY_BYTES that are compared of a larger one


class Member(Struct, frozen=True, kw_only=True):
    """One file as it was read.

    Attributes:
        bytes: Its size; of a file that is appended to, how far it was read.
        sha256: Of those bytes, sampled when such a file is large; empty when it is not known.
    """

    name: str
    bytes: int
    modified_ns: int
    tag: str
    sha256: str
    rows: int


class Fresh(Struct, frozen=True, kw_only=True):
    """A file to read: all of it, or from `start` to `end` when it is one that is appended to."""

    origin: Origin
    start: int = 0
    end: int | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What a sync has to do: rows of `kept` are held already, `fresh` is read; no fresh one means nothing to do.

    Attributes:
        why: Why what is held does not do, in words; empty when it does.
    """

    kept: list[Member]
    fresh: list[Fresh]
    why: str = ""


def list_members(store: Store, snapshot_id: int) -> list[Member]:
    """Return the files of a snapshot, in the order of their rows."""
    sql = """select name, bytes, modified_ns, tag, sha256, rows from snapshot_members
             where snapshot_id = ? order by position"""
    return [Member(**dict(row)) for row in store.rows(sql, [snapshot_id])]


def save_members(db: Any, snapshot_id: int, members: Sequence[Member]) -> None:  # Any: a sqlite-utils Database
    """Record the files of a snapshot inside a transaction, instead of those it had."""
    db.execute("delete from snapshot_members where snapshot_id = ?", [snapshot_id])
    db.conn.executemany(
        "insert into snapshot_members values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (snapshot_id, position, m.name, m.bytes, m.modified_ns, m.tag, m.sha256, m.rows)
            for position, m in enumerate(members)
        ],
    )


def planned(source: Source, held: Sequence[Member], origins: Sequence[Origin]) -> Plan:
    """Return what must be read; looks into files only when their size or time of change differs.

    Rows stay in the order they came in: files that are new are read after those that are held, in the order of their
    names. Once a held file is gone or was rewritten, all are read again.
    """
    everything = [whole(source, origin) for origin in origins]
    found = {origin.name: origin for origin in origins}
    kept: list[Member] = []
    fresh: list[Fresh] = []
    for position, member in enumerate(held):
        origin = found.pop(member.name, None)
        if origin is None:
            return Plan(kept=[], fresh=everything, why=f"{Path(member.name).name} is gone")
        last = position == len(held) - 1
        if source.append and last and not alike(member, origin):
            grown = _grown(member, origin)
            if grown is None:
                return Plan(kept=[], fresh=everything, why=f"{Path(member.name).name} was rewritten")
            kept.append(as_it_looks(member, origin))
            fresh += [grown] if grown.end != grown.start else []
        elif alike(member, origin) or _same_bytes(source, member, origin):
            kept.append(as_it_looks(member, origin))
        else:
            return Plan(kept=[], fresh=everything, why=f"{Path(member.name).name} has changed")
    fresh += [whole(source, found[name]) for name in found]
    return Plan(kept=kept, fresh=fresh)


def whole(source: Source, origin: Origin) -> Fresh:
    """Return all of a file; of one that is appended to, all of its complete lines."""
    if not source.append or origin.path is None:
        return Fresh(origin=origin)
    return Fresh(origin=origin, end=last_line_end(origin.path, 0, origin.bytes))


def alike(member: Member, origin: Origin) -> bool:
    """Say whether a file looks as it did when it was read; costs no look inside."""
    return (member.bytes, member.modified_ns, member.tag) == (origin.bytes, origin.modified_ns, origin.tag)


def as_it_looks(member: Member, origin: Origin) -> Member:
    """Return a member with the time of change that its file has now."""
    return Member(
        name=member.name,
        bytes=member.bytes,
        modified_ns=origin.modified_ns,
        tag=origin.tag,
        sha256=member.sha256,
        rows=member.rows,
    )


def fingerprint(path: Path, length: int) -> str:
    """Return the SHA-256 of a file's first `length` bytes, of blocks spread over them when they are many."""
    digest = hashlib.sha256(str(length).encode())
    with open(path, "rb") as file:
        if length > WHOLE_BYTES:
            step = (length - COPY_BYTES) / (SAMPLES - 1)
            for number in range(SAMPLES):
                file.seek(round(number * step))
                digest.update(file.read(COPY_BYTES))
            return digest.hexdigest()
        left = length
        while left and (block := file.read(min(left, COPY_BYTES))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def digest_of(source: Source, fresh: Fresh) -> str:
    """Return what tells the bytes that were read from others; empty for a database, whose bytes say little."""
    if fresh.origin.path is None or source.format in ("sqlite", "postgresql"):
        return ""
    if fresh.end is not None:
        return fingerprint(fresh.origin.path, fresh.end)
    return sha256_of(fresh.origin.path)


def _same_bytes(source: Source, member: Member, origin: Origin) -> bool:
    if not member.sha256 or origin.path is None or member.bytes != origin.bytes:
        return False
    return digest_of(source, whole(source, origin)) == member.sha256


def _grown(member: Member, origin: Origin) -> Fresh | None:
    """Return what was added to a file since it was read; None when what was read is no longer there."""
    if origin.path is None or origin.bytes < member.bytes:
        return None
    if fingerprint(origin.path, member.bytes) != member.sha256:
        return None
    return Fresh(origin=origin, start=member.bytes, end=last_line_end(origin.path, member.bytes, origin.bytes))
