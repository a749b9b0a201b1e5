"""Tables of the work: jobs that end, and services that must stay up."""

STATES = "('queued', 'preparing', 'running', 'finished', 'failed', 'cancelled', 'lost')"

TABLES = (
    f"""create table jobs (
        id integer primary key,
        kind text not null,
        title text not null,
        arguments text not null,                 -- JSON object
        state text not null default 'queued' check (state in {STATES}),
        why text not null default 'waiting for a free slot',
        run_id integer,                          -- the run this job trains, if it does
        epoch integer not null default 0,        -- raised at every start; a worker's writes carry it
        pid integer, started_ticks integer, boot_id text,
        progress real,                           -- 0..1, null when unknown
        progress_text text not null default '',
        progress_n integer not null default 0,   -- moves with every sign of life
        cores real not null default 1, memory_bytes integer not null default 0, gpu real not null default 0,
        priority integer not null default 50,
        cancel_asked integer not null default 0,
        attempts integer not null default 0,
        peak_bytes integer,
        result text,                             -- JSON object of a finished job
        submitted_by text not null default '',
        created_at integer not null, started_at integer, ended_at integer
    ) strict""",
    "create index jobs_state on jobs (state, priority desc, id)",
    """create table services (
        name text primary key,
        module text not null,                    -- python -m MODULE
        arguments text not null,                 -- JSON list of text
        wanted text not null default 'up' check (wanted in ('up', 'down')),
        state text not null default 'starting' check (state in ('starting', 'up', 'backing off', 'failed', 'down')),
        why text not null default '',
        pid integer, started_ticks integer, boot_id text,
        url text not null default '',
        restarts integer not null default 0,
        started_at integer, updated_at integer not null
    ) strict""",
)
