"""Tables of the monitor: windows over served predictions, their drift and performance, and the alerts."""

from lemnis.engine.store.revisions import triggers

TABLES = (
    """create table monitor_windows (
        id integer primary key,
        endpoint text not null,
        model text not null, version integer not null,
        starts integer not null, ends integer not null,      -- epoch ms of event time
        rows integer not null,
        duplicates integer not null default 0,   -- further rows of a key that was counted before
        labelled integer not null default 0,
        verdict text not null check (verdict in ('ok', 'watch', 'drift', 'insufficient', 'no data')),
        why text not null default '',
        max_psi real, important_psi real, weighted_psi real, missing_rise real,
        prediction_psi real, prediction_mean real, predicted_share real, label_share real,
        reference_mean real, reference_share real,
        roc_auc real, roc_auc_error real, log_loss real, brier real, value_per_1000 real, mean_absolute_error real,
        reference_auc real, reference_log_loss real,
        schema_changes text not null default '[]',           -- JSON list of sentences
        closed integer not null default 0,       -- 1 when no more rows are expected
        labels_settled integer not null default 0,           -- 1 when no more labels are expected
        tally text not null,                     -- JSON: counts per bin; new rows are added to them
        computed_at integer not null,
        unique (endpoint, model, version, starts)
    ) strict""",
    """create table monitor_features (
        window_id integer not null references monitor_windows (id) on delete cascade,
        position integer not null,               -- in the signature; the prediction is last
        feature text not null,
        kind text not null,                      -- numeric, categorical, prediction
        psi real not null, jensen_shannon real not null,
        threshold real not null,                 -- of drift, sampling noise included
        rule text not null,                      -- the threshold in words
        verdict text not null,                   -- ok, watch, drift, insufficient
        importance real,                         -- share of the model's gain, 0 to 1; null for the prediction
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
    """create table monitor_cursors (
        endpoint text not null, model text not null, version integer not null,
        width text not null default '',          -- of the windows; another one in lemnis.toml counts everything anew
        prediction_id integer not null default 0,            -- the last row of predictions that was counted
        labels_at integer not null default 0, labels integer not null default 0,  -- the newest label seen, and how many
        newest_event integer not null default 0, newest_label_event integer not null default 0,
        arrived_at integer not null default 0,   -- when the last new row or label was seen
        problem text not null default '',        -- why its rows can't be judged
        primary key (endpoint, model, version)
    ) strict""",
    """create table alerts (
        id integer primary key,
        rule text not null,
        endpoint text not null,
        severity text not null,                  -- page, ticket
        state text not null check (state in ('pending', 'firing', 'acknowledged', 'resolved')),
        metric text not null,
        message text not null,
        value real, threshold real,
        window_id integer references monitor_windows (id) on delete set null,
        opened_in integer references monitor_windows (id) on delete set null,
        since integer not null, fired_at integer, acknowledged_at integer, acknowledged_by text, resolved_at integer,
        breaches integer not null default 1,     -- settled windows in a row
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
    "create index alert_events_alert on alert_events (alert_id, id)",
)

LATER = {
    "m045_monitor_parts": (
        # Counts a minute, an hour and a day of event time; a window of any width is the sum of some of them.
        """create table monitor_parts (
            endpoint text not null, model text not null, version integer not null,
            tier text not null check (tier in ('minute', 'hour', 'day')),
            starts integer not null,                 -- epoch ms of event time
            tally blob not null,                     -- MessagePack, compressed by zlib: counts per bin
            changes integer not null default 1,      -- times rows were added, or labels of its rows came
            primary key (endpoint, model, version, tier, starts)
        ) strict""",
        # The counts of windows can't be divided: the logged rows are read once more.
        "update monitor_cursors set prediction_id = 0, labels_at = 0, labels = 0",
        "update monitor_windows set closed = 0, labels_settled = 0",
        "alter table monitor_windows drop column tally",
        "alter table monitor_windows add column late integer not null default 0",  # rows that came after it had closed
        "alter table monitor_cursors add column misdated integer not null default 0",  # rows of no believable time
    ),
    "m043_scores": (
        "alter table monitor_windows add column false_alarms integer",  # of null_runs runs of training windows
        "alter table monitor_windows add column null_runs integer",
        "alter table monitor_windows add column null_rows integer",
        "alter table monitor_features add column method text not null default 'kolmogorov_smirnov'",
        "alter table monitor_features add column score real not null default 0",  # what `threshold` bounds
        "alter table monitor_features add column kolmogorov_smirnov real",
        "alter table monitor_features add column chi_square real",
        "alter table monitor_features add column wasserstein real",
        "alter table monitor_features add column p real not null default 1",
        "alter table monitor_features add column p_adjusted real not null default 1",
        "alter table monitor_features add column suspected integer not null default 0",  # by this window alone
        # References have finer cells now: they are made again, and the windows counted again from the predictions.
        "delete from monitor_windows",
        "delete from monitor_references",
        "update monitor_cursors set width = ''",
    ),
    "m047_alerting": (
        # The states of an alert are checked by its table, which SQLite can't alter: both are made anew.
        "create table alert_events_before as select * from alert_events",
        "drop table alert_events",
        "create table alerts_before as select * from alerts",
        "drop table alerts",
        """create table incidents (
            id integer primary key,
            cause text not null,                     -- data, labels, serving, split
            endpoint text not null,                  -- '' where it is the whole workspace's
            model text not null, version integer not null,       -- '' and 0 where no model is concerned
            opened_at integer not null,              -- when its first alert fired
            ended_at integer                         -- when its last open alert was resolved
        ) strict""",
        "create unique index incidents_open on incidents (cause, endpoint, model, version) where ended_at is null",
        """create table silences (
            id integer primary key,
            rule text not null,                      -- '' for every rule
            endpoint text not null,                  -- '' for every endpoint
            who text not null, why text not null,
            starts integer not null, until integer not null,
            ended_at integer, ended_by text          -- when a person ended it early
        ) strict""",
        """create table alerts (
            id integer primary key,
            rule text not null,
            endpoint text not null,
            severity text not null,                  -- page, ticket
            state text not null check
              (state in ('pending', 'firing', 'acknowledged', 'silenced', 'inhibited', 'flapping', 'resolved')),
            state_at integer not null,               -- when it got that state
            metric text not null, cause text not null,
            model text not null default '', version integer not null default 0,
            incident_id integer references incidents (id),       -- null before it fired
            message text not null,
            value real, threshold real,
            window_id integer references monitor_windows (id) on delete set null,
            opened_starts integer, opened_version integer,       -- the window it was opened in: start, model version
            seen_starts integer, seen_version integer,           -- the window that speaks for it now
            since integer not null, fired_at integer,
            acknowledged_at integer, acknowledged_by text, acknowledged_until integer,
            silence_id integer references silences (id),
            inhibited_by text not null default '',
            flaps integer not null default 0,        -- 1 while its verdict changes too often
            told_at integer, escalated_at integer,   -- when contacts were last told of it
            resolved_at integer,
            breaches integer not null default 1,     -- settled windows in a row
            handling text not null default '{}',     -- JSON: who is told, when, by what it is explained, the runbook
            updated_at integer not null
        ) strict""",
        "create unique index alerts_open on alerts (rule, endpoint) where state != 'resolved'",
        "create index alerts_incident on alerts (incident_id)",
        """insert into alerts (id, rule, endpoint, severity, state, state_at, metric, cause, model, version, message,
              value, threshold, window_id, opened_starts, opened_version, seen_starts, seen_version, since, fired_at,
              acknowledged_at, acknowledged_by, resolved_at, breaches, updated_at)
            select a.id, a.rule, a.endpoint, a.severity, a.state, a.updated_at, a.metric,
              case when a.metric = 'split' then 'split'
                when a.metric in ('roc_auc', 'log_loss', 'brier', 'label_share', 'value_per_1000',
                                  'mean_absolute_error') then 'labels' else 'data' end,
              coalesce(w.model, ''), coalesce(w.version, 0), a.message, a.value, a.threshold, a.window_id,
              o.starts, o.version, w.starts, w.version, a.since, a.fired_at, a.acknowledged_at, a.acknowledged_by,
              a.resolved_at, a.breaches, a.updated_at
            from alerts_before a left join monitor_windows w on w.id = a.window_id
              left join monitor_windows o on o.id = a.opened_in""",
        "drop table alerts_before",
        """create table alert_events (
            id integer primary key,
            alert_id integer not null references alerts (id) on delete cascade,
            at integer not null,
            state text not null,
            who text not null, why text not null,
            value real
        ) strict""",
        "insert into alert_events select id, alert_id, at, state, who, why, value from alert_events_before",
        "drop table alert_events_before",
        "create index alert_events_alert on alert_events (alert_id, id)",
        # What a rule says of an endpoint where it raises nothing.
        """create table alert_conditions (
            rule text not null, endpoint text not null,
            state text not null check (state in ('ok', 'no data', 'insufficient')),
            since integer not null, why text not null, value real,
            primary key (rule, endpoint)
        ) strict, without rowid""",
        # Messages that wait for being sent or were: written with the change they tell of.
        """create table notifications (
            id integer primary key,
            contact text not null,
            kind text not null,                      -- fired, flapping, repeated, escalated, resolved
            incident_id integer not null references incidents (id),
            state text not null check (state in ('queued', 'sent', 'failed')),
            attempts integer not null default 0,
            next_at integer not null,                -- not sent before
            queued_at integer not null, sent_at integer,
            title text not null default '',          -- as it was sent
            reason text not null default '',         -- why the last attempt failed
            done text not null default '[]'          -- JSON: those of the contact's addresses that have it
        ) strict""",
        "create index notifications_next on notifications (next_at) where state = 'queued'",
        """create table notification_alerts (
            notification_id integer not null references notifications (id) on delete cascade,
            alert_id integer not null references alerts (id) on delete cascade,
            primary key (notification_id, alert_id)
        ) strict, without rowid""",
        "create index notification_alerts_alert on notification_alerts (alert_id)",
        *(
            statement
            for table in ("alerts", "alert_events", "alert_conditions", "silences", "incidents", "notifications")
            for statement in triggers("monitor", table)
        ),
    ),
    "m044_contrasts": (
        # What tells the rows of a window (of any width) from training rows.
        """create table monitor_contrasts (
            endpoint text not null, model text not null, version integer not null,
            starts integer not null, ends integer not null,      -- epoch ms of event time
            contrast text not null default '',       -- JSON; empty while a job looks into it
            created_at integer not null,
            primary key (endpoint, model, version, starts, ends)
        ) strict""",
    ),
    "m063_reference_hours": (
        # References made before stay as they are: they are compared with all training rows.
        """create table monitor_reference_hours (
            model text not null, version integer not null,
            hour integer not null check (hour between 0 and 167),    -- of the week, UTC, from Monday 00:00
            tally blob not null,                     -- MessagePack, compressed by zlib: training rows per bin
            primary key (model, version, hour)
        ) strict""",
    ),
    "m064_judgements": (
        "alter table monitor_windows add column judged_at integer",  # since when it is judged so; null: computed_at
        "alter table monitor_windows add column closed_at integer",  # null: not closed, or nobody noted when
        "alter table monitor_windows add column labels_settled_at integer",
        # What was said of a window, and of its features, before it was judged again.
        """create table monitor_judgements (
            id integer primary key,
            endpoint text not null, model text not null, version integer not null,
            starts integer not null, ends integer not null,      -- epoch ms of event time
            judged_at integer not null, replaced_at integer not null,
            window text not null,                    -- JSON: the row of monitor_windows
            features text not null default '[]'      -- JSON: of monitor_features; none of too few rows
        ) strict""",
        "create index monitor_judgements_window on monitor_judgements (endpoint, model, version, starts, judged_at)",
        "create index monitor_judgements_replaced on monitor_judgements (replaced_at)",
        *triggers("monitor", "monitor_judgements"),
    ),
    "m065_more_metrics": (
        "alter table monitor_windows add column skew real",  # largest move of a share that is no chance
        "alter table monitor_windows add column skewed text not null default ''",  # which one, in words
    ),
}
