"""Tables of the monitor: windows over served predictions, their drift and performance, and the alerts."""

TABLES = (
    """create table monitor_windows (
        id integer primary key,
        endpoint text not null,
        model text not null, version integer not null,
        starts integer not null, ends integer not null,      -- epoch ms of event time
        rows integer not null,
        labelled integer not null default 0,
        verdict text not null,                   -- ok, watch, drift, insufficient, no data
        why text not null default '',
        max_psi real,
        prediction_psi real, prediction_mean real, predicted_share real, label_share real,
        reference_mean real, reference_share real,
        roc_auc real, log_loss real, brier real, value_per_1000 real,
        schema_changes text not null default '[]',           -- JSON list of sentences
        closed integer not null default 0,       -- 1 when no more rows are expected
        computed_at integer not null,
        unique (endpoint, model, version, starts)
    ) strict""",
    """create table monitor_features (
        window_id integer not null references monitor_windows (id) on delete cascade,
        feature text not null,
        kind text not null,
        psi real, jensen_shannon real,
        threshold real not null,
        verdict text not null,                   -- ok, watch, drift, insufficient
        importance real,
        missing_share real, reference_missing_share real,
        bins text not null default '{}',         -- JSON {"labels", "reference", "current"} shares
        primary key (window_id, feature)
    ) strict""",
    """create table monitor_references (
        model text not null, version integer not null,
        reference text not null,                 -- JSON: frozen bins per feature and of the prediction
        rows integer not null,
        created_at integer not null,
        primary key (model, version)
    ) strict""",
    """create table alerts (
        id integer primary key,
        rule text not null,
        endpoint text not null,
        severity text not null,                  -- page, ticket
        state text not null check (state in ('pending', 'firing', 'acknowledged', 'resolved')),
        message text not null,
        value real, threshold real,
        window_id integer,
        since integer not null, fired_at integer, acknowledged_at integer, acknowledged_by text, resolved_at integer,
        breaches integer not null default 1,     -- windows in a row
        updated_at integer not null
    ) strict""",
    "create unique index alerts_open on alerts (rule, endpoint) where state != 'resolved'",
    """create table alert_events (
        id integer primary key,
        alert_id integer not null references alerts (id) on delete cascade,
        at integer not null,
        state text not null,
        who text not null, why text not null,
        value real
    ) strict""",
)
