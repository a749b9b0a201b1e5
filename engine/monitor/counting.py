"""The logged predictions that came since: read once, page by page, and counted by minute, hour or day of event time."""

from collections import defaultdict
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.monitor.parts import Part, horizon
from lemnis.engine.monitor.performance import score_of
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.spans import TIER_MS, TIERS
from lemnis.engine.monitor.tally import Tally, count_rows
from lemnis.engine.store import Row, Store

PAGE = 5_000  # rows of predictions in memory at once
PAGES = 20  # pages that are added in one transaction
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


class Fresh(msgspec.Struct, kw_only=True):
    """What some pages of new rows add up to.

    Attributes:
        finest: Tallies by the smallest kept span that each row is in.
        last: Id of the last row; 0 when there was none.
        newest: Latest believable event time, epoch ms.
        misdated: Rows whose event time can't be true; they are in no tally.
        pages: How many were read; PAGES when more may follow.
    """

    finest: dict[Part, Tally] = {}
    last: int = 0
    newest: int = 0
    misdated: int = 0
    pages: int = 0


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
    fresh = Fresh(newest=cursor["newest_event"])
    finest: defaultdict[Part, Tally] = defaultdict(Tally)
    while fresh.pages < PAGES and (page := new_rows(store, key, max(fresh.last, cursor["prediction_id"]), PAGE)):
        events = np.array([row["event_at"] for row in page], dtype=np.int64)
        arrived = np.array([row["arrived"] or 0 for row in page], dtype=np.int64)
        dated = (events >= 0) & (events <= np.maximum(arrived, now) + TOLERANCE_MS)
        fresh.misdated += int((~dated).sum())
        fresh.newest = max(fresh.newest, int(events[dated].max(initial=0)))
        hours_from = horizon("hour", cursor["newest_event"] if all_hours else fresh.newest)
        kept_from = [horizon("minute", fresh.newest), hours_from, 0]
        for part, places in by_part(events, np.flatnonzero(dated), kept_from).items():
            finest[part] += tally_of([page[place] for place in places], reference)
        fresh.last, fresh.pages = page[-1]["id"], fresh.pages + 1
        if len(page) < PAGE:
            break
    fresh.finest = dict(finest)
    return fresh


def by_part(events: NDArray[np.int64], places: NDArray[np.int64], kept_from: list[int]) -> dict[Part, list[int]]:
    """Group rows by the smallest kept span around them.

    Args:
        events: Event times, epoch ms, shape (n,).
        places: The rows to group, shape (at most n,).
        kept_from: From which moment on each of TIERS is kept, the last one always.

    Returns:
        Their places, in order, by span.
    """
    found: dict[Part, list[int]] = {}
    tiers = np.select([events[places] >= start for start in kept_from[:-1]], range(len(TIERS) - 1), len(TIERS) - 1)
    for number, tier in enumerate(TIERS):
        inside = places[tiers == number]
        starts = events[inside] - events[inside] % TIER_MS[tier]
        order = np.argsort(starts, kind="stable")
        edges = np.flatnonzero(np.diff(starts[order])) + 1
        for group in np.split(order, edges) if inside.size else ():
            found[Part(tier, int(starts[group[0]]))] = inside[group].tolist()
    return found


def tally_of(rows: list[Row], reference: Reference) -> Tally:
    """Count some logged rows; a row whose key was counted before is only counted as a duplicate."""
    first = [row for row in rows if not row["again"]]
    values: list[list[Any]] = msgspec.json.decode(  # Any: what a request held
        "[" + ",".join(row["features"] for row in first) + "]", type=list[list[Any]]
    )
    answers = [score_of(row, reference) for row in first]
    counted = count_rows(reference.binnings, values, answers, reference.threshold)
    return counted + Tally(duplicates=len(rows) - len(first))
