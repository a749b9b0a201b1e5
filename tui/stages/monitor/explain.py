"""What `K` says on the Monitor tab: definitions, rules and where the numbers come from. Pure."""

from lemnis.engine.config import Alert as Rule
from lemnis.engine.monitor import Alert, FeatureDrift, Performance, Stale, Window
from lemnis.engine.monitor.alerting.builtin import DEFINITIONS
from lemnis.engine.monitor.alerting.rules import METRICS, rule_words
from lemnis.tui.format import number, share
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.monitor.figures import stale_lines
from lemnis.tui.stages.monitor.rows import scores_content, span_label

RULE_TEXT = (
    "A window makes a feature suspect when its deciding score is at least the larger of `effect` in [monitor] and what "
    "99 % of past windows of its size stay below, and its p, adjusted over the features (Benjamini–Hochberg), is at "
    "most 0.01. Past windows are consecutive training rows, so trends and repeats are in the bound. One such window is "
    "to watch; two of the last three are drift."
)
SCORES_TEXT = (
    "KS (decides for numbers): largest difference of the cumulated shares, missing values lowest; at most one cell, "
    "1/128 of the training rows, too small. JS (decides for categories): Jensen–Shannon distance of the shares, 0 to "
    "1. PSI: population stability index, the sum of (q - p) ln(q / p), in nats. Wasserstein: how far rows have moved "
    "on average, in standard deviations of the training rows. χ²: Pearson's statistic. Cells are frozen at training; "
    "PSI and JS take their bins, the thirty commonest categories, one bin for the others and one for missing values, "
    "half a row added to each."
)
MEASURED_TEXT = (
    "Measured: of the rows whose true answer came, with a 95 % interval; in a window of 8 days or more the rows of "
    "one day are taken together. Against the rows held out of training."
)
ESTIMATED_TEXT = (
    "Estimated: before any label, from what is known of the rows. Yes-or-no models (CBPE): scores are calibrated by an "
    "isotonic map of the held-out rows, and each row counts as right with its probability. Numbers (DLE): a model of "
    "the absolute errors on held-out rows. The interval says where truth would be if nothing but the rows changed; a "
    "concept that changes is not seen, so read how often past estimates were right, and whether the calibration holds: "
    "its expected error must not exceed 0.02, or twice that of the held-out rows."
)
CONCEPT_TEXT = (
    "Concept: ADWIN (δ 0.002), Page–Hinkley (δ 0.1, λ 60 standard deviations) and DDM (4 standard errors) read the "
    "labelled rows' errors in order of event time. One that warns or finds a rise makes a warning, two within 10,000 "
    "rows make a drift. They wait for as much more evidence as errors of one day went together on the held-out rows."
)
MONEY_TEXT = (
    "Money a day: value per 1,000 rows by [problem.value], less that of the held-out rows, times the rows a day. A "
    "window is bad when the whole interval of that difference is below 0; from the first one on losses are added up, "
    "measured and estimated ones apart."
)
ALERT_TEXT = (
    "Pending: the newest window breaks the rule, or not yet enough windows in a row. Firing: that many complete "
    "windows in a row break it. A window is complete when a later row has come (for labels: a later row's label). "
    "Acknowledged: somebody has taken it, for good or until a time. Silenced: held until a time, with a reason. "
    "Inhibited: another alert explains it. Flapping: its windows break and keep the rule by turns. "
    "Resolved: as many complete windows in a row (or keep_firing) keep the rule, or by hand."
)


