"""Tables of the problem: every text lemnis.toml ever had."""

TABLES = (
    """create table config_history (
        id integer primary key,
        at integer not null,             -- epoch ms
        who text not null,
        why text not null default '',
        sha256 text not null,            -- of text
        problem_sha256 text not null,    -- of the [problem] section alone, so that its changes can be told apart
        text text not null
    ) strict""",
    "create index config_history_problem on config_history (problem_sha256)",
)
