"""Tables of predictions.db: what was asked of the endpoints, what they answered, and what turned out true."""

TABLES = (
    """create table requests (
        id integer primary key,
        endpoint text not null, model text not null, version integer not null,
        at integer not null,
        rows integer not null,
        latency_us integer not null,
        status integer not null,
        error text not null default ''
    ) strict""",
    "create index requests_at on requests (endpoint, at)",
    """create table predictions (
        id integer primary key,
        request_id integer not null references requests (id),
        endpoint text not null, model text not null, version integer not null,
        row_key text not null default '',        -- the caller's name for the row; feedback finds it by this
        event_at integer not null,               -- when the row happened, else when it was asked
        features text not null,                  -- JSON list in the signature's order, as sent
        score real,                              -- probability of the positive class, or the value
        answer text not null default ''          -- JSON: all classes' probabilities where there are more than two
    ) strict""",
    "create index predictions_event on predictions (endpoint, version, event_at)",
    "create index predictions_key on predictions (endpoint, row_key)",
    """create table actuals (
        endpoint text not null,
        row_key text not null,
        actual real not null,                    -- 0 or 1, the class's place, or the number
        at integer not null,
        primary key (endpoint, row_key)
    ) strict, without rowid""",
    "create index actuals_at on actuals (endpoint, at)",
    # Sums per endpoint and ten seconds, so that totals and rates never count the requests again.
    """create table traffic (
        endpoint text not null,
        starts integer not null,                 -- epoch ms, a multiple of ten seconds
        requests integer not null, errors integer not null,
        rows integer not null,
        dropped integer not null default 0,      -- requests that were answered but not logged
        primary key (endpoint, starts)
    ) strict, without rowid""",
)

LATER = {
    "m034_rollout": (
        # What the answers of a split's two versions add up to; the judge adds each answer once.
        """create table split_counts (
            split_id integer not null,
            version integer not null,
            requests integer not null default 0, errors integer not null default 0,
            timed integer not null default 0, slow integer not null default 0,
            scored integer not null default 0, ranks real not null default 0,
            primary key (split_id, version)
        ) strict, without rowid""",
        """create table split_cursors (
            split_id integer primary key,
            request_id integer not null, prediction_id integer not null,    -- the last ones that were counted
            skipped integer not null default 0       -- shadow: requests that were left out because too many waited
        ) strict""",
        # What a challenger would have answered; no client ever saw it.
        """create table shadows (
            id integer primary key,
            split_id integer not null,
            request_id integer not null references requests (id),
            endpoint text not null, version integer not null,
            row_key text not null default '', event_at integer not null,
            score real, answer text not null default '',
            error text not null default '',
            at integer not null
        ) strict""",
        "create index shadows_split on shadows (split_id, id)",
        "create index shadows_key on shadows (endpoint, row_key)",
        # A worker's counters of /metrics, so that each worker tells those of all.
        """create table endpoint_meters (
            endpoint text not null, worker integer not null,
            meters text not null,                    -- JSON
            at integer not null,
            primary key (endpoint, worker)
        ) strict, without rowid""",
    ),
    "m039_spools": (
        # How far each server's spool is brought in; written with what was brought in.
        "create table spools (name text primary key, position integer not null) strict",
    ),
    "m057_faults": (
        # Columns of requests that do not fit the model: refused, or sent although it does not take them.
        """create table schema_faults (
            endpoint text not null, version integer not null,
            kind text not null,                      -- absent, unknown, mistyped
            column_name text not null,
            first_at integer not null, last_at integer not null,
            requests integer not null, rows integer not null,
            sample text not null,                    -- JSON list: the latest values, as they were sent
            primary key (endpoint, version, kind, column_name)
        ) strict, without rowid""",
    ),
}
