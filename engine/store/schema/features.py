"""Tables of the features: what each is worth, and which set was chosen."""

TABLES = (
    """create table feature_scores (
        version_id text not null references versions (id) on delete cascade,
        feature text not null,
        kind text not null,                      -- numeric, categorical, time
        gain real, gain_share real, splits integer,
        permutation real, permutation_deviation real,   -- loss of the task's first metric when shuffled
        association real, association_method text,      -- with the target, 0..1
        single_auc real,                         -- of this feature alone, 0.5..1
        leakage text not null default '',        -- '' or why it is suspected
        leakage_score real,
        computed_at integer not null,
        primary key (version_id, feature)
    ) strict""",
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
