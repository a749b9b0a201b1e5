"""What has changed: one counter per topic, kept by triggers, so that a screen re-reads only what moved."""

from typing import TYPE_CHECKING

from lemnis.engine.store.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

# The tables of the first migration; what came later brings its triggers with it.
TOPICS: dict[str, tuple[str, ...]] = {
    "problem": ("config_history",),
    "data": ("snapshots", "source_syncs", "versions", "links"),
    "explore": ("profiles",),
    "features": ("feature_rankings", "feature_sets"),
    "validate": ("check_runs", "check_results", "waivers"),
    "experiments": ("runs", "run_params", "run_metrics", "run_tags"),
    "evaluate": ("evaluations", "gates", "explanations"),
    "deploy": ("models", "model_versions", "alias_events", "endpoints"),
    "monitor": ("monitor_windows", "monitor_features", "alerts", "alert_events"),
    "jobs": ("jobs", "services"),
}


def create_revisions(db: "Database") -> None:
    """Make the table and one trigger per watched table and kind of change."""
    db.execute("create table revisions (topic text primary key, n integer not null default 0) strict")
    for topic, tables in TOPICS.items():
        db.execute("insert into revisions (topic) values (?)", [topic])
        for table in tables:
            for statement in triggers(topic, table):
                db.execute(statement)


def triggers(topic: str, table: str) -> tuple[str, ...]:
    """Return the SQL by which a table moves a topic; a migration that adds a table runs it."""
    return tuple(
        f"create trigger revise_{table}_{change} after {change} on {table} "
        f"begin update revisions set n = n + 1 where topic = '{topic}'; end"
        for change in ("insert", "update", "delete")
    )


def move_topic(db: "Database", topic: str) -> None:
    """Say that something of a topic has changed, where a trigger a row would cost more than the rows."""
    db.conn.execute("update revisions set n = n + 1 where topic = ?", (topic,))


def revisions(store: Store) -> dict[str, int]:
    """Return every topic's counter; a counter that differs from the last reading means: read again."""
    return {row["topic"]: row["n"] for row in store.rows("select topic, n from revisions")}


def revision(store: Store, topic: str) -> int:
    """Return a topic's counter."""
    return int(store.value("select n from revisions where topic = ?", [topic]))
