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
    "m051_streams": (
        # The detectors on each version's stream of losses, and the points from which late labels take it up again.
        """create table monitor_streams (
            endpoint text not null, model text not null, version integer not null,
            rows integer not null,                   -- rows that were taken, in order of event time
            event_at integer not null, prediction_id integer not null,   -- the last of them
            stream text not null,                    -- JSON: the detectors' state
            labels_at integer not null,              -- the newest label that was looked at
            waits_ms integer not null,               -- how far labels may come out of order
            late integer not null default 0,         -- labels that came later and were taken in order after all
            left_out integer not null default 0,     -- labels that came too late for that
            primary key (endpoint, model, version)
        ) strict""",
        """create table monitor_stream_points (
            endpoint text not null, model text not null, version integer not null,
            rows integer not null, event_at integer not null, prediction_id integer not null,
            stream text not null,
            primary key (endpoint, model, version, rows)
        ) strict""",
        """create table monitor_detections (
            id integer primary key,
            endpoint text not null, model text not null, version integer not null,
            detector text not null,                  -- ADWIN, Page-Hinkley, DDM, or concept: all together
            level text not null,                     -- warning, drift, better, stable
            event_at integer not null,               -- of the row it was found at
            row integer not null,                    -- its number in the stream
            before real, after real                  -- mean losses, of ADWIN
        ) strict""",
        "create index monitor_detections_version on monitor_detections (endpoint, model, version, row)",
        *triggers("monitor", "monitor_detections"),
    ),
}
