"""What an alert rule may watch: each metric of a window, in words, and when its value can be trusted. Pure."""

from typing import get_args

import msgspec

from lemnis.engine.config import Watchable
from lemnis.engine.monitor.records import Window


class Kind(msgspec.Struct, frozen=True):
    """How a metric is called and defined; `labels`: it needs true answers."""

    label: str
    definition: str
    labels: bool = False


METRICS: dict[str, Kind] = {
    "max_psi": Kind("max PSI", "The largest population stability index of a feature, in nats."),
    "important_psi": Kind("important PSI", "The largest PSI of a feature with at least 5 % of the model's gain."),
    "weighted_psi": Kind("weighted PSI", "The features' mean PSI, weighted by their share of the model's gain."),
    "prediction_psi": Kind("prediction PSI", "The PSI of the model's answers against its held-out rows."),
    "missing_rise": Kind("missing rise", "The largest rise of a feature's missing share over training."),
    "prediction_mean": Kind("prediction mean", "The mean of the model's answers."),
    "predicted_share": Kind("predicted share", "The share of rows at or above the model's threshold."),
    "schema_changes": Kind("schema changes", "How many ways the rows differ in shape from training."),
    "roc_auc": Kind("ROC AUC", "Chance that a positive row scores above a negative one.", labels=True),
    "log_loss": Kind("log loss", "Mean negative log likelihood of the true answers, in nats.", labels=True),
    "brier": Kind("Brier score", "Mean squared distance of the probability to the true answer.", labels=True),
    "label_share": Kind("label share", "The share of positives among the labelled rows.", labels=True),
    "value_per_1000": Kind("value per 1,000", "Money by the value matrix, for 1,000 labelled rows.", labels=True),
    "mean_absolute_error": Kind("mean absolute error", "Mean distance to the true value.", labels=True),
}
assert tuple(METRICS) == get_args(Watchable)


def metric_value(window: Window, metric: str, min_rows: int) -> float | None:
    """Return a window's metric, or None where it can't say: too few rows, or too few labels for one that needs them."""
    enough = window.labelled if METRICS[metric].labels else window.rows
    if enough < min_rows:
        return None
    if metric == "schema_changes":
        return float(len(window.schema_changes))
    value: float | None = getattr(window, metric)
    return value


def is_settled(window: Window, metric: str) -> bool:
    """Say whether a metric of this window is final: no more rows, or no more labels, are expected."""
    return window.labels_settled and window.closed if METRICS[metric].labels else window.closed
