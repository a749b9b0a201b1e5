"""What `K` says of the numbers in Monitor's tables. Pure."""

CELLS = {
    "windows.window": (
        "A span of event time, UTC; its width is [monitor] window in lemnis.toml, + and − look at others."
    ),
    "windows.rows": "Rows that the endpoint answered in it; a row that came twice counts once.",
    "windows.verdict": "ok, watch (a feature is suspect for the first time), or drift (in two of three windows).",
    "windows.moved": (
        "The feature that moved most: of those that make the verdict, else of all, by score over bound; and both."
    ),
    "windows.auc": "ROC AUC of the rows whose true answer came; – while there are none of both classes.",
    "windows.against": "ROC AUC minus that of the rows held out of training.",
    "windows.labelled": "Rows whose true answer is known.",
    "windows.log_loss": "Mean of −ln(probability given to what happened), of the labelled rows.",
    "windows.label_share": "Positives among the labelled rows.",
    "windows.predicted": "Rows at or above the model's threshold, as a share of all.",
    "features.feature": "A feature of the served model, or its prediction.",
    "features.score": (
        "The distance that decides: Kolmogorov–Smirnov for numbers, Jensen–Shannon for categories; 0 to 1."
    ),
    "features.bound": (
        "From which score it is suspect: the larger of `effect` in [monitor] of lemnis.toml and what 99 % of "
        "windows of its size, cut from training rows, stay below."
    ),
    "features.verdict": "ok, watch (suspect in this window), or drift (suspect in two of the last three).",
    "features.gain": "Its share of what all splits of the model gained in training; from 5 % on it is important.",
    "features.p": (
        "Chance of such a score without drift, adjusted over the features (Benjamini–Hochberg); suspect needs 0.01."
    ),
    "features.psi": (
        "Population stability index: the sum over the bins of (q − p) ln(q / p), in nats. No verdict hangs on it."
    ),
    "features.missing": "Rows without a value, and how many points that is above the training rows.",
    "features.trend": "Its score in the windows up to this one.",
    "heat.feature": "A feature of the served model.",
    "heat.gain": "Its share of what all splits of the model gained in training.",
    "alerts.state": "pending, firing, acknowledged, silenced, inhibited or resolved; see below.",
    "alerts.rule": "Its name in [[alerts]] of lemnis.toml, or a built-in one.",
    "alerts.value": "What the rule's figure was when it was looked at last.",
    "alerts.bound": "Where the rule draws the line: `above` or `below` in [[alerts]] of lemnis.toml.",
    "alerts.since": "Since when its condition has held.",
    "alerts.says": "The same in one sentence.",
    "performance.window": "A span of event time, UTC.",
    "performance.labelled": "Rows whose true answer came, as a share of all in the window.",
    "performance.measured": "The figure over the rows whose true answer came, with its 95 % interval.",
    "performance.estimated": (
        "The figure as it is expected from the rows alone, before labels; never mixed with what is measured."
    ),
    "performance.money": (
        "Money a day by [problem.value] of lemnis.toml, less that of the held-out rows; ~ where it is estimated."
    ),
    "performance.rows": "Rows that the endpoint answered in the window.",
    "performance.held_out": "The same figure over the rows held out of training.",
    "performance.against": "Measured minus held out.",
    "performance.calibration": (
        "Mean gap between score and share of positives; 0.02, or twice that of the held-out rows, is too much."
    ),
    "performance.basis": "Whether the money is of measured rows or of estimated ones.",
}
