"""Optuna: an in-memory study made of our trials whenever a point is asked for; nothing of it is kept."""

import warnings
from collections.abc import Sequence
from typing import Any

from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.sweep.goals import Objective
from lemnis.engine.experiments.sweep.records import Sweep, Trial
from lemnis.engine.experiments.sweep.space import Dimension, Space, holds

FEWEST = 10  # finished trials before importances mean anything
NEVER = 1e9  # how far a constraint is missed when its metric is missing


def ask(sweep: Sweep, trials: Sequence[Trial], number: int, wanted: dict[str, Value]) -> dict[str, Value]:
    """Return the parameters of the next trial.

    The study is told of every trial inside the space as it is now, so that narrowing and freezing act at once. The
    sampler is seeded by the sweep's seed and the trial's number: with the same trials before it, it says the same.

    Args:
        sweep: As it is now.
        trials: All that there are.
        number: Of the trial that is to begin.
        wanted: What somebody has asked for; it is not changed.
    """
    import optuna

    quiet(optuna)
    seed = (sweep.seed * 1_000_003 + number) % 2**32
    sampler = (
        optuna.samplers.TPESampler(seed=seed) if sweep.sampler == "tpe" else optuna.samplers.RandomSampler(seed=seed)
    )
    free = [dimension for dimension in sweep.space if dimension.frozen is None and dimension.name not in wanted]
    fixed = {one.name: one.frozen for one in sweep.space if one.frozen is not None}
    drawn: dict[str, Any] = {}
    if free:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = study_of(sweep.objectives, free, trials, sampler)
            drawn = study.ask(distributions(free)).params
    point = {**drawn, **fixed, **wanted}
    return {dimension.name: point[dimension.name] for dimension in sweep.space}


def importances(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """Return what share of reaching the best tenth each parameter decides, largest first; empty while too few finished.

    Source: S. Watanabe et al., PED-ANOVA (IJCAI 2023), Optuna's evaluator. Of several objectives: of reaching the
    Pareto front.
    """
    import optuna

    quiet(optuna)
    varying = [one for one in sweep.declared if one.choices[1:] or one.low < one.high]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = study_of(sweep.objectives, varying, [t for t in trials if t.state == "finished"])
        if len(study.get_trials(deepcopy=False)) < FEWEST or len(varying) < 2:
            return {}
        found: dict[str, float] = optuna.importance.get_param_importances(study)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


# Any: Optuna's study and distributions; it is imported where it is used.
def study_of(objectives: Sequence[Objective], space: Space, trials: Sequence[Trial], sampler: Any = None) -> Any:
    """Return a study that knows the trials whose parameters all lie in the space."""
    import optuna

    study = optuna.create_study(
        directions=["maximize" if objective.larger else "minimize" for objective in objectives],
        sampler=sampler or optuna.samplers.RandomSampler(seed=0),
    )
    known = distributions(space)
    for trial in trials:
        inside = all(one.name in trial.params and holds(one, trial.params[one.name]) for one in space)
        if trial.state in ("running", "finished", "pruned") and inside:
            study.add_trial(frozen(optuna, trial, known, len(objectives)))
    return study


def frozen(optuna: Any, trial: Trial, known: dict[str, Any], objectives: int) -> Any:
    """Return a trial as Optuna takes it. Any: Optuna's own."""
    state = optuna.trial.TrialState
    kept: dict[str, Any] = {
        "state": {"running": state.RUNNING, "pruned": state.PRUNED}.get(trial.state, state.COMPLETE)
    }
    if trial.state == "finished":
        kept["values"] = trial.values
        if trial.missed:
            kept["constraints"] = {
                str(place): NEVER if missed is None else missed for place, missed in enumerate(trial.missed)
            }
    elif trial.state == "pruned" and trial.last_round is not None and trial.last_value is not None and objectives == 1:
        kept["intermediate_values"] = {trial.last_round: trial.last_value}
    return optuna.trial.create_trial(
        params={name: trial.params[name] for name in known}, distributions=dict(known), **kept
    )


def distributions(space: Space) -> dict[str, Any]:
    """Return the dimensions as Optuna's distributions. Any: Optuna's own."""
    return {dimension.name: distribution(dimension) for dimension in space}


def distribution(dimension: Dimension) -> Any:
    """Return one dimension as Optuna's distribution. Any: Optuna's own."""
    from optuna import distributions as kinds

    if dimension.choices:
        return kinds.CategoricalDistribution(dimension.choices)
    low, high, step = dimension.low, dimension.high, dimension.step
    if dimension.integer:
        return kinds.IntDistribution(int(low), int(high), log=dimension.log, step=int(step or 1))
    return kinds.FloatDistribution(low, high, log=dimension.log, step=step)


def quiet(optuna: Any) -> None:
    """Let Optuna log nothing but errors. Any: the module."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
