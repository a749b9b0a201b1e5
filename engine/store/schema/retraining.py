"""Tables of retraining: one row for every cause, written before anything is trained, and every decision."""

from lemnis.engine.store.revisions import triggers

TABLES = ()

LATER = {
    "m053_retraining": (
        """create table retrainings (
            id integer primary key,
            cause text not null unique,              -- of an alert, of a changed problem, or of a person's wish
            kind text not null check (kind in ('alert', 'stale', 'person')),
            endpoint text not null, model text not null,
            reason text not null,
            policy text not null,                    -- in force when it was decided
            who text not null,                       -- policy, or a person
            way text not null default '{}',          -- JSON: which rows are learnt from, and from what it begins
            job_id integer, run_id integer,
            champion_version integer, challenger_version integer,
            found text,                              -- JSON: the challenger beside the champion, when both are measured
            outcome text not null default '',        -- challenger, promoted; empty before
            created_at integer not null
        ) strict""",
        "create index retrainings_endpoint on retrainings (endpoint, id)",
        """create table retraining_events (
            id integer primary key,
            endpoint text not null,
            cause text not null,
            at integer not null,
            who text not null,
            what text not null,                      -- queued, waits, declined, challenger, promoted, kept
            why text not null
        ) strict""",
        "create index retraining_events_cause on retraining_events (cause, id)",
        *triggers("monitor", "retrainings"),
        *triggers("monitor", "retraining_events"),
    ),
    "m054_retraining_studies": (
        # What was tried on past rows: windows to learn from, warm starts, or a retraining every month.
        """create table retraining_studies (
            id integer primary key,
            kind text not null check (kind in ('curve', 'warm', 'backtest')),
            endpoint text not null, model text not null,
            champion_version integer not null,       -- what every point is compared with
            plan text not null,                      -- JSON: what is tried, in order, and on which rows
            who text not null,
            job_id integer,
            created_at integer not null
        ) strict""",
        """create table retraining_points (
            study_id integer not null references retraining_studies (id) on delete cascade,
            place integer not null,                  -- in the plan
            point text not null,                     -- JSON: figures, rows and cost
            primary key (study_id, place)
        ) strict""",
        *triggers("monitor", "retraining_studies"),
        *triggers("monitor", "retraining_points"),
    ),
}
