"""Tables of validation: each run of the checks, each verdict, and what was waived."""

TABLES = (
    """create table check_runs (
        id integer primary key,
        version_id text not null references versions (id),
        job_id integer,
        started_at integer not null, ended_at integer,
        passed integer not null default 0, warned integer not null default 0,
        failed integer not null default 0, not_evaluated integer not null default 0
    ) strict""",
    """create table check_results (
        check_run_id integer not null references check_runs (id) on delete cascade,
        position integer not null,
        name text not null,
        kind text not null,                      -- row_count, not_null, unique, code_list, reference, range, sql
        column_name text not null default '',
        severity text not null,                  -- warn, fail
        verdict text not null check (verdict in ('pass', 'warn', 'fail', 'not evaluated')),
        failing integer,                         -- rows; null when not evaluated
        total integer,
        allowed integer not null default 0,      -- failing rows that are still fine
        message text not null,
        sql text not null,                       -- the query that lists the failing rows
        sample text not null default '[]',       -- JSON list of failing rows, bounded
        top text not null default '[]',          -- JSON [{"value", "rows"}] of the offending values
        duration_ms integer,
        primary key (check_run_id, name)
    ) strict""",
    """create table waivers (
        id integer primary key,
        check_name text not null,
        until integer not null,
        why text not null, who text not null, at integer not null
    ) strict""",
)
