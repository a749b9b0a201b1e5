"""Alerts of a workspace that was made before they could be silenced keep what happened to them."""

# pyright: basic

from pathlib import Path

from lemnis.engine.monitor import MonitorRoom
from lemnis.engine.store import Store
from lemnis.engine.store.schema import monitor
from lemnis.engine.workspace import create_workspace


def test_alerts_and_their_events_are_kept(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w", "")
    store = Store(workspace)
    tables = ("notification_alerts", "notifications", "alert_conditions", "alert_events", "alerts", "silences")
    with store.write() as db:  # back to what was before
        for table in (*tables, "incidents"):
            db.execute(f"drop table {table}")
        for statement in monitor.TABLES:
            if any(f"{kind} {name}" in statement for kind in ("table", "on") for name in ("alerts", "alert_events")):
                db.execute(statement)
        db.execute("delete from _sqlite_migrations where name = 'm047_alerting'")
        window = {"endpoint": "late", "model": "late", "version": 4, "starts": 5, "ends": 9, "rows": 1, "verdict": "ok"}
        db.table("monitor_windows").insert(window | {"computed_at": 1})
        alert = {"rule": "auc", "endpoint": "late", "severity": "page", "state": "acknowledged", "metric": "roc_auc"}
        alert |= {"message": "m", "window_id": 1, "opened_in": 1, "since": 1, "fired_at": 2, "acknowledged_at": 3}
        db.table("alerts").insert(alert | {"acknowledged_by": "ada", "updated_at": 3})
        db.table("alert_events").insert({"alert_id": 1, "at": 2, "state": "firing", "who": "watch", "why": "w"})
    store.connection().execute("pragma user_version = 46")
    store.close()
    room = MonitorRoom(Store(workspace))
    found = room.alerts()[0]
    assert (found.state, found.acknowledged_by, found.cause, found.version) == ("acknowledged", "ada", "labels", 4)
    assert [event.state for event in room.events(found.id)] == ["firing"]
    assert room.resolve(found.id, "ada", "done").state == "resolved"
