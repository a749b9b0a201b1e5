"""Tables of validation: each run of the checks, each verdict, and what was waived."""

from lemnis.engine.store.revisions import triggers

TABLES = (
    """create table check_runs (
        id integer primary key,
        version_id text not null references versions (id),
        job_id integer,
        started_at integer not null, ended_at integer not null,
        passed integer not null, warned integer not null, failed integer not null, not_evaluated integer not null
    ) strict""",
    """create table check_results (
        check_run_id integer not null references check_runs (id) on delete cascade,
        position integer not null,
        name text not null,
        kind text not null,                      -- row_count, not_null, unique, code_list, reference, range, sql
        source text not null,                    -- the table it is about; 'data' for the dataset
        rule text not null,                      -- what must hold, in words
        severity text not null,                  -- warn, fail
        owner text not null, why text not null,  -- as declared at that time
        verdict text not null check (verdict in ('pass', 'warn', 'fail', 'not evaluated')),
        failing integer,                         -- rows; null when not evaluated
        total integer,                           -- rows the check speaks of
        distinct_values integer,                 -- different offending values, where it has any
        allowed integer not null,                -- failing rows that are still fine
        message text not null,                   -- what was found, or why nothing was
        waiver_id integer references waivers (id),  -- the waiver that turned a fail into a warning
        sql text not null,                       -- the query that lists the failing rows
        typed integer not null,                  -- 1 where a person wrote that query
        sample text not null,                    -- JSON {"columns", "rows"} of the first failing rows
        top text not null,                       -- JSON [{"value", "rows"}] of the offending values
        duration_ms real not null,
        primary key (check_run_id, name)
    ) strict""",
    "create index check_results_name on check_results (name, check_run_id)",
    """create table waivers (
        id integer primary key,
        check_name text not null,
        until integer not null,                  -- epoch ms; in the past: the waiver before it is taken back
        why text not null, who text not null, at integer not null
    ) strict""",
    "create index waivers_check on waivers (check_name, id)",
)

LATER = {
    "m018_checks_in_depth": (
        "alter table check_runs add column kept text not null default ''",  # file of the failing rows' identities
        "alter table check_results add column limits text not null default ''",  # thresholds in words
        "alter table check_results add column expected text not null default 'null'",  # JSON of a learned interval
        "alter table check_results add column compared text not null default 'null'",  # JSON: against the run before
        """create table code_events (
            id integer primary key,
            list text not null,                  -- the code list
            act text not null,                   -- add, map, deprecate, quarantine; undo takes one back
            codes text not null,                 -- JSON [code] it was about
            target text not null,                -- what they stand for, or are replaced by; a column
            before text not null, after text not null,  -- JSON of what the act changed in lemnis.toml
            undoes integer references code_events (id),
            version_id text,                     -- the dataset version it was decided on
            rows integer,                        -- of that version, that hold these codes
            kept text not null,                  -- file of the rows set aside, below .lemnis/quarantine
            why text not null, who text not null, at integer not null
        ) strict""",
        "create index code_events_list on code_events (list, id)",
        *triggers("validate", "code_events"),
    ),
}
