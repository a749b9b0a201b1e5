"""What `K` says of gates and measures: definition, rule and where it comes from."""

from collections.abc import Mapping

GATE_TEXT = (
    "A gate is a success criterion of the problem ([[problem.criteria]] in lemnis.toml). It is judged on the 95 % "
    "interval, never on the number alone: it passes when even the unfavourable end keeps the rule, fails when even the "
    "favourable end breaks it, and needs more data in between. The interval comes from drawing whole days again 200 "
    "times (rows, where there is no time), because flights of one day go late together.\n\n"
    "Besides the measures of a part, a criterion may name latency_p50_ms, latency_p99_ms, rows_per_s, model_bytes, "
    "load_ms, METRIC_gap (how much poorer than in training) and worst_month_METRIC."
)
MEASURES: Mapping[str, str] = {
    "roc_auc": "The chance that a positive row scores above a negative one. 0.5 is worth nothing, 1 is perfect.",
    "pr_auc": "Average precision: precision at each threshold, weighted by the recall it adds.",
    "log_loss": "Mean of −ln(probability given to what happened). Lower is better; it punishes confident mistakes.",
    "brier": "Mean squared distance of the probability from what happened. 0 is perfect, 0.25 a coin.",
    "ece": "Mean gap between probability and share of positives over ten bins: 0.05 means five points off.",
    "precision": "Of the rows answered yes, the share that was right.",
    "recall": "Of the positive rows, the share that was answered yes.",
    "f1": "The harmonic mean of precision and recall.",
    "accuracy": "Share of the rows answered right; with rare positives it is high for a model that never says yes.",
    "value_per_1000": "Money of 1,000 answers at the threshold, by the value matrix of the problem.",
    "rmse": "Square root of the mean squared error, in the target's unit.",
    "r2": "Share of the target's spread that the model explains.",
}
CELLS: Mapping[str, str] = {
    "gates.verdict": "pass, fail, or not enough data: judged on the interval, never on the number alone.",
    "gates.metric": "What is measured, and on which rows.",
    "gates.rule": "The bound, from [[problem.criteria]] in lemnis.toml: `min` or `max`.",
    "gates.observed": "The measured value; the interval beside it decides.",
    "gates.interval": (
        "95 % interval: days (rows without a time) drawn again 200 times. It passes when even its unfavourable "
        "end keeps the rule."
    ),
    "metrics.gap": "How much poorer the measure is on the rows that judge than on the training rows.",
    "metrics.interval": "95 % interval of the last part: days of rows drawn again 200 times.",
    "rows.score": "The probability, or number, that the model answered.",
    "rows.key": "The row's key in its dataset version.",
    "rows.kind": "right, missed (a positive answered no), false alarm, or far off for numbers.",
    "rows.actual": "What really was.",
    "swarms.feature": "A feature of the model, those that move the answer most first.",
    "swarms.mean": (
        "Mean of |contribution| to the raw score over the rows: how far it moves the answer from row to row."
    ),
    "swarms.swarm": "Its contributions, row by row: left pushes the answer down, right up.",
    "swarms.low": "What a low value of it does.",
    "swarms.high": "What a high value of it does.",
    "pairs.first": "One of two features that act together.",
    "pairs.second": "The other one.",
    "pairs.strength": (
        "Mean of |interaction| in the raw score: what the two add together beyond what each adds alone."
    ),
    "pairs.share": "The same as a share of what both move in all.",
    "types.count": "Errors of this type among the rows that judge.",
    "types.share": "The same as a share of all errors.",
    "types.kind": "missed, false alarm, or far off for numbers.",
    "types.name": "The features by which these errors differ from the other rows.",
    "failed-rows.key": "The row's key; those with the largest loss first.",
    "failed-rows.said": "What the model answered.",
    "failed-rows.actual": "What really was.",
    "failed-rows.loss": "Its loss: −ln(probability given to what happened), or the squared error.",
}
