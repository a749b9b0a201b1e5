"""Tables of concept drift: what versions in charge are judged against, their figures by window, and waivers."""

from lemnis.engine.store.revisions import triggers

TABLES = ()

LATER = {
    "m050_concept": (
        # What a version did on the rows held out of training; frozen when it is first needed.
        """create table monitor_baselines (
            model text not null, version integer not null,
            baseline text not null,                  -- JSON: figures, calibration map, how far off estimates are
            error_model text not null default '',    -- text of the LightGBM model of a number's absolute errors
            created_at integer not null,
            primary key (model, version)
        ) strict""",
        """create table monitor_figures (
            endpoint text not null, model text not null, version integer not null,
            starts integer not null, ends integer not null,  -- of the window, epoch ms of event time
            measured text,                           -- JSON: figures of the labelled rows
            labelled integer not null default 0,     -- rows they are of
            seen_at integer not null default 0,      -- the window's computed_at when they were measured
            measured_at integer not null default 0,
            estimated text,                          -- JSON: figures that were expected before the labels came
            rows integer not null default 0,         -- of the window when they were estimated
            calibration_error real,                  -- of the calibrated scores, by the labels
            primary key (endpoint, model, version, starts)
        ) strict""",
        # A person's word that a version may stay although the problem is another than it was trained for.
        """create table monitor_waivers (
            id integer primary key,
            model text not null, version integer not null,
            problem_sha256 text not null,            -- the statement under which it may stay
            who text not null, why text not null,
            at integer not null
        ) strict""",
        *triggers("monitor", "monitor_figures"),
        *triggers("monitor", "monitor_waivers"),
    ),
}
