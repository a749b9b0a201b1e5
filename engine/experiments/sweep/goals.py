"""What a sweep looks for: objectives with a direction, constraints, and which trials are best. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.compare import larger_is_better
from lemnis.engine.experiments.parameters import TASKS, metric_name
from lemnis.engine.text import safe

MOST_OBJECTIVES = 3
PREDICT_MS = "predict_ms"  # see latency.py; measured of trials whose sweep asks for it
COSTS = ("train_seconds", "peak_memory_mib", "gpu_memory_mib", PREDICT_MS)
CONSTRAINT = re.compile(r"\s*(?:metrics?\.)?(?P<metric>[A-Za-z_][\w./-]*)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\S+)\s*")
LEAST = 1e-12  # how much a bound that must not be reached is missed by when it is reached exactly


class Objective(Struct, frozen=True, kw_only=True):
    """A metric of a run, and whether a larger value is better."""

    metric: str
    larger: bool

    @property
    def words(self) -> str:
        """The objective for people: ``auc ↑``."""
        return f"{self.metric} {'↑' if self.larger else '↓'}"


class Constraint(Struct, frozen=True, kw_only=True):
    """What a metric of a run must keep to; `sign` is <, <=, > or >=."""

    metric: str
    sign: str
    bound: float

    @property
    def words(self) -> str:
        return f"{self.metric} {self.sign} {self.bound:g}"


def rounds_metrics(task: str) -> list[str]:
    """Return the metrics that a training tells after every round, the one that judges rounds first."""
    return [metric_name("validation", metric) for metric in TASKS[task].metrics]


def read_objectives(words: Sequence[str], task: str) -> list[Objective]:
    """Return objectives written as ``auc`` or ``train_seconds:min``; without any the one that judges rounds.

    Raises:
        BadInput: A direction is unknown or not given where it must be; there are too many, or one stands twice.
    """
    found: list[Objective] = []
    for word in words or [rounds_metrics(task)[0]]:
        metric, _, way = word.strip().removeprefix("metrics.").partition(":")
        larger = {"max": True, "min": False}.get(way, larger_is_better(metric) if not way else None)
        if larger is None or not metric:
            remedy = f"Write for example {metric or 'auc'}:max or {metric or 'train_seconds'}:min."
            raise BadInput(f"{safe(word, limit=60)!r} does not say which way is better.", remedy, "objectives")
        found.append(Objective(metric=metric, larger=larger))
    if len(found) > MOST_OBJECTIVES or len({one.metric for one in found}) < len(found):
        raise BadInput(f"A sweep has 1 to {MOST_OBJECTIVES} different objectives.", "Leave some out.", "objectives")
    return found


def read_constraints(words: Sequence[str]) -> list[Constraint]:
    """Return constraints written as ``metrics.train_seconds < 5``; raises BadInput."""
    found: list[Constraint] = []
    for word in words:
        match = CONSTRAINT.fullmatch(word)
        try:
            bound = float(match["bound"]) if match else None
        except ValueError:
            bound = None
        if match is None or bound is None:
            raise BadInput(
                f"{safe(word, limit=80)!r} is no constraint.",
                "Write for example metrics.train_seconds < 5.",
                "constraints",
            )
        found.append(Constraint(metric=match["metric"], sign=match["sign"], bound=bound))
    return found


def check_metrics(objectives: Sequence[Objective], constraints: Sequence[Constraint], task: str) -> None:
    """Refuse metrics that no training measures; raises BadInput."""
    rounds = rounds_metrics(task)
    known = [*rounds, *(f"train_{name}" for name in rounds), *COSTS]
    for one in (*objectives, *constraints):
        if one.metric not in known:
            place = "objectives" if isinstance(one, Objective) else "constraints"
            raise BadInput(
                f"No training measures {safe(one.metric, limit=60)!r}.", f"Known: {', '.join(known)}.", place
            )


def violations(constraints: Sequence[Constraint], metrics: Mapping[str, float | None]) -> list[float | None]:
    """Return by how much each constraint is missed, 0 or less where it is kept; None where its metric is missing."""
    found: list[float | None] = []
    for one in constraints:
        value = metrics.get(one.metric)
        if value is None:
            found.append(None)
            continue
        over = value - one.bound if one.sign.startswith("<") else one.bound - value
        found.append(LEAST if over == 0 and not one.sign.endswith("=") else over)
    return found


class Judged(Protocol):
    """What is needed of a trial to say which are best."""

    @property
    def values(self) -> list[float]: ...
    @property
    def feasible(self) -> bool: ...


T = TypeVar("T", bound=Judged)


def better(objective: Objective, one: float, other: float) -> bool:
    """Say whether a value is better than another."""
    return one > other if objective.larger else one < other


def dominates(objectives: Sequence[Objective], one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether a point is nowhere worse than another and somewhere better."""
    pairs = list(zip(objectives, one, other, strict=True))
    return not any(better(goal, b, a) for goal, a, b in pairs) and any(better(goal, a, b) for goal, a, b in pairs)


def best_of(objectives: Sequence[Objective], trials: Sequence[T]) -> list[T]:
    """Return the best trials among those that keep to the constraints, as given: of one objective the first best.

    Of several objectives these are all that no other dominates (the Pareto front), in order of the first objective.
    Sorted first, so that a point is only compared with those that may dominate it.
    """
    feasible = [trial for trial in trials if trial.values and trial.feasible]
    goal = objectives[0]
    sign = -1.0 if goal.larger else 1.0
    feasible.sort(
        key=lambda trial: [(-1.0 if o.larger else 1.0) * v for o, v in zip(objectives, trial.values, strict=True)]
    )
    if len(objectives) == 1:
        return feasible[:1]
    front: list[T] = []
    for trial in feasible:
        if not any(dominates(objectives, other.values, trial.values) for other in front):
            front.append(trial)
    return sorted(front, key=lambda trial: sign * trial.values[0])
