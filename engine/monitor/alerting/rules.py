"""What an alert rule may watch: each metric in words, when its value can be trusted, and what each rule asks. Pure."""

from typing import get_args

import msgspec

from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import Config, Monitor, Watchable, parse_span
from lemnis.engine.monitor.alerting.records import Cause, Handling
from lemnis.engine.monitor.alerting.states import Bound
from lemnis.engine.monitor.records import Window

BOUND = ("above", "below", "windows", "severity")  # keys of a rule that say when it fires
TOLD = ("notify", "escalate_after", "escalate_to", "runbook")  # and those that say who does what then
MINUTE_MS = 60_000
DOWN = "serving_down"
CONCEPT = "concept"
SERVING_DOWN = Rule(name="serving down", metric="serving_down", above=0.5, windows=2, severity="page")


class Kind(msgspec.Struct, frozen=True):
    """How a metric is called and defined, and what kind of thing is wrong when it breaks a rule.

    Attributes:
        labels: It needs true answers. live: it is of a server's minutes, not of windows of event time.
    """

    label: str
    definition: str
    cause: Cause = "data"
    live: bool = False

    @property
    def labels(self) -> bool:
        return self.cause == "labels" and not self.live


METRICS: dict[str, Kind] = {
    "drift": Kind("drift", "The window's verdict: 0 is ok, 0.5 to watch, 1 that an important feature drifted."),
    "max_psi": Kind("max PSI", "The largest population stability index of a feature, in nats."),
    "important_psi": Kind("important PSI", "The largest PSI of a feature with at least 5 % of the model's gain."),
    "weighted_psi": Kind("weighted PSI", "The features' mean PSI, weighted by their share of the model's gain."),
    "prediction_psi": Kind("prediction PSI", "The PSI of the model's answers against its held-out rows."),
    "missing_rise": Kind("missing rise", "The largest rise of a feature's missing share over training."),
    "prediction_mean": Kind("prediction mean", "The mean of the model's answers."),
    "predicted_share": Kind("predicted share", "The share of rows at or above the model's threshold."),
    "schema_changes": Kind("schema changes", "How many ways the rows differ in shape from training."),
    "skew": Kind("skew", "The largest move of the share of an answer or a feature's value that is no chance, 0 to 1."),
    "roc_auc": Kind("ROC AUC", "Chance that a positive row scores above a negative one.", "labels"),
    "log_loss": Kind("log loss", "Mean negative log likelihood of the true answers, in nats.", "labels"),
    "brier": Kind("Brier score", "Mean squared distance of the probability to the true answer.", "labels"),
    "label_share": Kind("label share", "The share of positives among the labelled rows.", "labels"),
    "value_per_1000": Kind("value per 1,000", "Money by the value matrix, for 1,000 labelled rows.", "labels"),
    "mean_absolute_error": Kind("mean absolute error", "Mean distance to the true value.", "labels"),
    "idle_minutes": Kind("idle minutes", "Minutes since the endpoint's last request.", "serving", live=True),
    "error_rate": Kind("error rate", "Share of a minute's requests that were refused or failed.", "serving", live=True),
    "latency_p99_ms": Kind(
        "p99 latency", "99 % of a minute's requests were answered in so many ms.", "serving", live=True
    ),
    "serving_down": Kind("serving down", "1 in a minute in which no process of the endpoint answers.", "serving", True),
    "label_age_hours": Kind("label age", "Hours since the endpoint's last label came.", "labels", live=True),
    "concept": Kind(
        "concept",
        "The served version: 1 if its losses rose for sure or it answers a question that was changed, 0.5 to watch.",
        "labels",
        live=True,
    ),
}
assert tuple(METRICS) == get_args(Watchable)


def metric_value(window: Window, metric: str, min_rows: int) -> float | None:
    """Return a window's metric, or None where it can't say: too few rows, or too few labels for one that needs them."""
    if counted(window, metric) < min_rows:
        return None
    if metric == "schema_changes":
        return float(len(window.schema_changes))
    value: float | None = getattr(window, metric)
    return value


def counted(window: Window, metric: str) -> int:
    """Return how many rows of a window a metric is of: those with labels, for one that needs them."""
    return window.labelled if METRICS[metric].labels else window.rows


def is_settled(window: Window, metric: str) -> bool:
    """Say whether a metric of this window is final: no more rows, or no more labels, are expected."""
    return window.labels_settled and window.closed if METRICS[metric].labels else window.closed


def rules_of(config: Config) -> list[Rule]:
    """Return the rules in force, those that inhibit others first: what is declared, and that an endpoint is down."""
    built_in = [] if any(rule.metric == DOWN for rule in config.alerts) else [SERVING_DOWN]
    rules = [*built_in, *config.alerts]
    inhibiting = {name for rule in rules for name in inhibitors(rule, rules)}
    return sorted(rules, key=lambda rule: rule.name not in inhibiting)


def inhibitors(rule: Rule, rules: list[Rule]) -> list[str]:
    """Return the names of the rules that explain this one: a server that is down, if it doesn't say others."""
    if rule.inhibited_by is not None:
        return rule.inhibited_by
    if METRICS[rule.metric].live:
        return []
    return [other.name for other in rules if other.metric == DOWN]


def bound_of(rule: Rule, monitor: Monitor) -> Bound:
    """Return what a rule asks of its windows."""
    return Bound(
        above=rule.above,
        below=rule.below,
        windows=rule.windows,
        keep=rule.keep_firing or rule.windows,
        flap_changes=monitor.flap_changes,
        flap_windows=monitor.flap_windows,
    )


def handling_of(rule: Rule, config: Config, rules: list[Rule]) -> Handling:
    """Return how alerts of a rule are answered; `rules` are all that are in force."""
    return Handling(
        notify=rule.notify or config.monitor.notify,
        escalate_to=rule.escalate_to,
        escalate_after_ms=parse_span(rule.escalate_after) if rule.escalate_after else 0,
        repeat_after_ms=repeat_after_ms(config.monitor),
        inhibited_by=inhibitors(rule, rules),
        runbook=rule.runbook,
    )


def repeat_after_ms(monitor: Monitor) -> int:
    """Return after how long an alert that nobody takes is told again; 0 for never."""
    return parse_span(monitor.repeat_after) if monitor.repeat_after else 0


def rule_words(rule: Rule) -> str:
    """Return one rule in words: ``drift: max PSI above 0.25 for 2 complete windows in a row (page)``."""
    kind, many = METRICS[rule.metric], rule.windows
    if kind.live:
        windows = "one minute" if many == 1 else f"{many} minutes in a row"
    else:
        windows = "one complete window" if many == 1 else f"{many} complete windows in a row"
    if rule.above is not None:
        return f"{rule.name}: {kind.label} above {rule.above:g} for {windows} ({rule.severity})"
    return f"{rule.name}: {kind.label} below {rule.below:g} for {windows} ({rule.severity})"
