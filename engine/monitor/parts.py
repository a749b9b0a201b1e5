"""The kept counts: one tally a minute, an hour and a day of event time, of which a window of any width is the sum.

A row is counted in its minute (if it came within two days of happening), its hour and its day. Minutes are dropped
after two days and hours after 90, so what is kept grows by one tally a day, however many rows there are.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lemnis.engine.monitor.spans import DAY_MS, HOUR_MS, TIER_MS, TIERS, Tier
from lemnis.engine.monitor.tally import Tally
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

MINUTES_KEPT_MS = 2 * DAY_MS  # an incident is looked at minute by minute while it lasts and the day after
HOURS_KEPT_MS = 90 * DAY_MS  # a quarter: as long as one asks at which hour of the day something went wrong
OF = "endpoint = ? and model = ? and version = ?"


class Part(NamedTuple):
    """One kept span: its tier, and where it starts, epoch ms."""

    tier: Tier
    starts: int


def horizon(tier: Tier, newest: int) -> int:
    """Return from which moment on this tier is kept, epoch ms, given the newest event time; whole hours or days.

    What is older is in the wider tiers alone.
    """
    if tier == "minute":
        return (newest - MINUTES_KEPT_MS) // HOUR_MS * HOUR_MS
    return (newest - HOURS_KEPT_MS) // DAY_MS * DAY_MS if tier == "hour" else 0


def rolled_up(finest: Mapping[Part, Tally]) -> dict[Part, Tally]:
    """Return the tallies with those of the wider spans around them added: a minute's rows are in its hour and day."""
    parts: defaultdict[Part, Tally] = defaultdict(Tally, finest)
    for tier, wider in pairwise(TIERS):
        for part in [part for part in parts if part.tier == tier]:
            parts[Part(wider, part.starts - part.starts % TIER_MS[wider])] += parts[part]
    return dict(parts)


def packed(tally: Tally) -> bytes:
    """Return a tally as it is kept."""
    return zlib.compress(msgspec.msgpack.encode(tally))


def unpacked(blob: bytes) -> Tally:
    """Return a kept tally."""
    return msgspec.msgpack.decode(zlib.decompress(blob), type=Tally)


def kept_parts(store: Store, key: list[object], parts: Iterable[Part]) -> dict[Part, Tally]:
    """Return those of some parts that were counted before; `key` is endpoint, model and version."""
    starts: defaultdict[Tier, list[int]] = defaultdict(list)
    for part in parts:
        starts[part.tier].append(part.starts)
    sql = f"""select starts, tally from monitor_parts
              where {OF} and tier = ? and starts in (select value from json_each(?))"""
    return {
        Part(tier, row["starts"]): unpacked(row["tally"])
        for tier, asked in starts.items()
        for row in store.rows(sql, [*key, tier, msgspec.json.encode(asked).decode()])
    }


def write_parts(db: "Database", key: list[object], parts: Mapping[Part, Tally]) -> None:
    """Write counts in place of those that were kept."""
    db.conn.executemany(
        """insert into monitor_parts (endpoint, model, version, tier, starts, tally) values (?, ?, ?, ?, ?, ?)
           on conflict (endpoint, model, version, tier, starts)
           do update set tally = excluded.tally, changes = changes + 1""",
        [[*key, part.tier, part.starts, packed(tally)] for part, tally in parts.items()],
    )


def note_labels(db: "Database", key: list[object], minutes: Iterable[int]) -> None:
    """Remember that rows of some minutes got labels: a window that holds them is to be measured again."""
    for tier, size in TIER_MS.items():
        starts = sorted({minute - minute % size for minute in minutes})
        db.execute(
            f"""update monitor_parts set changes = changes + 1
                where {OF} and tier = ? and starts in (select value from json_each(?))""",
            [*key, tier, msgspec.json.encode(starts).decode()],
        )


def drop_old_parts(db: "Database", key: list[object], newest: int) -> None:
    """Drop the minutes and hours that are past their time."""
    for tier in TIERS[:-1]:
        db.execute(
            f"delete from monitor_parts where {OF} and tier = ? and starts < ?", [*key, tier, horizon(tier, newest)]
        )


def tally_within(
    store: Store, key: list[object], tier: Tier, span: tuple[int, int], changed: Mapping[Part, Tally] | None = None
) -> Tally:
    """Return what was counted in a span of whole parts of one tier.

    Args:
        store: Where the counts are.
        key: Endpoint, model and version.
        tier: Which parts to add up.
        span: Start and end, epoch ms; the end is outside.
        changed: Parts that are about to be written; they count instead of the kept ones.
    """
    inside = {part: tally for part, tally in (changed or {}).items() if part.tier == tier and within(part, span)}
    sql = f"select starts, tally from monitor_parts where {OF} and tier = ? and starts >= ? and starts < ?"
    for row in store.rows(sql, [*key, tier, *span]):
        part = Part(tier, row["starts"])
        if part not in inside:
            inside[part] = unpacked(row["tally"])
    return sum((inside[part] for part in sorted(inside)), Tally())


def within(part: Part, span: tuple[int, int]) -> bool:
    """Say whether a part lies in a span that is made of whole parts of its tier."""
    return span[0] <= part.starts < span[1]


def changes_by_start(store: Store, key: list[object], tier: Tier) -> list[tuple[int, int]]:
    """Return start and number of changes of every kept part of a tier, the latest first."""
    sql = f"select starts, changes from monitor_parts where {OF} and tier = ? order by starts desc"
    return [(row["starts"], row["changes"]) for row in store.rows(sql, [*key, tier])]
