"""Tables of the features: what each is worth, how they hang together, and which set was chosen."""

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
