"""Tables of the registry and the endpoints: versions, aliases as events, and who serves what."""

TABLES = (
    """create table models (
        name text primary key,
        note text not null default '',
        created_at integer not null
    ) strict""",
    """create table model_versions (
        model text not null references models (name),
        version integer not null,
        run_id integer not null references runs (id),
        sha256 text not null,                    -- of the model's file
        path text not null,                      -- below .lemnis, named by its hash
        bytes integer not null,
        signature text not null,                 -- JSON: features with type and categories, classes, threshold
        golden text not null,                    -- JSON {"rows": [{feature: value}…], "answers": [[score…]…]}
        threshold real,
        who text not null, why text not null, created_at integer not null,
        primary key (model, version)
    ) strict""",
    """create table alias_events (
        id integer primary key,
        model text not null references models (name),
        alias text not null,                     -- champion, challenger …
        kind text not null check (kind in ('promote', 'rollback', 'withdraw')),
        version integer,                         -- null: the alias was taken away
        previous integer,
        forced integer not null default 0,       -- 1: moved although the gates said no
        who text not null, why text not null, at integer not null,
        evidence text not null default '{}'      -- JSON: verdict, gates and metrics at that moment
    ) strict""",
    "create index alias_events_alias on alias_events (model, alias, id desc)",
    """create view aliases as
        select model, alias, version, at, who, why from alias_events a
        where id = (select max(id) from alias_events b where b.model = a.model and b.alias = a.alias)
          and version is not null""",
    """create table endpoints (
        name text primary key,                   -- its service is 'endpoint:NAME'
        model text not null references models (name),
        alias text not null,
        host text not null, port integer not null,
        serving_version integer,                 -- what the process answers with now
        ready integer not null default 0,
        why text not null default '',
        created_at integer not null, changed_at integer not null
    ) strict""",
)
