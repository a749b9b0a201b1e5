"""What a sweep says in words, the same in the console and in commands. Pure."""

from collections.abc import Sequence

from lemnis.engine.experiments.sweep import Sweep, Trial
from lemnis.engine.experiments.sweep.space import value_text
from lemnis.tui.format import MISSING, duration, number, share
from lemnis.tui.language import _

DIGITS = 5
COSTS = ("seconds", "mib")  # what metrics that are measured in these end with


def value_words(metric: str, value: float | None) -> str:
    """Return a value of a metric: what something cost needs no more than two decimals."""
    return number(value, 2 if metric.endswith(COSTS) else DIGITS)


def expectation_words(sweep: Sweep) -> str:
    """Return what 20 more trials may gain, in words; empty if that can't be said."""
    found = sweep.insight.expectation if sweep.insight else None
    if found is None:
        return ""
    took = (
        _(", about {seconds}").format(seconds=duration(found.seconds / sweep.lanes))
        if found.seconds is not None
        else ""
    )
    metric = sweep.objectives[0].metric
    way = "+" if sweep.objectives[0].larger else "−"
    low, mean, high = (value_words(metric, part) for part in (found.low, found.mean, found.high))
    return _("{trials} more trials: {metric} {way}{mean} ({low} to {high}), any gain {chance}{took}").format(
        trials=found.trials,
        metric=metric,
        way=way,
        mean=mean,
        low=low,
        high=high,
        chance=share(found.chance, 0),
        took=took,
    )


def best_value(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """Return the best value, or how many trials stand in the Pareto front."""
    best = sweep.best(trials)
    if not best:
        return MISSING
    if len(sweep.objectives) > 1:
        return _("{best} in the Pareto front").format(best=len(best))
    return values_words(sweep, best[0])


def best_words(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """Return the best trials with their values and parameters."""
    best = sweep.best(trials)
    if not best:
        return (
            _("No trial has finished yet.")
            if not sweep.constraints
            else _("No finished trial keeps to the constraints.")
        )
    if len(sweep.objectives) > 1:
        return _("Pareto front: trials {number}").format(number=", ".join(str(trial.number) for trial in best))
    trial = best[0]
    params = " ".join(f"{name}={value_text(value)}" for name, value in trial.params.items())
    return _("trial {number} (run {run_id}): {values_words}  {params}").format(
        number=trial.number, run_id=trial.run_id, values_words=values_words(sweep, trial), params=params
    )


def values_words(sweep: Sweep, trial: Trial) -> str:
    """Return the values of a trial by metric."""
    return " ".join(
        f"{goal.metric} {value_words(goal.metric, value)}"
        for goal, value in zip(sweep.objectives, trial.values, strict=False)
    )
