"""Retrainings in words: what the policy would do, how the challenger did, and what is next. Pure."""

from lemnis.engine.monitor.retraining import Figure, Queued, Retraining
from lemnis.tui.format import MISSING, delta, number, when

DIGITS = {"value_per_1000": 0}


def allowed_words(one: Queued) -> str:
    """Return what would happen now about one cause: ``would train now:``, or why not and when it may."""
    decision = one.decision
    if decision.answer == "train":
        return "would train now:"
    if decision.answer == "declined":
        return f"nothing by itself, {decision.why}:"
    next_at = f", next allowed at {when(decision.allowed_at)}" if decision.allowed_at else ""
    return f"waits, {decision.why}{next_at}:"


def figure_cells(figure: Figure) -> list[str]:
    """Return one measure: both values, the difference, its interval and the verdict."""
    digits = DIGITS.get(figure.metric, 3)
    interval = MISSING
    if figure.low is not None and figure.high is not None:
        interval = f"{delta(figure.low, digits)} to {delta(figure.high, digits)}"
    return [
        figure.metric.replace("_", " "),
        number(figure.champion, digits),
        number(figure.challenger, digits),
        delta(figure.delta, digits),
        interval,
        figure.verdict or MISSING,
    ]


def outcome_words(made: Retraining) -> str:
    """Return what came of a retraining, and what a person does next."""
    if made.outcome == "promoted":
        return f"It was promoted by {made.who}."
    number_ = made.challenger_version
    return f"Promote it with `lemnis models promote {made.model} {number_} --reason …`."
