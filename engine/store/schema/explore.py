"""Tables of exploration: one profile per column of a dataset version, and what people said of its rows."""

from lemnis.engine.store.revisions import triggers

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

# Labels: what people said of rows. An event is never changed; what stands now is a view.
LATER = {
    "m005_findings": (
        "alter table profiles add column sample_of integer not null default 0",  # rows of the version, if sampled
        "alter table profiles add column findings text not null default '{}'",  # JSON, see explore/profile.py Findings
        "delete from profiles",  # they lack the findings; measuring takes seconds
        """create table missing_patterns (
            version_id text primary key references versions (id) on delete cascade,
            patterns text not null,              -- JSON, see explore/missing.py Missingness
            measured_at integer not null
        ) strict""",
        *triggers("explore", "missing_patterns"),
    ),
    "m006_labels": (
        "insert into revisions (topic) values ('labels')",
        """create table label_queues (
            id integer primary key,
            labels text not null,                    -- the name below [labels] in lemnis.toml
            kind text not null,
            version_id text not null,                -- of the dataset that its rows are numbered in
            recipe text not null,                    -- how its rows were chosen, in words
            overlap real not null check (overlap between 0 and 1),   -- share of rows that two people are asked about
            resolves integer not null check (resolves in (0, 1)),    -- an answer decides instead of counting as a vote
            created_at integer not null,
            created_by text not null,
            job_id integer
        ) strict""",
        """create table label_items (
            queue_id integer not null references label_queues (id) on delete cascade,
            place integer not null,                  -- 0 is asked first
            row_key text not null,                   -- the row's key columns, joined by |
            row_number integer not null,             -- in the version
            score real,                              -- why it comes where it comes; larger is earlier
            reason text not null default '',
            given text,                              -- the label that is to be reviewed
            suggested text, suggested_share real,    -- a model's class and its probability
            suggested_by text not null default '',   -- which model
            wanted integer not null default 1,       -- how many people are to answer
            primary key (queue_id, place),
            unique (queue_id, row_key)
        ) strict""",
        """create table label_claims (
            queue_id integer not null references label_queues (id) on delete cascade,
            labeller text not null,
            place integer not null,
            at integer not null,
            primary key (queue_id, labeller)
        ) strict""",
        """create table label_events (
            id integer primary key autoincrement,
            labels text not null,
            row_key text not null,
            labeller text not null,
            kind text not null check (kind in ('label', 'unsure', 'skip', 'note', 'gold', 'undo', 'redo')),
            value text,                              -- the class; of gold null: looked at and left open
            note text not null default '',
            queue_id integer, place integer,         -- where it was asked; null: it came by command or from a file
            suggested text, suggested_share real, suggested_by text not null default '',
            suggestion_shown integer not null default 0 check (suggestion_shown in (0, 1)),
            took_ms integer,                         -- from the row on the screen to the key
            target_id integer references label_events (id),  -- what is undone or redone
            at integer not null
        ) strict""",
        """create table label_applications (
            id integer primary key,
            labels text not null,
            through_event integer not null,          -- the last event it knows
            rows integer not null, kept_apart integer not null, split integer not null,
            sha256 text not null,                    -- of the file; snapshots.origin_sha256 says which version has it
            who text not null,
            at integer not null
        ) strict""",
        "create index label_events_row on label_events (labels, row_key)",
        "create index label_events_place on label_events (queue_id, place)",
        "create index label_events_target on label_events (target_id) where target_id is not null",
        *(
            f"create trigger label_events_no_{change} before {change} on label_events "
            "begin select raise(abort, 'a label event is never changed'); end"
            for change in ("update", "delete")
        ),
        """create view label_standing as
            select e.* from label_events e where e.target_id is null and not exists (
                select 1 from label_events u where u.target_id = e.id and u.kind = 'undo' and not exists (
                    select 1 from label_events r where r.target_id = e.id and r.kind = 'redo' and r.id > u.id))""",
        """create view label_votes as
            select * from (
                select *, row_number() over (partition by labels, row_key, labeller order by id desc) as recency
                from label_standing where kind in ('label', 'unsure')
            ) where recency = 1""",
        """create view label_decisions as
            select * from (
                select *, row_number() over (partition by labels, row_key order by id desc) as recency
                from label_standing where kind = 'gold'
            ) where recency = 1 and value is not null""",
        # how: gold, single (one vote), agreed (all votes), majority, or split, which has no value.
        """create view label_resolved as
            with tally as (
                select labels, row_key, value, count(*) as votes, max(at) as at
                from label_votes where kind = 'label' group by labels, row_key, value
            ), ranked as (
                select labels, row_key, value, votes, max(at) over here as at,
                    row_number() over (here order by votes desc, value) as rank,
                    lead(votes) over (here order by votes desc, value) as second,
                    sum(votes) over here as total
                from tally window here as (partition by labels, row_key)
            )
            select labels, row_key, value, 'gold' as how, 1 as votes, at from label_decisions
            union all
            select labels, row_key, case when second = votes then null else value end as value,
                case when total = 1 then 'single' when second is null then 'agreed'
                     when second = votes then 'split' else 'majority' end as how,
                total as votes, at
            from ranked where rank = 1 and not exists (
                select 1 from label_decisions d where d.labels = ranked.labels and d.row_key = ranked.row_key)""",
        *triggers("labels", "label_events"),
        *triggers("labels", "label_queues"),
        *triggers("labels", "label_applications"),
    ),
    # The file it came from and who took it in; empty for what was said here.
    "m016_label_origin": ("alter table label_events add column origin text not null default ''",),
}
