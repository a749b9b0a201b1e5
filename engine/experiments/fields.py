"""What the query language can ask of runs."""

from lemnis.engine.query import Column, Fields, Pairs

NOW = "cast(unixepoch('subsec') * 1000 as integer)"

# What MLflow calls the states of a run.
STATES = {"scheduled": "queued", "killed": "cancelled"}

FIELDS = Fields(
    id="runs.id",
    bare="runs.name || ' #' || runs.id",
    columns={
        "id": Column("runs.id", "number"),
        "name": Column("runs.name"),
        "state": Column("runs.state", words=STATES, folded=True),
        "preset": Column("runs.preset"),
        "algorithm": Column("runs.algorithm"),
        "group": Column("runs.group_name"),
        "data": Column("(select v.name || ' v' || v.number from versions v where v.id = runs.version_id)"),
        "version": Column("runs.version_id"),
        "features": Column("runs.feature_set"),
        "task": Column("runs.task"),
        "target": Column("runs.target"),
        "seed": Column("runs.seed", "number"),
        "device": Column("runs.device"),
        "code": Column("runs.code_version"),
        "experiment": Column("(select e.name from experiments e where e.id = runs.experiment_id)"),
        "kind": Column("runs.algorithm"),
        "user": Column("runs.user"),
        "note": Column("runs.note"),
        "why": Column("runs.why"),
        "rounds": Column("runs.rounds_done", "number"),
        "best_round": Column("runs.best_round", "number"),
        "pinned": Column("runs.pinned", "number"),
        "reproduces": Column("runs.reproduces", "number"),
        "created": Column("runs.created_at", "time"),
        "started": Column("runs.started_at", "time"),
        "ended": Column("runs.ended_at", "time"),
        "age": Column("runs.created_at", "age"),
        "duration": Column(f"coalesce(runs.ended_at, {NOW}) - runs.started_at", "duration"),
    },
    pairs={
        "metrics": Pairs("run_metrics", "run_id", numeric=True),
        "params": Pairs("run_params", "run_id"),
        "tags": Pairs("run_tags", "run_id"),
    },
    aliases={
        "metric": "metrics",
        "param": "params",
        "parameter": "params",
        "parameters": "params",
        "cfg": "params",
        "config": "params",
        "tag": "tags",
        "status": "state",
        "run_id": "id",
        "run_name": "name",
        "user_id": "user",
        "start_time": "started",
        "end_time": "ended",
        "created_at": "created",
        "data_version": "data",
        "model": "preset",
        # MLflow's prefixes of its own columns.
        "attributes": "",
        "attribute": "",
        "attr": "",
        "run": "",
    },
)
