"""Alerts that no rule of lemnis.toml asks for: a split was ended because its challenger is worse."""

from lemnis.engine import clock
from lemnis.engine.store import Store

RULE = "split aborted"
METRIC = "split"
DEFINITION = "Errors, latency and drift of a challenger against the champion, tested after every answer of the split."


def raise_aborted(store: Store, *, now: int | None = None) -> int:
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
    told = 0
    for row in rows:
        message = f"Version {row['challenger']} was taken out of the split of {row['endpoint']}: {row['why']}"
        alert = {
            "rule": RULE, "endpoint": row["endpoint"], "severity": "ticket", "state": "firing", "metric": METRIC,
            "message": message, "since": moment, "fired_at": moment, "updated_at": moment,
        }  # fmt: skip
        sql = f"insert into alerts ({', '.join(alert)}) values ({', '.join('?' * len(alert))}) on conflict do nothing"
        with store.write() as db:
            if not db.execute(sql, list(alert.values())).rowcount:
                continue  # another process told it
            alert_id = db.execute("select last_insert_rowid()").fetchone()[0]
            event = {"alert_id": alert_id, "at": moment, "state": "firing", "who": "lemnis", "why": row["why"]}
            db.table("alert_events").insert(event)
        told += 1
    return told
