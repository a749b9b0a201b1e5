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

LATER = {
    "m067_pools": (
        "alter table jobs add column project text not null default ''",  # whose share it counts against; '': its user's
        "alter table jobs add column preemptible integer not null default 0",  # 1: it bears a stop and goes on later
        "alter table jobs add column limited integer not null default 0",  # 1: its memory is a bound, not a guess
        "alter table jobs add column gang text not null default ''",
        "alter table jobs add column gang_size integer not null default 0",
        "alter table jobs add column stops_for integer",  # the job it is to make room for
        "alter table jobs add column preemptions integer not null default 0",
        # One row a start of a job: what it held from when to when, and why it was admitted and ended.
        """create table allocations (
            id integer primary key,
            job_id integer not null references jobs (id) on delete cascade,
            epoch integer not null,
            account text not null,                   -- whose share it counted against: a project, else a user
            cores real not null, memory_bytes integer not null, gpu real not null,
            gpus text not null default '[]',         -- JSON: the indexes of the GPUs its share is on
            cpus text not null default '[]',         -- JSON: the processors it is bound to, none for all
            borrowed integer not null default 0,
            why text not null default '',
            started_at integer not null, ended_at integer,
            ended text not null default ''
        ) strict""",
        "create index allocations_job on allocations (job_id, epoch)",
        "create index allocations_started on allocations (started_at)",
        """insert into allocations (job_id, epoch, account, cores, memory_bytes, gpu, started_at, ended_at, ended)
           select id, epoch, submitted_by, cores, memory_bytes, gpu, started_at, ended_at, state from jobs
           where started_at is not null""",
        """create trigger allocation_ends after update of state on jobs
           when old.state in ('preparing', 'running') and new.state not in ('preparing', 'running')
           begin
             update allocations set ended = new.why,
               ended_at = coalesce(new.ended_at, cast(unixepoch('subsec') * 1000 as integer))
             where job_id = new.id and epoch = old.epoch and ended_at is null;
           end""",
        # Who changed a job's place in line, when.
        """create table job_events (
            id integer primary key,
            job_id integer not null references jobs (id) on delete cascade,
            at integer not null,
            user text not null,
            what text not null
        ) strict""",
        "create index job_events_job on job_events (job_id)",
    ),
}
