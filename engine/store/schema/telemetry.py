"""Tables of metrics.db: high-rate points of runs and of the machine."""

TABLES = (
    """create table metric_points (
        run_id integer not null, key text not null, step integer not null, at integer not null, value real,
        primary key (run_id, key, step)
    ) strict, without rowid""",
    """create table telemetry (
        source text not null,                    -- host, gpu:0 …
        resolution integer not null,             -- seconds one row stands for: 1, 10, 60, 600
        at integer not null,                     -- epoch ms, start of the interval, a multiple of the resolution
        sample text not null,                    -- JSON {name: mean over the interval, or null}
        primary key (source, resolution, at)
    ) strict, without rowid""",
    """create table latest (
        name text primary key,                   -- host, processes, gpu
        at integer not null,
        sample text not null                     -- JSON of resources.records
    ) strict""",
)

LATER = {
    "m032_repeated_points": (
        # A client may log several values at one step: a loop that never says its step logs all of them at step 0.
        "alter table metric_points rename to metric_points_before",
        """create table metric_points (
            run_id integer not null, key text not null, step integer not null, at integer not null,
            n integer not null default 0,            -- of the different values at one step and millisecond
            value real,                              -- null is NaN
            primary key (run_id, key, step, at, n)
        ) strict, without rowid""",
        "insert into metric_points (run_id, key, step, at, value) select run_id, key, step, at, value "
        "from metric_points_before",
        "drop table metric_points_before",
    ),
    "m047_alerting": (
        # What the servers' statistics said of each minute; kept as long as an alert rule may be tried on.
        """create table endpoint_minutes (
            endpoint text not null,
            at integer not null,                     -- epoch ms of its start
            version integer not null,                -- of the model that served then; 0 for none
            requests integer not null, errors integer not null,
            p99_ms real,                             -- null without requests
            idle_minutes real,                       -- since the last request; null before the first
            down integer not null,                   -- 1: nobody answered
            label_age_hours real,                    -- since the last label came; null before the first
            primary key (endpoint, at)
        ) strict, without rowid""",
    ),
    "m065_more_metrics": (
        "alter table endpoint_minutes add column concept real",  # 1 drifted or stale, 0.5 to watch; null: unknown
    ),
    "m068_used": (
        # What each job and service used of the machine, added up by the sampler, or counted by a worker at its end.
        """create table used (
            owner text not null,                     -- job:12, endpoint:late, or a service's name
            width integer not null,                  -- seconds the row is the sum of: 60, 3600; 0: a whole attempt
            at integer not null,                     -- epoch ms of its start
            seconds real not null,                   -- in which it was seen
            cpu_s real not null, memory_byte_s real not null, peak_bytes integer not null,
            gpu_s real not null, gpu_peak_bytes integer not null,
            cpu_j real, gpu_j real,                  -- null: no meter could be read
            primary key (owner, width, at)
        ) strict, without rowid""",
        "create index used_at on used (width, at)",
    ),
}
