"""The logged predictions that came since: read once, page by page, and counted by minute, hour or day of event time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from lemnis.engine.monitor.parts import MINUTES_KEPT_MS, Part, horizon
from lemnis.engine.monitor.performance import score_of
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.spans import TIER_MS, TIERS
from lemnis.engine.monitor.tally import Tally, count_rows
from lemnis.engine.store import Row, Store

PAGE = 5_000  # rows of predictions in memory at once
PAGES = 20  # pages that are added in one transaction
MOST_COLUMNS = 40_000  # counted in one transaction: parts times features, of a few kB each
TOLERANCE_MS = 300_000  # senders' clocks may be ahead by so much; the machines of one network differ by far less

NEW_ROWS = """
    select id, event_at, features, score, answer, row_key != '' and exists (
        select 1 from predictions q where q.endpoint = p.endpoint and q.row_key = p.row_key
            and q.model = p.model and +q.version = p.version and q.id < p.id) as again,
        (select at from requests r where r.id = p.request_id) as arrived
    from predictions p
    where id > ? and +endpoint = ? and model = ? and version = ?
    order by id limit ?
"""


NEWEST = """
    select max(event_at) from (select event_at, request_id from predictions p
        where id > ? and +endpoint = ? and model = ? and version = ? order by id limit ?) f
    where event_at <= max(?, (select at from requests r where r.id = f.request_id) + ?)
"""


class Fresh(msgspec.Struct, kw_only=True):
    """What some pages of new rows add up to.

    Attributes:
        finest: Tallies by the smallest kept span that each row is in.
        last: Id of the last row that was read.
        newest: Latest believable event time, epoch ms.
        misdated: Rows whose event time can't be true; they are in no tally.
        more: Further rows may follow.
    """

    finest: dict[Part, Tally] = {}
    last: int = 0
    newest: int = 0
    misdated: int = 0
    more: bool = False


def new_rows(store: Store, key: list[object], after: int, limit: int) -> list[Row]:
    """Return a page of the rows that came after a row, in order of arrival; `key` is endpoint, model and version."""
    return store.rows(NEW_ROWS, [after, *key, limit], name="predictions")


def count_fresh(
    store: Store, key: list[object], cursor: Row, reference: Reference, now: int, *, all_hours: bool = False
) -> Fresh:
    """Read and count up to PAGES pages of the rows after a cursor.

    A row whose event time is before 1970, or later than its arrival and TOLERANCE_MS, is only counted as misdated: a
    sender's clock that is a year ahead must not close every window until then.

    Args:
        store: Where the predictions are.
        key: Endpoint, model and version.
        cursor: How far they were read.
        reference: Says the bins.
        now: Epoch ms; counts as the arrival where the clock went back since.
        all_hours: Count every row in its hour that was kept before these rows came, also where their newest one puts
            the hour past its time: windows of an hour are judged from it.
    """
    newest = newest_of(store, key, cursor, now)
    fresh = Fresh(newest=newest, last=cursor["prediction_id"])
    hours_from = horizon("hour", cursor["newest_event"] if all_hours else newest)
    kept_from = [horizon("minute", newest), hours_from, 0]
    finest: defaultdict[Part, Tally] = defaultdict(Tally)
    for _ in range(PAGES):
        page = new_rows(store, key, fresh.last, PAGE)
        fresh.more = len(page) == PAGE
        found, misdated, taken = by_part(page, now, kept_from, MOST_COLUMNS // len(reference.binnings) - len(finest))
        for part, places in found.items():
            finest[part] += tally_of([page[place] for place in places], reference)
        fresh.misdated += misdated
        if taken:
            fresh.last = page[taken - 1]["id"]
        if taken < len(page):
            fresh.more = True
            break
        if not fresh.more:
            break
    fresh.finest = dict(finest)
    return fresh


def newest_of(store: Store, key: list[object], cursor: Row, now: int) -> int:
    """Return the latest believable event time up to the last row that will be read, epoch ms.

    It is asked for first, so that no row is counted in a minute that its later rows put past its time.
    """
    values = [cursor["prediction_id"], *key, PAGE * PAGES, now + TOLERANCE_MS, TOLERANCE_MS]
    return max(cursor["newest_event"], store.value(NEWEST, values, name="predictions") or 0)


def by_part(
    page: Sequence[Row], now: int, kept_from: Sequence[int], room: int
) -> tuple[dict[Part, list[int]], int, int]:
    """Group rows by the smallest kept span around them.

    Minutes are of rows that came within their time: a replay of the past is not looked at minute by minute.

    Args:
        page: Rows in order of arrival.
        now: Epoch ms.
        kept_from: From which moment on each of TIERS is kept, the last one always.
        room: For how many parts; at least one is made.

    Returns:
        Places of the rows by part, the number of misdated rows, and how many rows of the page there was room for.
    """
    events = np.array([row["event_at"] for row in page], dtype=np.int64)
    arrived = np.array([row["arrived"] or 0 for row in page], dtype=np.int64)
    dated = (events >= 0) & (events <= np.maximum(arrived, now) + TOLERANCE_MS)
    live = events >= arrived - MINUTES_KEPT_MS
    tiers = np.select(
        [live & (events >= kept_from[0]), *(events >= start for start in kept_from[1:-1])],
        range(len(TIERS) - 1),
        len(TIERS) - 1,
    )
    starts = events - events % np.array([TIER_MS[tier] for tier in TIERS])[tiers]
    taken, places = len(page), np.flatnonzero(dated)
    groups, first, which = np.unique(
        starts[places] * len(TIERS) + tiers[places], return_index=True, return_inverse=True
    )
    if groups.size > max(room, 1):
        taken = int(places[np.sort(first)[max(room, 1)]])
    found: dict[Part, list[int]] = {}
    order = np.argsort(which, kind="stable")
    for members in np.split(places[order], np.cumsum(np.bincount(which, minlength=groups.size))[:-1]):
        if members.size and members[0] < taken:
            part = Part(TIERS[tiers[members[0]]], int(starts[members[0]]))
            found[part] = members[members < taken].tolist()
    return found, int((~dated[:taken]).sum()), taken


def tally_of(rows: list[Row], reference: Reference) -> Tally:
    """Count some logged rows; a row whose key was counted before is only counted as a duplicate."""
    first = [row for row in rows if not row["again"]]
    values: list[list[Any]] = msgspec.json.decode(  # Any: what a request held
        "[" + ",".join(row["features"] for row in first) + "]", type=list[list[Any]]
    )
    answers = [score_of(row, reference) for row in first]
    counted = count_rows(reference.binnings, values, answers, reference.threshold)
    return counted + Tally(duplicates=len(rows) - len(first))
