"""What the windows around one say of it: the suspicions before it, and the windows that it may confirm."""

from collections.abc import Collection, Mapping

import msgspec

from lemnis.engine.monitor.judge import Judged
from lemnis.engine.monitor.policy import LOOKED_AT
from lemnis.engine.store import Store

TOLD = "endpoint = ? and model = ? and version = ? and verdict not in ('insufficient', 'no data')"
BEFORE = LOOKED_AT - 1  # windows that a verdict looks back on


def earlier_suspicions(
    store: Store, key: list[object], start: int, judged: Mapping[int, Judged], *, alone: bool = False
) -> list[frozenset[str]]:
    """Return which features the last BEFORE windows before one suspected, the newest last.

    Windows with too few rows are passed over: they say neither that a suspicion lasts nor that it is over.

    Args:
        store: Where the windows are.
        key: Endpoint, model and version.
        start: Of the window, epoch ms.
        judged: Windows that are about to be written, by their start; they count instead of the kept ones.
        alone: They are all there will be; the kept ones are of another width.
    """
    sql = f"""select starts, (select json_group_array(feature) from monitor_features
                              where window_id = w.id and suspected = 1) as suspected
              from monitor_windows w where {TOLD} and starts < ? order by starts desc limit ?"""
    rows = [] if alone else store.rows(sql, [*key, start, BEFORE + len(judged)])
    found = {
        row["starts"]: frozenset(msgspec.json.decode(row["suspected"], type=list[str]))
        for row in rows
        if row["starts"] not in judged
    }
    fresh = {begin: one.suspected for begin, one in judged.items() if begin < start}
    found |= {begin: names for begin, names in fresh.items() if names is not None}
    return [found[begin] for begin in sorted(found)[-BEFORE:]]


def following(store: Store, key: list[object], starts: Collection[int]) -> list[int]:
    """Return the starts of the windows whose verdict looks back on one of some windows, these left out."""
    sql = f"select starts from monitor_windows where {TOLD} and starts > ? order by starts limit ?"
    found = {row["starts"] for start in starts for row in store.rows(sql, [*key, start, BEFORE])}
    return sorted(found - set(starts))
