"""The past: views over the tables of a connection, by which every query reads what was there at one moment.

SQLite looks a name up among the temporary things of a connection first: a temporary view with a table's name stands
before that table, and the rooms read the past by the SQL they read the present with. What a row was can be said of what
is kept with its time alone; where a table keeps the newest reading only, a row that was written since is left out. Of a
window that was judged again, what was said before is kept.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from lemnis.engine.store.connection import Name

# What is no fact of the project, or the same at all times.
TIMELESS = frozenset({"_sqlite_migrations", "sqlite_sequence", "revisions", "remembered", "identity", "spools"})


class Then(NamedTuple):
    """How a table is read as it was: which rows were there, and what their columns held; `:at` is the moment."""

    where: str
    columns: Mapping[str, str] = {}  # those whose value is another than now
    rowid: bool = False  # for tables whose rows are told apart by it
    former: tuple[str, str] | None = None  # tables, and in them the JSON of rows that were judged anew since


def since(column: str, *marks: str, **columns: str) -> Then:
    """Return a table whose rows have been there since a time; `marks` are times that may not have come yet."""
    return Then(f"{column} <= :at", {**{mark: f"iif({mark} <= :at, {mark}, null)" for mark in marks}, **columns})


def of(parent: str, key: str, theirs: str = "id") -> Then:
    """Return a table whose rows are there as long as those of another are."""
    return Then(f"{key} in (select {theirs} from temp.{parent})")


def once(mark: str, column: str, before: str = "null") -> str:
    """Return the SQL of a value that a column has since a time, and another one before."""
    return f"iif({mark} <= :at, {column}, {before})"


def work(*marks: str, **columns: str) -> Then:
    """Return jobs or runs: a state is known by when they were queued, began and ended."""
    state = "case when ended_at <= :at then state when started_at <= :at then 'running' else 'queued' end"
    times = ("started_at", "ended_at", *marks)
    return since("created_at", *times, state=state, why=once("ended_at", "why", "''"), **columns)


NOBODY = Then("0")  # what live processes say of themselves: nobody keeps it
LAST = "(select {0} from main.alert_events e where e.alert_id = alerts.id and e.at <= :at order by e.id desc limit 1)"
SERVED = """(select version from main.endpoint_events e where e.endpoint = endpoints.name and e.kind = 'swap'
  and e.at <= :at order by e.id desc limit 1)"""
# A share that was moved since says in words what it was before: "20 % → 40 %".
SHARED = """(select cast(e.why as real) from main.endpoint_events e where e.endpoint = splits.endpoint
  and e.kind = 'share' and e.at > max(:at, splits.started_at) and e.at <= coalesce(splits.ended_at, e.at)
  order by e.id limit 1)"""
NAMED = """(select version from main.alias_events a where a.model = endpoints.model and a.alias = endpoints.alias
  and a.at <= :at order by a.id desc limit 1)"""
STREAMED = """exists (select 1 from main.monitor_streams s where s.endpoint = {0}.endpoint and s.model = {0}.model
  and s.version = {0}.version and s.labels_at <= :at)"""
CAME_TO = """(select e.what from main.retraining_events e where e.cause = retrainings.cause and e.at <= :at
  and e.what in ('challenger', 'promoted') order by e.id desc limit 1)"""
OF_CURSOR = """from temp.monitor_windows w where w.endpoint = monitor_cursors.endpoint
  and w.model = monitor_cursors.model and w.version = monitor_cursors.version"""
WINDOWED = f"exists (select 1 {OF_CURSOR})"
NEWEST = f"(select max(w.ends) - 1 {OF_CURSOR})"
JUDGED = "coalesce(judged_at, computed_at)"
LABEL_FIGURES = (
    "label_share", "roc_auc", "roc_auc_error", "log_loss", "brier", "value_per_1000", "mean_absolute_error",
)  # fmt: skip
ASKED = "(select coalesce(max(id), 0) from main.requests where at <= :at)"

STATE: dict[str, Then] = {
    "config_history": since("at"),
    "jobs": work(
        progress=once("ended_at", "progress"), progress_text="''", pid="null", cancel_asked="0", stops_for="null",
        result=once("ended_at", "result"), peak_bytes=once("ended_at", "peak_bytes"),
    ),
    "allocations": since("started_at", "ended_at", ended=once("ended_at", "ended", "''")),
    "job_events": since("at"),
    "services": NOBODY,
    "snapshots": since("created_at", checked_at="min(checked_at, :at)"),
    "snapshot_members": of("snapshots", "snapshot_id"),
    "source_syncs": since("at"),
    "scheduled_syncs": since("queued_at"),
    "versions": since("created_at", "removed_at", linked_at="min(linked_at, :at)"),
    "links": of("versions", "version_id"),
    "collections": since("at"),
    "diffs": since("created_at"),
    "profiles": since("measured_at"),
    "missing_patterns": since("measured_at"),
    "feature_rankings": since("computed_at"),
    "feature_scores": of("feature_rankings", "version_id", "version_id"),
    "feature_matrices": since("computed_at"),
    "feature_folds": since("at"),
    "feature_sets": since("at"),
    "feature_set_notes": since("at"),
    "check_runs": since("ended_at"),
    "check_results": of("check_runs", "check_run_id"),
    "waivers": since("at"),
    "code_events": since("at"),
    "label_queues": since("created_at"),
    "label_items": of("label_queues", "queue_id"),
    "label_claims": since("at"),
    "label_events": since("at"),
    "label_applications": since("at"),
    "runs": work(
        "deleted_at", "archived_at", rounds_done=once("ended_at", "rounds_done", "0"),
        best_round=once("ended_at", "best_round"), model_sha256=once("ended_at", "model_sha256"),
    ),
    "run_params": of("runs", "run_id"),
    "run_metrics": Then("coalesce(at, 0) <= :at and run_id in (select id from temp.runs)"),
    "run_tags": of("runs", "run_id"),
    "run_predictions": since("at"),
    "run_pairs": since("at"),
    "run_datasets": of("runs", "run_id"),
    "run_models": of("runs", "run_id"),
    "importances": Then("run_id in (select id from main.runs where ended_at <= :at)"),
    "experiments": since("created_at", "deleted_at", updated_at="min(updated_at, :at)"),
    "experiment_tags": of("experiments", "experiment_id"),
    "evaluations": since("created_at"),
    "gates": since("at"),
    "explanations": since("at"),
    "ablations": since("at"),
    "verifications": since("at"),
    "interpretations": since("at"),
    "sweeps": since(
        "created_at", "ended_at", state=once("ended_at", "state", "'running'"), why=once("ended_at", "why", "''"),
        insight=once("ended_at", "insight", "''"),
    ),
    "sweep_trials": since(
        "created_at", "ended_at", state=once("ended_at", "state", "'running'"), why=once("ended_at", "why", "''"),
        vals=once("ended_at", "vals", "'[]'"), last_round=once("ended_at", "last_round"),
        last_value=once("ended_at", "last_value"),
    ),
    "sweep_events": since("at"),
    "logged_models": since("created_at", "deleted_at", updated_at="min(updated_at, :at)")._replace(rowid=True),
    "logged_model_tags": of("logged_models", "model_id"),
    "logged_model_params": of("logged_models", "model_id"),
    "logged_model_metrics": since("at"),
    "registered_models": since("created_at", updated_at="min(updated_at, :at)"),
    "registered_model_tags": of("registered_models", "name", "name"),
    "registered_versions": since("created_at", "deleted_at", updated_at="min(updated_at, :at)"),
    "registered_version_tags": of("registered_versions", "version_id"),
    "registered_alias_events": since("at"),
    "models": since("created_at"),
    "model_versions": since("created_at")._replace(rowid=True),
    "model_exports": since("at"),
    "alias_events": since("at"),
    "endpoints": since(
        "created_at", ready=once("changed_at", "ready", "0"), serving_version=f"coalesce({SERVED}, {NAMED})",
         why="''", changed_at="min(changed_at, :at)"
    ),
    "endpoint_workers": NOBODY,
    "endpoint_events": since("at"),
    "splits": since(
        "started_at", "ended_at", state=once("ended_at", "state", "'running'"), why=once("ended_at", "why", "''"),
        standings=once("ended_at", "standings", "'[]'"), percent=f"coalesce({SHARED}, percent)",
    ),
    "load_tests": since("at"),
    "monitor_windows": Then(
        f"{JUDGED} <= :at",
        {
            "closed": "iif(closed_at > :at, 0, closed)",
            "labels_settled": "iif(labels_settled_at > :at, 0, labels_settled)",
            "labelled": once("computed_at", "labelled", "0"),
            **{name: once("computed_at", name) for name in LABEL_FIGURES},
            "late": once("computed_at", "late", "0"),
            "computed_at": "min(computed_at, :at)",
        },
        former=("main.monitor_judgements", "window"),
    ),
    "monitor_features": Then(
        f"window_id in (select id from main.monitor_windows where {JUDGED} <= :at)",
        former=("main.monitor_judgements, json_each(features)", "value"),
    ),
    "monitor_judgements": since("replaced_at"),
    "monitor_references": since("created_at"),
    "monitor_reference_hours": Then(
        "exists (select 1 from main.monitor_references r where r.model = monitor_reference_hours.model"
        " and r.version = monitor_reference_hours.version and r.created_at <= :at)"
    ),
    "monitor_baselines": since("created_at"),
    "monitor_contrasts": since("created_at"),
    "monitor_figures": since("measured_at"),
    "monitor_waivers": since("at"),
    "monitor_cursors": Then(
        f"arrived_at <= :at or {WINDOWED}",
        {
            "newest_event": f"iif(arrived_at <= :at, newest_event, min(newest_event, {NEWEST}))",
            "newest_label_event": once("arrived_at", "newest_label_event", "0"),
            "problem": once("arrived_at", "problem", "''"),
            "arrived_at": "min(arrived_at, :at)",
        },
        rowid=True,
    ),
    "monitor_parts": Then(
        "exists (select 1 from main.monitor_cursors c where c.endpoint = monitor_parts.endpoint"
        " and c.model = monitor_parts.model and c.version = monitor_parts.version and c.arrived_at <= :at)"
    ),
    "monitor_streams": since("labels_at"),
    "monitor_stream_points": Then(STREAMED.format("monitor_stream_points")),
    "monitor_detections": Then(STREAMED.format("monitor_detections")),
    "monitor_findings": since("since", "gone_at"),
    "monitor_inspections": since("at"),
    "retrainings": since(
        "created_at", outcome=f"coalesce({CAME_TO}, '')", found=f"iif({CAME_TO} is null, null, found)",
        challenger_version=f"iif({CAME_TO} is null, null, challenger_version)",
        job_id="(select j.id from main.jobs j where j.id = job_id and j.created_at <= :at)",
        run_id="(select r.id from main.runs r where r.id = run_id and r.created_at <= :at)",
    ),
    "retraining_events": since("at"),
    "retraining_studies": since("created_at"),
    "retraining_points": Then(
        "study_id in (select s.id from main.retraining_studies s join main.jobs j on j.id = s.job_id"
        " where j.ended_at <= :at)"
    ),
    "incidents": since("opened_at", "ended_at"),
    "alerts": Then(
        "exists (select 1 from main.alert_events e where e.alert_id = alerts.id and e.at <= :at)",
        {
            **since("", "fired_at", "acknowledged_at", "resolved_at", "told_at", "escalated_at").columns,
            "state": LAST.format("e.state"),
            "state_at": LAST.format("e.at"),
            "value": LAST.format("e.value"),
            "message": once("updated_at", "message", LAST.format("e.why")),
            "acknowledged_by": once("acknowledged_at", "acknowledged_by"),
            "acknowledged_until": once("acknowledged_at", "acknowledged_until"),
            "incident_id": once("fired_at", "incident_id"),
            "silence_id": "(select s.id from main.silences s where s.id = alerts.silence_id and s.starts <= :at)",
            "window_id": "(select w.id from temp.monitor_windows w where w.id = alerts.window_id)",
            "flaps": once("updated_at", "flaps", "0"),
            "updated_at": "min(updated_at, :at)",
        },
    ),
    "alert_events": since("at"),
    "alert_conditions": since("since"),
    "silences": since("starts", "ended_at", ended_by=once("ended_at", "ended_by")),
    "notifications": since(
        "queued_at", "sent_at", state=once("sent_at", "state", "'queued'"), title=once("sent_at", "title", "''"),
        done=once("sent_at", "done", "'[]'"),
    ),
    "notification_alerts": of("notifications", "notification_id"),
    "origins": since("at")._replace(rowid=True),
}  # fmt: skip

METRICS: dict[str, Then] = {
    "metric_points": since("at"),
    "telemetry": Then("at + resolution * 1000 <= :at"),
    "latest": since("at"),
    "endpoint_minutes": Then("at + 60000 <= :at"),
    "used": Then("at + width * 1000 <= :at"),
}

PREDICTIONS: dict[str, Then] = {
    "requests": since("at"),
    "predictions": Then(f"request_id <= {ASKED}"),
    "actuals": since("at"),
    "traffic": Then("starts + 10000 <= :at"),
    "split_counts": NOBODY,
    "split_cursors": NOBODY,
    "shadows": since("at"),
    "schema_faults": since("last_at"),
    "endpoint_meters": NOBODY,
}

TABLES: "dict[Name, dict[str, Then]]" = {"state": STATE, "metrics": METRICS, "predictions": PREDICTIONS}


def look_back(connection: "sqlite3.Connection", name: "Name", at: int) -> None:
    """Make every query of a connection read what was there at a moment.

    Args:
        connection: Of one database, open for reading.
        name: Which of the three it is.
        at: Epoch ms.
    """
    connection.execute("pragma query_only = off")  # the file is open for reading alone: only its views are made
    for table, then in TABLES[name].items():
        found = [row[1] for row in connection.execute(f"pragma main.table_info({table})")]
        if found:
            connection.execute(view_of(table, found, then).replace(":at", str(int(at))))
    views = "select sql from main.sqlite_master where type = 'view' order by rowid"
    for (sql,) in connection.execute(views).fetchall():
        connection.execute(f"create temp {sql[len('create ') :]}")  # of the database, it would see its tables alone
    connection.execute("pragma query_only = on")


def view_of(table: str, columns: list[str], then: Then) -> str:
    """Return the SQL of the view that stands for a table; `:at` is still to be put in."""
    taken = [f"{then.columns[name]} as {name}" if name in then.columns else name for name in columns]
    if then.rowid:
        taken.insert(0, "rowid")
    view = f"create temp view {table} as select {', '.join(taken)} from main.{table} where {then.where}"
    if then.former is None:
        return view
    tables, held = then.former
    kept = ", ".join(f"json_extract({held}, '$.{name}') as {name}" for name in columns)
    then_told = f"select {kept} from {tables} where judged_at <= :at and replaced_at > :at"
    return f"{view} union all select {', '.join(taken)} from ({then_told})"
