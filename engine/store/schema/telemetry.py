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
