"""Tables of the sweeps: what is searched, and each trial, whose training is a run."""

from lemnis.engine.store.revisions import triggers

TABLES: tuple[str, ...] = ()

LATER = {
    "m029_sweeps": (
        """create table sweeps (
            id integer primary key,
            name text not null unique,
            preset text not null,                -- its name
            start text not null,                 -- JSON: what every trial starts from: preset, task, target, features
            declared text not null,              -- JSON [dimension]: the space it began with
            space text not null,                 -- JSON [dimension]: as people have narrowed and frozen it
            sampler text not null check (sampler in ('tpe', 'random')),
            pruner text not null check (pruner in ('median', 'hyperband', 'none')),
            objectives text not null,            -- JSON [{metric, larger}]
            constraints text not null,           -- JSON [{metric, sign, bound}]
            trials integer not null,             -- how many there are to be
            parallel integer not null,           -- how many run at once at most
            timeout_s real,
            spent_s real not null default 0,     -- while it was driven; of no clock but its own
            seed integer not null,
            version_id text not null references versions (id),
            state text not null default 'running' check (state in ('running', 'paused', 'finished', 'failed')),
            why text not null default '',
            job_id integer references jobs (id), -- what drives it
            insight text,                        -- JSON: importances and expected gain, measured by that job
            user text not null default '',
            created_at integer not null, ended_at integer
        ) strict""",
        """create table sweep_trials (
            sweep_id integer not null references sweeps (id) on delete cascade,
            number integer not null,
            state text not null check (state in ('waiting', 'running', 'finished', 'pruned', 'failed')),
            why text not null default '',
            params text not null,                -- JSON {name: value}; of a waiting one what was asked for
            vals text not null default '[]',     -- JSON, in the order of the objectives
            missed text not null default '[]',   -- JSON: by how much each constraint is missed, null where not known
            last_round integer, last_value real, -- of one that was pruned
            run_id integer unique references runs (id),
            asked_to_stop text not null default '', -- why it is to be pruned
            enqueued_by text not null default '',
            created_at integer not null, ended_at integer,
            primary key (sweep_id, number)
        ) strict""",
        "create index sweep_trials_open on sweep_trials (sweep_id) where state in ('waiting', 'running')",
        """create table sweep_events (
            id integer primary key,
            sweep_id integer not null references sweeps (id) on delete cascade,
            at integer not null, user text not null,
            what text not null                   -- a sentence
        ) strict""",
        "create index sweep_events_of on sweep_events (sweep_id, id)",
        *(sql for table in ("sweeps", "sweep_trials") for sql in triggers("experiments", table)),
    ),
}
