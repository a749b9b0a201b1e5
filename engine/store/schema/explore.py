"""Tables of exploration: one profile per column of a dataset version."""

TABLES = (
    """create table profiles (
        version_id text not null references versions (id) on delete cascade,
        position integer not null,
        name text not null,
        type text not null,                      -- the Arrow type
        role text not null,
        rows integer not null,
        missing integer not null,                -- null or not a number
        distinct_values integer not null,        -- exact, without missing
        minimum text, maximum text,              -- as text, so that every type keeps all its digits
        mean real, deviation real, skewness real,
        quantiles text not null default '{}',    -- JSON {"0.05": value, …}; epoch ms for times
        top text not null default '[]',          -- JSON [{"value", "rows"}], most frequent first
        histogram text not null default '{}',    -- JSON {"edges", "labels", "counts", "below", "above", "by_class"}
        notes text not null default '[]',        -- JSON [{"word", "detail"}]
        measured_at integer not null,
        primary key (version_id, name)
    ) strict""",
)
