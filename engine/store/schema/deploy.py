"""Tables of the registry and the endpoints: versions, aliases as events, and who serves what."""

from lemnis.engine.store.revisions import triggers

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

LATER = {
    "m034_rollout": (
        "alter table endpoints add column workers integer not null default 1",
        # One process of an endpoint. Its service is 'endpoint:NAME', of every further one 'endpoint:NAME#2' and so on.
        """create table endpoint_workers (
            endpoint text not null references endpoints (name),
            worker integer not null,                 -- 1 and up
            pid integer not null,
            version integer,                         -- what it answers with now
            standby integer,                         -- the version before, loaded still
            event integer,                           -- the alias event it has settled last
            ready integer not null default 0,
            why text not null default '',
            swap_ms real,                            -- from the alias event to the first answer of the new version
            drill text not null default '',          -- what is wrong with the standby's golden answers, '' for nothing
            drill_ms real,                           -- what asking the standby took; null before there was one
            challenger integer,                      -- the version it splits requests with
            changed_at integer not null,
            primary key (endpoint, worker)
        ) strict""",
        """create table splits (
            id integer primary key,
            endpoint text not null references endpoints (name),
            mode text not null check (mode in ('canary', 'shadow')),
            champion integer not null, challenger integer not null,    -- versions
            alias text not null,                     -- the challenger's, at the start
            percent real not null,                   -- of the requests, 0 to 100
            key text not null default '',            -- what a request is told apart by
            alpha real not null,                     -- most chance of a false abort, of all measures together
            bounds text not null,                    -- JSON {measure: how much worse is allowed}
            reference text not null default '{}',    -- JSON: the champion's latency and scores, frozen
            state text not null check (state in ('running', 'stopped', 'aborted', 'promoted')),
            why text not null default '',
            standings text not null default '[]',    -- JSON: of each measure, as they were at the end
            who text not null, started_at integer not null, ended_at integer
        ) strict""",
        "create unique index splits_running on splits (endpoint) where state = 'running'",
        """create table endpoint_events (
            id integer primary key,
            endpoint text not null references endpoints (name),
            at integer not null,
            kind text not null,                      -- serve, swap, drill, refuse, split, share, abort, stop …
            worker integer,                          -- whose step it was; null for the whole endpoint
            version integer,
            who text not null, why text not null,
            took_ms real
        ) strict""",
        "create index endpoint_events_endpoint on endpoint_events (endpoint, id)",
        *triggers("deploy", "endpoint_workers"),
        *triggers("deploy", "splits"),
        *triggers("deploy", "endpoint_events"),
    ),
    "m037_exports": (
        """create table model_exports (
            id integer primary key,
            model text not null, version integer not null,
            form text not null check (form in ('native', 'onnx', 'mlflow', 'folder')),
            path text not null,                      -- where it was written
            sha256 text not null,                    -- of its manifest, which has the hash of every file
            files integer not null, bytes integer not null,
            checked text not null,                   -- JSON: how many rows were compared, and how far apart they are
            warnings text not null default '[]',     -- JSON: sentences
            who text not null, at integer not null,
            foreign key (model, version) references model_versions (model, version)
        ) strict""",
        "create index model_exports_version on model_exports (model, version, id)",
        *triggers("deploy", "model_exports"),
    ),
    # What read the file when it gave its golden answers in the model box.
    "m040_boxed": ("alter table model_versions add column boxed text not null default ''",),
}