def window(chosen: Window | None) -> tuple[str, str]:
    """Return title and text about a window."""
    if chosen is None:
        return _("Windows"), _(
            "Served rows are cut into windows of event time; [monitor] window in lemnis.toml says how."
        )
    labels = _("{labelled:,} of {rows:,} rows ({labelled_share}) have their true answer; {which}.").format(
        labelled=chosen.labelled,
        rows=chosen.rows,
        labelled_share=share(chosen.labelled_share),
        which=_("no more are expected") if chosen.labels_settled else _("more may come"),
    )
    auc = (
        _(
            "ROC AUC {roc_auc} ± {roc_auc_error} (standard error, Hanley and McNeil); {reference_auc} "
            "on the rows held out in training."
        ).format(
            roc_auc=number(chosen.roc_auc),
            roc_auc_error=number(chosen.roc_auc_error),
            reference_auc=number(chosen.reference_auc),
        )
        if chosen.roc_auc is not None
        else _("The ROC AUC needs both classes among the labelled rows.")
    )
    changes = "\n".join(f"· {told(change)}" for change in chosen.schema_changes)
    parts = [
        _("{verdict}: {why}. An important feature (5 % of the gain) that drifts makes the window drift.").format(
            verdict=chosen.verdict, why=told(chosen.why)
        ),
        false_alarms(chosen),
        RULE_TEXT,
        labels,
        auc,
        _("{duplicates:,} further rows of a known key were left out.").format(duplicates=chosen.duplicates)
        if chosen.duplicates
        else "",
        _("{late:,} rows came after the window had closed; it was judged again with them.").format(late=chosen.late)
        if chosen.late
        else "",
        _("The share that moved most beyond chance: {skewed}.").format(skewed=chosen.skewed) if chosen.skewed else "",
        _("Differences from the training rows:\n{changes}").format(changes=changes) if changes else "",
    ]
    return _("Window {span_label}").format(span_label=span_label(chosen)), "\n\n".join(filter(None, parts))


def false_alarms(chosen: Window) -> str:
    """Return how often the rule alarmed where nothing had drifted."""
    if chosen.false_alarms is None or not chosen.null_runs:
        return _("There are too few training rows to try the rule on past windows.")
    return _(
        "Tried on {null_runs} runs of three past windows of {null_rows:,} training rows, each "
        "judged by bounds from the others, this rule alarmed in {false_alarms} ({false_alarms2})."
    ).format(
        null_runs=chosen.null_runs,
        null_rows=chosen.null_rows,
        false_alarms=chosen.false_alarms,
        false_alarms2=share(chosen.false_alarms / chosen.null_runs),
    )


def performance(found: Performance, stale: list[Stale]) -> tuple[str, str]:
    """Return title and text about the performance layer."""
    why = _("Nothing is estimated here: {why}.").format(why=told(found.why)) if found.why else ""
    parts = ["\n".join(stale_lines(stale)), why, MEASURED_TEXT, ESTIMATED_TEXT, CONCEPT_TEXT, MONEY_TEXT]
    return _("Performance of {endpoint}").format(endpoint=found.endpoint), "\n\n".join(filter(None, parts))


def feature(chosen: FeatureDrift | None) -> tuple[str, str]:
    """Return title and text about a feature in a window."""
    if chosen is None:
        return _("Drift"), f"{RULE_TEXT}\n\n{SCORES_TEXT}"
    gain = (
        _("It has {importance} of the model's gain.").format(importance=share(chosen.importance))
        if chosen.importance is not None
        else ""
    )
    found = f"{scores_content(chosen).plain}: {chosen.verdict}."
    return _("Drift of {feature}").format(feature=chosen.feature), "\n\n".join(
        [f"{found} {gain}".strip(), chosen.rule, SCORES_TEXT]
    )


def alert(chosen: Alert | None, rules: list[Rule]) -> tuple[str, str]:
    """Return title and text about an alert, or about the rules."""
    if chosen is None:
        listed = "\n".join(f"· {told(rule_words(rule))}" for rule in rules)
        return _("Alert rules"), "\n\n".join(filter(None, [listed, ALERT_TEXT]))
    rule = next((rule for rule in rules if rule.name == chosen.rule), None)
    said = [
        told(chosen.message) + ".",
        rule_said(chosen, rule),
        ALERT_TEXT,
    ]
    return _("Alert {rule}").format(rule=chosen.rule), "\n\n".join(said)


def rule_said(chosen: Alert, rule: Rule | None) -> str:
    """Return what an alert's rule says and what its metric is."""
    if chosen.metric in DEFINITIONS:
        return DEFINITIONS[chosen.metric]
    said = _("Its rule is no longer declared.")
    if rule is not None:
        said = _("Rule: {rule_words}.").format(rule_words=told(rule_words(rule)))
    return f"{said}\n\n{told(METRICS[chosen.metric].definition)}"
