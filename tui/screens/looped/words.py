"""Retrainings in words: what the policy would do, how the challenger did, and what is next. Pure."""

from lemnis.engine.monitor.retraining import Figure, Point, Queued, Retraining, Step, Study
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, money, number, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told

MOST = 80  # characters of a sentence in a table; JSON has all of it
MONEY = "value_per_1000"


def allowed_words(one: Queued) -> str:
    """Return what would happen now about one cause: ``would train now:``, or why not and when it may."""
    decision = one.decision
    if decision.answer == "train":
        return _("would train now:")
    if decision.answer == "declined":
        return _("nothing by itself, {why}:").format(why=told(decision.why))
    next_at = (
        _(", next allowed at {allowed_at}").format(allowed_at=when(decision.allowed_at)) if decision.allowed_at else ""
    )
    return _("waits, {why}{next_at}:").format(why=told(decision.why), next_at=next_at)


def figure_cells(figure: Figure, currency: str) -> list[str]:
    """Return one measure: both values, the difference, its interval and the verdict."""
    metric = figure.metric
    return [
        metric.replace("_", " "),
        measured(metric, figure.champion, currency),
        measured(metric, figure.challenger, currency),
        gained(metric, figure.delta, currency),
        interval(metric, (figure.low, figure.high), currency) or MISSING,
        figure.verdict or MISSING,
    ]


def measured(metric: str, value: float | None, currency: str) -> str:
    """Return a measure's value: money or a number."""
    return money(value, currency) if metric == MONEY else number(value)


def gained(metric: str, value: float | None, currency: str) -> str:
    """Return a measure's difference with its sign."""
    return money(value, currency, signed=True) if metric == MONEY else delta(value)


def interval(metric: str, ends: tuple[float | None, float | None], currency: str) -> str:
    """Return an interval of a difference: ``−0.010 to +0.030``; empty where it is not known.

    An end has its sign also where it is rounded to zero: which side it lies on matters.
    """
    low, high = ends
    if low is None or high is None:
        return ""
    if metric == MONEY:
        return _("{low} to {high}").format(
            low=money(low, currency, signed=True), high=money(high, currency, signed=True)
        )
    return f"{low:+,.3f} to {high:+,.3f}".replace("-", "−")


def outcome_words(made: Retraining) -> str:
    """Return what came of a retraining, and what a person does next."""
    if made.outcome == "promoted":
        return _("It was promoted by {who}.").format(who=made.who)
    number_ = made.challenger_version
    return _("Promote it with `lemnis models promote {model} {number} --reason …`.").format(
        model=made.model, number=number_
    )


def mean_words(study: Study, currency: str) -> str:
    """Return the mean gain of a backtest with its interval, what it is worth and what it cost; empty without one."""
    mean = study.mean
    if mean is None:
        return ""
    ends = interval(mean.metric, (mean.low, mean.high), currency)
    sure = f" ({ends})" if ends else ""
    gain = gained(mean.metric, mean.gain, currency)
    worth = (
        ""
        if mean.money is None
        else _(", worth {money} on the judged rows").format(money=money(mean.money, currency, signed=True))
    )
    spans = _("span") if mean.spans == 1 else _("spans")
    return _(
        "mean gain of {metric} {gain}{sure} over {spans} {spans2}, better in {better}{worth}; {cpu_seconds} CPU seconds"
    ).format(
        metric=mean.metric.replace("_", " "),
        gain=gain,
        sure=sure,
        spans=mean.spans,
        spans2=spans,
        better=mean.better,
        worth=worth,
        cpu_seconds=number(study.cpu_seconds, 1),
    )


def point_cells(point: Point, currency: str) -> list[str]:
    """Return one try: rows it learnt from, both values, the difference, its interval, the verdict and the cost."""
    main = point.main
    if main is None:
        return [point.name, number(point.learnt), MISSING, MISSING, MISSING, MISSING, told(point.why), MISSING, MISSING]
    _, champion, value, gain, interval, said = figure_cells(main, currency)
    cost = [number(point.rounds), number(point.cpu_seconds, 1)]
    return [point.name, number(point.learnt), champion, value, gain, interval, said, *cost]


def step_cells(step: Step, now: int) -> list[str]:
    """Return one step of the loop: its state, its age, what is so, what it waits for and the command that helps."""
    command = f"`{step.command}`" if step.command else ""
    why, blocker = safe(told(step.why), limit=MOST), safe(told(step.blocker), limit=MOST)
    return [step.name, step.state, age(step.since, now), why, blocker, command]
