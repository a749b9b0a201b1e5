"""Tables of what MLflow clients log: experiments, a run's inputs, logged models, and their registry."""

from lemnis.engine.store.revisions import triggers

TABLES = ()


def pairs(table: str, owner: str) -> str:
    """Return the SQL of a table of texts by name, as the query language asks for them."""
    return f"""create table {table} (
        {owner} on delete cascade on update cascade,
        key text not null, value text not null default '', number real,
        primary key ({owner.split()[0]}, key)
    ) strict, without rowid"""


LATER = {
    "m031_tracking": (
        """create table experiments (
            id integer primary key,
            name text not null unique,
            created_at integer not null, updated_at integer not null, deleted_at integer
        ) strict""",
        # What is trained here and what names no experiment.
        """insert into experiments (id, name, created_at, updated_at)
           select 0, 'Default', unixepoch() * 1000, unixepoch() * 1000""",
        pairs("experiment_tags", "experiment_id integer not null references experiments (id)"),
        "alter table runs add column experiment_id integer not null default 0",
        "alter table runs add column uid text",  # of a run that a client logs: 32 hexadecimal digits
        "create unique index runs_uid on runs (uid) where uid is not null",
        "create index runs_experiment on runs (experiment_id, id)",
        "alter table run_metrics add column at integer",  # epoch ms of the latest value, where a client said it
        """create table run_datasets (
            run_id integer not null references runs (id) on delete cascade,
            name text not null, digest text not null,
            source_type text not null default '', source text not null default '',
            schema text not null default '', profile text not null default '',
            tags text not null default '{}',         -- JSON {key: value}, such as mlflow.data.context
            primary key (run_id, name, digest)
        ) strict, without rowid""",
        """create view run_dataset_facts as
             select run_id, 'name' as key, name as value, null as number from run_datasets
             union all select run_id, 'digest', digest, null from run_datasets
             union all select run_id, 'context', t.value, null from run_datasets, json_each(tags) t
               where t.key = 'mlflow.data.context'""",
        """create table logged_models (
            id text primary key,                     -- m- and 32 hexadecimal digits
            experiment_id integer not null references experiments (id),
            name text not null, type text not null default '',
            run_id integer references runs (id) on delete cascade,   -- which made it
            status text not null default 'LOGGED_MODEL_PENDING', status_message text not null default '',
            created_at integer not null, updated_at integer not null, deleted_at integer
        ) strict""",
        "create index logged_models_experiment on logged_models (experiment_id, created_at)",
        pairs("logged_model_tags", "model_id text not null references logged_models (id)"),
        pairs("logged_model_params", "model_id text not null references logged_models (id)"),
        """create table logged_model_metrics (
            model_id text not null references logged_models (id) on delete cascade,
            run_id integer not null references runs (id) on delete cascade,
            key text not null, dataset_name text not null default '', dataset_digest text not null default '',
            value real, step integer not null, at integer not null,
            primary key (model_id, run_id, key, dataset_name, dataset_digest)
        ) strict, without rowid""",
        """create table run_models (
            run_id integer not null references runs (id) on delete cascade,
            model_id text not null,                  -- of logged_models, or of another store
            direction text not null check (direction in ('input', 'output')),
            step integer not null default 0,
            primary key (run_id, direction, model_id, step)
        ) strict, without rowid""",
        # The registry that clients write: their models are of any framework, so without golden rows and gates.
        """create table registered_models (
            name text primary key,
            description text not null default '',
            created_at integer not null, updated_at integer not null
        ) strict""",
        pairs("registered_model_tags", "name text not null references registered_models (name)"),
        """create table registered_versions (
            id integer primary key,
            name text not null references registered_models (name) on delete cascade on update cascade,
            version integer not null,
            source text not null, run_uid text not null default '', model_id text not null default '',
            run_link text not null default '', description text not null default '',
            stage text not null default 'None', user text not null default '',
            created_at integer not null, updated_at integer not null, deleted_at integer,
            unique (name, version)
        ) strict""",
        pairs("registered_version_tags", "version_id integer not null references registered_versions (id)"),
        """create table registered_alias_events (
            id integer primary key,
            name text not null references registered_models (name) on delete cascade on update cascade,
            alias text not null,
            version integer,                         -- null: the alias was taken away
            at integer not null
        ) strict""",
        """create view registered_aliases as
             select name, alias, version, at from registered_alias_events a
             where id = (select max(id) from registered_alias_events b where b.name = a.name and b.alias = a.alias)
               and version is not null""",
        *triggers("experiments", "experiments"),
        *triggers("deploy", "registered_versions"),
        *triggers("deploy", "registered_alias_events"),
    ),
}
