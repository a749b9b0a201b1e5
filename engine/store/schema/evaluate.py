"""Tables of verification: what was measured on held-out rows, and what the gates say."""

TABLES = (
    """create table evaluations (
        id integer primary key,
        run_id integer not null references runs (id) on delete cascade,
        version_id text not null references versions (id),
        part text not null,                      -- train, validation, test
        rows integer not null,
        metrics text not null,                   -- JSON {name: value}
        intervals text not null default '{}',    -- JSON {name: [low, high]}, 95 %
        curves text not null default '{}',       -- JSON {"roc": [[x, y]…], "pr", "calibration", "threshold"}
        confusion text not null default '{}',    -- JSON {"true_positive", …} or {"labels", "matrix"}
        threshold real,
        value real,                              -- money on these rows
        value_per_1000 real,
        speed text not null default '{}',        -- JSON {"single_ms_p50", "batch_rows_per_s", …}
        by_month text not null default '[]',     -- JSON [{"from", "rows", metric…}]
        created_at integer not null,
        job_id integer,
        unique (run_id, version_id, part)
    ) strict""",
    """create table gates (
        run_id integer not null references runs (id) on delete cascade,
        position integer not null,
        metric text not null,
        part text not null,
        rule text not null,                      -- e.g. >= 0.70
        observed real, low real, high real,
        verdict text not null check (verdict in ('pass', 'fail', 'not enough data')),
        why text not null,
        at integer not null,
        primary key (run_id, position)
    ) strict""",
    """create table importances (
        run_id integer not null references runs (id) on delete cascade,
        feature text not null,
        gain real not null, splits integer not null, contribution real,   -- mean |pred_contrib| on the test rows
        primary key (run_id, feature)
    ) strict""",
)
