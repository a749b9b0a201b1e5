"""Earlier judgements of windows: what was said of one before it was judged again, and until when that held."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.monitor.records import Verdict
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

KEPT = 20  # of a window; of more, the one that held shortest is taken into the one before it
STOOD_MS = 60_000  # a judgement of the same verdict must have held for so long to be kept
SAME = "endpoint = ? and model = ? and version = ? and starts = ?"
COUNTED = ("rows", "duplicates")
LABELLED = ("labelled", "label_share", "roc_auc", "log_loss", "brier", "value_per_1000", "mean_absolute_error")


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a window from one moment until another, epoch ms.

    Attributes:
        rows: Counted when it was judged again; labelled: of them with a known answer.
    """

    verdict: Verdict
    why: str
    rows: int
    labelled: int
    judged_at: int
    replaced_at: int


def earlier_judgements(store: Store, window_id: int) -> list[Judgement]:
    """Return what was said of a window before what is said of it now, the latest first."""
    names = ", ".join(
        f"json_extract(j.window, '$.{name}') as {name}" for name in ("verdict", "why", "rows", "labelled")
    )
    rows = store.rows(
        f"""select {names}, j.judged_at, j.replaced_at from monitor_judgements j
            join monitor_windows w using (endpoint, model, version, starts, ends)
            where w.id = ? order by j.judged_at desc""",
        [window_id],
    )
    return [msgspec.convert(dict(row), Judgement) for row in rows]


def judged_since(db: "Database", window: Mapping[str, Any]) -> int:
    """Return since when a window is judged as it is about to be written; what was said before is kept if it was other.

    Args:
        db: Inside a transaction.
        window: Columns of monitor_windows, `computed_at` among them. Any: what SQLite stores.
    """
    place = [window[name] for name in ("endpoint", "model", "version", "starts")]
    found = db.execute(f"select * from monitor_windows where {SAME}", place).fetchone()
    now = window["computed_at"]
    if found is None:
        return now
    before = dict(found)
    since = stands_since(before)
    if not superseded(before, window, now - since):
        return since
    keep_former(db, before, now)
    return now


def stands_since(window: Mapping[str, Any]) -> int:
    """Return since when a kept window is judged as it is. Any: what the columns hold."""
    return window["computed_at"] if window["judged_at"] is None else window["judged_at"]


def superseded(before: Mapping[str, Any], after: Mapping[str, Any], stood_ms: int) -> bool:
    """Say whether what was said of a window is worth keeping: another verdict, or another window after it was final.

    Args:
        before: The kept window. Any: what the columns hold.
        after: The window as it is judged now.
        stood_ms: How long the former one held.
    """
    if before["verdict"] != after["verdict"]:
        return True
    late = before["closed"] and any(before[name] != after[name] for name in COUNTED)
    relabelled = before["labels_settled"] and any(before[name] != after[name] for name in LABELLED)
    return bool(late or relabelled) and stood_ms >= STOOD_MS


def keep_former(db: "Database", window: Mapping[str, Any], now: int) -> None:
    """Keep a window and its features as they were said until now; inside a transaction. Any: what the columns hold."""
    features: list[dict[str, Any]] = []
    if window["verdict"] not in ("insufficient", "no data"):
        found = db.execute("select * from monitor_features where window_id = ?", [window["id"]]).fetchall()
        features = [dict(row) for row in found]
    place = {name: window[name] for name in ("endpoint", "model", "version", "starts")}
    db.table("monitor_judgements").insert(
        {
            **place,
            "ends": window["ends"],
            "judged_at": stands_since(window),
            "replaced_at": now,
            "window": msgspec.json.encode(window).decode(),
            "features": msgspec.json.encode(features).decode(),
        }
    )
    thin_out(db, list(place.values()))


def thin_out(db: "Database", place: list[Any]) -> None:
    """Let no window have more than KEPT earlier judgements. Any: what the columns hold."""
    count = db.execute(f"select count(*) from monitor_judgements where {SAME}", place).fetchone()[0]
    if count <= KEPT:
        return
    sql = f"""select id, judged_at, replaced_at from monitor_judgements where {SAME}
              order by replaced_at - judged_at, id limit 1"""
    shortest = db.execute(sql, place).fetchone()
    db.execute(
        f"update monitor_judgements set replaced_at = ? where {SAME} and replaced_at = ?",
        [shortest["replaced_at"], *place, shortest["judged_at"]],
    )
    db.execute("delete from monitor_judgements where id = ?", [shortest["id"]])
