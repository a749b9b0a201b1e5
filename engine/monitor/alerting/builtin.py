"""Alerts that no rule of lemnis.toml asks for: a split was ended, or nobody watches."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Config
from lemnis.engine.monitor.alerting.records import Cause, Handling, Severity
from lemnis.engine.monitor.alerting.rules import repeat_after_ms
from lemnis.engine.monitor.alerting.states import Step
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

RULE = "split aborted"
METRIC = "split"
WATCH_DOWN = "watch down"
WATCH_METRIC = "watch"
DEFINITIONS = {
    METRIC: "Errors, latency and drift of a challenger against the champion, tested after every answer of the split.",
    WATCH_METRIC: "Whether the watch was heard of lately: while it is away, no window is judged and no rule speaks.",
}
WATCH_AWAY_S = 60.0


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that fires at once: what it is called, where, and what it says."""

    rule: str
    endpoint: str
    severity: Severity
    metric: str
    cause: Cause
    message: str
    why: str


def raise_aborted(store: Store, config: Config | None = None, *, now: int | None = None) -> int:
    """Let an alert fire for each endpoint whose latest split was aborted and was not told yet; return how many.

    It is a ticket: the challenger gets no request any more. A person resolves it.
    """
    moment = clock.now_ms() if now is None else now
    rows = store.rows(
        """select endpoint, challenger, why, ended_at from splits s
           where state = 'aborted' and id = (select max(id) from splits where endpoint = s.endpoint)
             and not exists (select 1 from alerts a where a.rule = ? and a.endpoint = s.endpoint
                               and (a.since >= s.ended_at or a.state != 'resolved'))""",
        [RULE],
    )
    raised = 0
    for row in rows:
        message = f"Version {row['challenger']} was taken out of the split of {row['endpoint']}: {row['why']}"
        alert = Raised(
            rule=RULE, endpoint=row["endpoint"], severity="ticket", metric=METRIC, cause="split", message=message,
            why=row["why"],
        )  # fmt: skip
        with store.write() as db:
            raised += raise_at_once(db, alert, config or Config(), moment)
    return raised


def judge_watch(store: Store, config: Config, *, heard_at: int | None, silent_s: float, now: int) -> int:
    """Let an alert fire while a watch that should be up was not heard of, resolve it when it is; return the changes.

    Args:
        store: Where alerts are.
        config: Says who is told.
        heard_at: When the watch last looked, epoch ms; None before the first time.
        silent_s: For how long nothing was heard of it, by a clock that neither jumps nor counts what was slept through.
        now: Epoch ms.
    """
    from lemnis.engine.monitor.alerting.changes import WATCH, alert_of, change

    wanted = store.value("select 1 from services where name = 'monitor' and wanted = 'up'")
    away = wanted is not None and silent_s > WATCH_AWAY_S
    sql = "select id from alerts where rule = ? and state != 'resolved'"
    found = store.value(sql, [WATCH_DOWN])
    if away and found is None:
        since = f"for {max((now - heard_at) // 60_000, 1):,} minutes" if heard_at else "ever"
        alert = Raised(
            rule=WATCH_DOWN, endpoint="", severity="page", metric=WATCH_METRIC, cause="serving",
            message=f"The watch was not heard of {since}: nothing is judged", why="its heartbeat is old",
        )  # fmt: skip
        with store.write() as db:
            return raise_at_once(db, alert, config, now)
    if not away and found is not None:
        with store.write() as db:
            alert = alert_of(db.conn, found)
            if alert.state != "resolved":
                change(db, alert, Step("resolved", "the watch looks again"), who=WATCH, now=now)
        return 1
    return 0


def raise_at_once(db: "Database", raised: Raised, config: Config, now: int) -> int:
    """Open an alert that fires at once, inside the caller's transaction; return 0 where it is open already."""
    from lemnis.engine.monitor.alerting import outbox
    from lemnis.engine.monitor.alerting.changes import WATCH, alert_of, change, hold, tell

    names = ("rule", "endpoint", "severity", "metric", "cause", "message")
    row: dict[str, object] = {name: getattr(raised, name) for name in names}
    sql = "select 1 from alerts where rule = ? and endpoint = ? and state != 'resolved'"
    if db.execute(sql, [raised.rule, raised.endpoint]).fetchone() is not None:
        return 0
    handling = Handling(notify=config.monitor.notify, repeat_after_ms=repeat_after_ms(config.monitor))
    row |= {"state": "pending", "state_at": now, "since": now, "updated_at": now}
    row["handling"] = msgspec.json.encode(handling).decode()
    alert = alert_of(db.conn, outbox.insert(db, "alerts", row))
    alert = change(db, alert, Step("firing", raised.why), who=WATCH, now=now)
    tell(db, None, hold(db, alert, now=now), now=now)
    return 1
