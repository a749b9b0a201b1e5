"""Tables of the features: what each is worth, how they hang together, and which set was chosen."""

from lemnis.engine.store.revisions import triggers

TABLES = (
    """create table feature_rankings (
        version_id text primary key references versions (id) on delete cascade,
        skill text not null,                     -- name of the score: ROC AUC or R²
        score real not null,                     -- of the ranking model on the later rows
        train_rows integer not null, judged_rows integer not null,
        rounds integer not null, repeats integer not null, seed integer not null,
        elapsed_ms integer not null,
        computed_at integer not null,
        job_id integer
    ) strict""",
    """create table feature_scores (
        version_id text not null references versions (id) on delete cascade,
        position integer not null,               -- as in the version
        feature text not null,
        kind text not null,                      -- numeric, categorical, boolean, time
        missing real not null,                   -- share of the rows, 0..1
        gain real, gain_share real, splits integer,
        permutation real, permutation_deviation real,   -- loss of the ranking's score when shuffled
        association real, association_method text not null default '',   -- with the target, 0..1
        single real,                             -- score of a model of this column alone
        leakage text not null default '',        -- '' or why it is suspected
        leakage_score real not null default 0,
        primary key (version_id, feature)
    ) strict""",
    """create table feature_pairs (
        version_id text not null references versions (id) on delete cascade,
        first text not null, second text not null,
        association real not null,               -- 0..1
        primary key (version_id, first, second)
    ) strict, without rowid""",
    """create table feature_sets (
        id integer primary key,
        name text not null,
        features text not null,                  -- JSON list of column names
        why text not null default '',
        who text not null,
        at integer not null
    ) strict""",
    "create index feature_sets_name on feature_sets (name, id desc)",
)

LATER = {
    "m007_feature_spread": (
        "alter table feature_rankings add column detail text",  # JSON of the whole record
        "alter table feature_scores add column detail text",
        # One row a model: what a ranking that was interrupted need not do again.
        """create table feature_folds (
            version_id text not null references versions (id) on delete cascade,
            conditions text not null,                -- hash of everything that decides the result
            fold integer not null, seed integer not null,
            detail text not null,                    -- JSON of what the model says of its columns
            at integer not null,
            primary key (version_id, conditions, fold, seed)
        ) strict, without rowid""",
        "drop table feature_pairs",  # the matrix has every pair by every measure
        """create table feature_matrices (
            version_id text primary key references versions (id) on delete cascade,
            detail text not null,                    -- JSON of the record without its values
            cells blob not null,                     -- float64, little-endian: each measure row by row
            computed_at integer not null,
            job_id integer
        ) strict""",
        *triggers("features", "feature_matrices"),
        "alter table feature_sets add column renamed_from text not null default ''",
        """create table feature_set_notes (
            id integer primary key,
            revision integer not null references feature_sets (id) on delete cascade,
            note text not null, who text not null, at integer not null
        ) strict""",
        *triggers("features", "feature_set_notes"),
    ),
}
