"""Tables of verification: what was measured on held-out rows, what the gates say, and rows worth a look."""

from lemnis.engine.store.revisions import triggers

TABLES = (
    """create table evaluations (
        id integer primary key,
        run_id integer not null references runs (id) on delete cascade,
        version_id text not null references versions (id),
        part text not null,                      -- train, validation, test
        rows integer not null,
        metrics text not null,                   -- JSON {name: value}
        detail text not null,                    -- JSON of the whole record: intervals, curves, months, speed …
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
        rows_needed integer,
        at integer not null,
        primary key (run_id, position)
    ) strict""",
    """create table importances (
        run_id integer not null references runs (id) on delete cascade,
        feature text not null,
        gain real not null, splits integer not null, contribution real,   -- mean |pred_contrib| on later rows
        primary key (run_id, feature)
    ) strict""",
    """create table explanations (
        run_id integer not null references runs (id) on delete cascade,
        row_key text not null,                   -- the row's key, or # and its number in the version
        position integer not null,
        kind text not null,                      -- missed, false alarm, right, far off, asked
        detail text not null,                    -- JSON of the whole record
        at integer not null,
        primary key (run_id, row_key)
    ) strict""",
)

LATER = {
    "m017_ablations": (
        # Which choice of its set a run was trained with: a set goes on changing under its name. Null: a list by hand.
        "alter table runs add column feature_set_revision integer",
        """create table ablations (
            run_id integer primary key references runs (id) on delete cascade,   -- the one without the features
            parent_id integer not null references runs (id) on delete cascade,
            detail text not null,                -- JSON of the whole record: measures, differences, intervals
            at integer not null
        ) strict""",
        *triggers("evaluate", "ablations"),
    ),
    "m035_verifications": (
        """create table verifications (
            run_id integer not null references runs (id) on delete cascade,
            kind text not null,                  -- slices, perturbations, folds SCHEME
            detail text not null,                -- JSON of the whole record
            at integer not null,
            job_id integer,
            primary key (run_id, kind)
        ) strict""",
        *triggers("evaluate", "verifications"),
        """create table load_tests (
            id integer primary key,
            endpoint text not null,
            model text not null,
            version integer not null,
            detail text not null,                -- JSON of the whole record: waits, memory, cost
            at integer not null,
            job_id integer
        ) strict""",
        "create index load_tests_version on load_tests (model, version, at desc)",
        *triggers("deploy", "load_tests"),
    ),
    "m036_interpretations": (
        """create table interpretations (
            run_id integer not null references runs (id) on delete cascade,
            kind text not null,                  -- contributions, dependences, interactions, failures
            detail text not null,                -- JSON of the whole record
            at integer not null,
            primary key (run_id, kind)
        ) strict""",
        *triggers("evaluate", "interpretations"),
    ),
}
