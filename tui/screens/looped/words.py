"""Retrainings in words: what the policy would do, how the challenger did, and what is next. Pure."""

from lemnis.engine.monitor.retraining import Figure, Point, Queued, Retraining, Step, Study
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, number, when

MOST = 80  # characters of a sentence in a table; JSON has all of it
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
        interval = f"{bound(figure.low, digits)} to {bound(figure.high, digits)}"
    return [
        figure.metric.replace("_", " "),
        number(figure.champion, digits),
        number(figure.challenger, digits),
        delta(figure.delta, digits),
        interval,
        figure.verdict or MISSING,
    ]


def bound(value: float, digits: int) -> str:
    """Return an end of an interval with its sign, also where it is rounded to zero: which side it lies on matters."""
    return f"{value:+,.{digits}f}".replace("-", "−")


def outcome_words(made: Retraining) -> str:
    """Return what came of a retraining, and what a person does next."""
    if made.outcome == "promoted":
        return f"It was promoted by {made.who}."
    number_ = made.challenger_version
    return f"Promote it with `lemnis models promote {made.model} {number_} --reason …`."


def mean_words(study: Study) -> str:
    """Return the mean gain of a backtest with its interval, what it is worth and what it cost; empty without one."""
    mean = study.mean
    if mean is None:
        return ""
    digits = DIGITS.get(mean.metric, 3)
    interval = ""
    if mean.low is not None and mean.high is not None:
        interval = f" ({bound(mean.low, digits)} to {bound(mean.high, digits)})"
    worth = "" if mean.money is None else f", worth {delta(mean.money, 0)} by the value matrix on the judged rows"
    spans = "span" if mean.spans == 1 else "spans"
    return (
        f"mean gain of {mean.metric.replace('_', ' ')} {delta(mean.gain, digits)}{interval} over {mean.spans} {spans}, "
        f"better in {mean.better}{worth}; {number(study.cpu_seconds, 1)} CPU seconds"
    )


def point_cells(point: Point) -> list[str]:
    """Return one try: rows it learnt from, both values, the difference, its interval, the verdict and the cost."""
    main = point.main
    if main is None:
        return [point.name, number(point.learnt), MISSING, MISSING, MISSING, MISSING, point.why, MISSING, MISSING]
    _, champion, value, gain, interval, said = figure_cells(main)
    cost = [number(point.rounds), number(point.cpu_seconds, 1)]
    return [point.name, number(point.learnt), champion, value, gain, interval, said, *cost]


def step_cells(step: Step, now: int) -> list[str]:
    """Return one step of the loop: its state, its age, what is so, what it waits for and the command that helps."""
    command = f"`{step.command}`" if step.command else ""
    why, blocker = safe(step.why, limit=MOST), safe(step.blocker, limit=MOST)
    return [step.name, step.state, age(step.since, now), why, blocker, command]
