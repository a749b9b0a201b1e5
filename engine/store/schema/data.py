"""Tables of the data: snapshots of sources, dataset versions, and how their joins went."""

TABLES = (
    """create table snapshots (
        id integer primary key,
        source text not null,
        sha256 text not null,                    -- of the Parquet file; also its name below .lemnis/data
        rows integer not null,
        bytes integer not null,
        columns text not null,                   -- JSON [{"name", "type"}]
        origin text not null,                    -- where it was read from
        origin_bytes integer not null, origin_modified_ns integer not null, origin_sha256 text not null,
        reading text not null,                   -- JSON of the declaration it was read with: delimiter, nulls, types
        created_at integer not null,
        checked_at integer not null,             -- last time the source was found to hold just this
        job_id integer,
        unique (source, sha256)
    ) strict""",
    """create table source_syncs (
        source text primary key,
        state text not null check (state in ('ready', 'failed')),
        why text not null,                       -- what the last sync found, for people
        at integer not null,
        job_id integer
    ) strict""",
    """create table versions (
        id text primary key,                     -- SHA-256 of the Parquet file
        name text not null,                      -- the dataset's name
        number integer not null,                 -- 1, 2, 3 … for people
        rows integer not null,
        bytes integer not null,
        columns text not null,                   -- JSON [{"name", "type", "role", "source"}]
        snapshots text not null,                 -- JSON {source: sha256}
        recipe text not null,                    -- the SQL that made it
        split text not null,                     -- JSON {"train": {"start", "end", "rows", "labelled"}, …}
        target_summary text not null,            -- JSON {value: rows} of the label
        repeated_keys integer not null,          -- rows whose key an earlier row has already
        created_at integer not null,
        linked_at integer not null,              -- last time linking gave this very table
        job_id integer,
        unique (name, number)
    ) strict""",
    """create table links (
        version_id text not null references versions (id) on delete cascade,
        position integer not null,
        source text not null,
        keys text not null,                      -- JSON {left column: right column}
        rows_in integer not null, rows_out integer not null,
        matched integer not null,                -- left rows with a partner
        null_keys integer not null,              -- left rows with a null key
        orphan_rows integer not null,            -- left rows with a key that has no partner
        orphan_keys integer not null,            -- distinct such keys
        unused_keys integer not null,            -- right keys no left row asked for
        duplicate_keys integer not null,         -- right keys that stand more than once
        fan_out text not null,                   -- JSON {partners: left rows}
        orphan_sample text not null,             -- JSON [{"key", "rows"}], most frequent first
        primary key (version_id, position)
    ) strict""",
)
