"""Tables of exploration: one profile per column of a dataset version."""

TABLES = (
    """create table profiles (
        version_id text not null references versions (id) on delete cascade,
        position integer not null,
        name text not null,
        type text not null,
        role text not null,
        rows integer not null,
        missing integer not null,
        distinct_values integer not null,
        minimum text, maximum text, mean real, deviation real,
        quantiles text not null default '{}',    -- JSON {"0.05": value, …}
        top text not null default '[]',          -- JSON [{"value", "rows"}]
        histogram text not null default '{}',    -- JSON {"edges", "counts", "by_class": {class: counts}}
        notes text not null default '[]',        -- JSON list of words: constant, skewed, high cardinality …
        primary key (version_id, name)
    ) strict""",
)
