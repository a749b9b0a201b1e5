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
