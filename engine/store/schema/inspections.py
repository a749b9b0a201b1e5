"""Tables of inspections: how the schema differs, where rows are skewed, and when that was last looked at."""

from lemnis.engine.store.revisions import triggers

TABLES = ()

LATER = {
    "m056_inspections": (
        # One row a difference, from when it was first seen until it is gone.
        """create table monitor_findings (
            id integer primary key,
            endpoint text not null, source text not null,
            kind text not null, column_name text not null,
            finding text not null,                   -- JSON, as it was last seen
            since integer not null,
            gone_at integer                          -- null while it lasts
        ) strict""",
        """create unique index monitor_findings_open on monitor_findings (endpoint, source, kind, column_name)
           where gone_at is null""",
        """create table monitor_inspections (
            endpoint text primary key,
            model text not null, version integer not null,
            at integer not null,
            seen text not null,                      -- what there was to look at: it is looked at again when that moves
            skew text,                               -- JSON; null before it was measured
            problem text not null default ''
        ) strict""",
        *triggers("monitor", "monitor_findings"),
        *triggers("monitor", "monitor_inspections"),
    ),
}
