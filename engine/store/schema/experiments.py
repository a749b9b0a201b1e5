"""Tables of the experiments: runs with every condition recorded."""

from lemnis.engine.store.revisions import triggers
from lemnis.engine.store.schema.jobs import STATES

TABLES = (
    f"""create table runs (
        id integer primary key,
        name text not null,
        state text not null default 'queued' check (state in {STATES}),
        why text not null default 'waiting for a free slot',
        job_id integer references jobs (id),
        preset text not null default '',
        algorithm text not null default 'lightgbm',
        task text not null default '',
        target text not null default '',
        version_id text references versions (id),
        features text not null default '[]',     -- JSON list, in the model's order
        feature_set text not null default '',
        problem_sha256 text not null default '',
        seed integer,
        device_asked text not null default 'cpu', -- auto, cpu, gpu, cuda
        device text not null default '',         -- what it really trained on
        cores real not null default 1,           -- threads, which decide the last bits of a model
        memory_bytes integer not null default 0,
        machine text not null default '{{}}',    -- JSON: host, cores, memory, gpu, os
        code_version text not null default '',   -- git commit, with + when the tree was changed
        libraries text not null default '{{}}',  -- JSON {{package: version}}
        rounds integer, rounds_done integer not null default 0, best_round integer,
        model_sha256 text,
        reproduces integer references runs (id),
        note text not null default '',
        pinned integer not null default 0,
        deleted_at integer,
        user text not null default '',
        created_at integer not null, started_at integer, ended_at integer
    ) strict""",
    "create index runs_created on runs (deleted_at, id desc)",
    """create table run_params (
        run_id integer not null references runs (id) on delete cascade,
        key text not null, value text not null,
        number real,                             -- the value where it is one
        primary key (run_id, key)
    ) strict, without rowid""",
    "create index run_params_value on run_params (key, value, run_id)",
    "create index run_params_number on run_params (key, number, run_id)",
    """create table run_metrics (
        run_id integer not null references runs (id) on delete cascade,
        key text not null, value real, step integer not null default 0,   -- null is NaN
        primary key (run_id, key)
    ) strict, without rowid""",
    "create index run_metrics_value on run_metrics (key, value desc, run_id)",
    """create table run_tags (
        run_id integer not null references runs (id) on delete cascade,
        key text not null, value text not null default '', number real,
        primary key (run_id, key)
    ) strict, without rowid""",
    # A run's state is its job's state: said once, by the worker or the supervisor, and kept equal here.
    """create trigger run_follows_job after update of state, why on jobs when new.run_id is not null
       begin
         update runs set state = new.state, why = new.why,
           started_at = coalesce(new.started_at, started_at), ended_at = new.ended_at
         where id = new.run_id;
       end""",
)

LATER = {
    "m024_many_runs": (
        "alter table runs add column archived_at integer",
        # What lists ask of a run, beside each other: a run's own row has a kilobyte of conditions.
        """create index runs_listed on runs (deleted_at, archived_at, id, name, state, preset, version_id, feature_set,
           task, target, seed, device, user, rounds_done, best_round, pinned, reproduces, created_at, started_at,
           ended_at, note)""",
        "drop index runs_created",
        "create index runs_hidden on runs (id) where deleted_at is not null or archived_at is not null",
        "create index runs_pinned on runs (id) where pinned",
        # Read backwards it is largest first, and of equals the newest first.
        "create index run_metrics_order on run_metrics (key, value, run_id)",
        "drop index run_metrics_value",
        "create index run_params_order on run_params (key, number, value, run_id)",
        "drop index run_params_number",
    ),
    "m025_remembered": (
        """create table remembered (
            user text not null, what text not null,
            value text not null,                 -- JSON
            at integer not null,
            primary key (user, what)
        ) strict, without rowid""",
    ),
    "m026_comparison": (
        # What a run's model answers on held-out rows is predictions.parquet in its folder; this says what is in it.
        """create table run_predictions (
            run_id integer primary key references runs (id) on delete cascade,
            sha256 text not null,                -- of the file; another file is not trusted
            model_sha256 text not null,          -- of the model that answered
            bytes integer not null,
            parts text not null,                 -- JSON {part: {rows, of, rows_sha256}}
            gains text not null,                 -- JSON [{feature, gain, splits}]
            at integer not null
        ) strict""",
        """create table run_pairs (
            run_id integer not null references runs (id) on delete cascade,
            baseline_id integer not null references runs (id) on delete cascade,
            part text not null,                  -- validation, test
            basis text not null,                 -- hash of everything the result follows from
            detail text not null,                -- JSON of the whole record: every measure with interval and p
            at integer not null,
            primary key (run_id, baseline_id, part)
        ) strict, without rowid""",
        *triggers("evaluate", "run_pairs"),
    ),
    "m027_algorithms": (
        "alter table runs add column group_name text not null default ''",  # of runs that were started together
        # Up to here every training was LightGBM's, and its parameters said how its trees were grown.
        """update runs set algorithm = coalesce(
             (select case value when 'dart' then 'dart' when 'goss' then 'goss'
                when 'rf' then 'rf' when 'random_forest' then 'rf' end
              from run_params where run_id = runs.id and key in ('boosting', 'boosting_type', 'boost')
                and value not in ('gbdt', 'gbrt')),
             (select case key when 'data_sample_strategy' then value else key end
              from run_params where run_id = runs.id and (key, value) in (values
                ('data_sample_strategy', 'goss'), ('linear_tree', 'true'), ('extra_trees', 'true'))
              order by key limit 1),
             'gbdt')
           where algorithm = 'lightgbm'""",
        "drop index runs_listed",
        """create index runs_listed on runs (deleted_at, archived_at, id, name, state, preset, algorithm, version_id,
           feature_set, task, target, seed, device, user, rounds_done, best_round, pinned, reproduces, created_at,
           started_at, ended_at, group_name, note)""",
        "create index runs_grouped on runs (group_name) where group_name != ''",
    ),
    "m038_many_pairs": (
        # A run comes with dozens of these at once: what writes them moves the topic, once for all of them.
        "drop trigger revise_run_params_insert",
        "drop trigger revise_run_metrics_insert",
        "drop trigger revise_run_metrics_update",
        "drop trigger revise_run_tags_insert",
    ),
    "m041_one_index": (
        # Each parameter of a run is a page of an index to write; a text is found in run_params_order, after a null.
        "drop index run_params_value",
    ),
}
