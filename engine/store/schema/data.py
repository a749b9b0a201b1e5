"""Tables of the data: snapshots of sources, dataset versions, how their joins went, and what was shared.

A table that refers to `versions` keeps that version's file from being collected, unless data/references.py lists it.
"""

from lemnis.engine.store.revisions import triggers

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

LATER = {
    "m003_links_in_time": (
        "alter table links add column kind text not null default 'left'",  # or asof
        "alter table links add column untimely_rows integer not null default 0",  # the key is there, but not in time
        "alter table links add column ages text not null default '{}'",  # JSON {quantile: seconds} of an as-of join
        "alter table links add column travel text not null default '[]'",  # JSON [{"column", "rows", "of", …}]
    ),
    "m004_kept": (
        "alter table versions add column removed_at integer",  # its file is not kept (any more); null: it is
        # Whoever decided on a version before its file was collected must not be queued with it afterwards.
        """create trigger run_needs_its_data before insert on runs
           when new.state = 'queued'
             and exists (select 1 from versions where id = new.version_id and removed_at is not null)
           begin select raise(abort, 'refused: The file of this dataset version is not kept any more.'); end""",
        """create table collections (                -- each time files were removed
            id integer primary key,
            at integer not null,
            who text not null,
            files integer not null, bytes integer not null,
            what text not null                       -- JSON list of titles
        ) strict""",
        *triggers("data", "collections"),
    ),
    "m012_members": (
        # JSON of the columns' DuckDB types, '' for a column without a value; empty when it was not noted yet
        "alter table snapshots add column shape text not null default ''",
        """create table snapshot_members (              -- the files a snapshot was read from, in order
            snapshot_id integer not null references snapshots (id) on delete cascade,
            position integer not null,
            name text not null,
            bytes integer not null,                  -- as it looked; of a file that grows: how far it was read
            modified_ns integer not null,
            tag text not null,                       -- what a remote store says of its content
            sha256 text not null,                    -- of those bytes; empty when it is not known
            rows integer not null,
            primary key (snapshot_id, position)
        ) strict""",
        """insert into snapshot_members select id, 0, origin, origin_bytes, origin_modified_ns, '', origin_sha256, rows
           from snapshots""",
        """create table scheduled_syncs (               -- the last sync that was queued by the acquisition plan
            source text primary key,
            job_id integer not null,
            queued_at integer not null,
            failures integer not null                -- how many before it failed, one after the other
        ) strict""",
        *triggers("data", "scheduled_syncs"),
    ),
    "m019_diffs": (
        """create table diffs (                         -- two versions, compared
            before_version_id text not null references versions (id) on delete cascade,
            after_version_id text not null references versions (id) on delete cascade,
            keys text not null,                      -- JSON list of the columns that say which rows are the same
            added integer not null, removed integer not null, changed integer not null, same integer not null,
            repeated_before integer not null, repeated_after integer not null,
            columns text not null,                   -- JSON list of each column's figures
            file text not null,                      -- below .lemnis/diffs: which rows differ
            seconds real not null,
            created_at integer not null,
            job_id integer,
            primary key (before_version_id, after_version_id, keys)
        ) strict""",
        *triggers("data", "diffs"),
    ),
}
