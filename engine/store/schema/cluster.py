"""What a run or a job on a cluster has beside the others'."""

TABLES: tuple[str, ...] = ()

LATER = {
    "m033_cluster": (
        "alter table runs add column executor text not null default 'local' check (executor in ('local', 'dask'))",
        "alter table runs add column spread integer not null default 0",  # 1: one training over all workers
        "alter table runs add column cluster text not null default '{}'",  # JSON: scheduler, workers, what was lost
        "alter table jobs add column executor text not null default 'local' check (executor in ('local', 'dask'))",
        "alter table jobs add column host_id integer",  # the job in whose process this one is done; null: its own
    ),
}
