"""What lemnis.toml declares of sweeps: the space that is searched, what for, and how."""

from typing import Annotated, Literal

from msgspec import Meta, field

from lemnis.engine.config.cluster import Executor
from lemnis.engine.config.types import Count, Declared


class Range(Declared, frozen=True):
    """Numbers from `low` to `high`, both included; whole ones if both bounds and the step are whole."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None


class Sweep(Declared, frozen=True):
    """One way to look for better parameters.

    Attributes:
        preset: What every trial starts from; `default` when empty.
        space: A range, or a list of choices, for each parameter that varies; the usual ones when empty.
        objectives: Metrics of a run, such as ``auc`` or ``train_seconds:min``; the one that judges rounds when empty.
        sampler: Who proposes points: the Tree-structured Parzen Estimator, or chance.
        pruner: Which rule ends trials early that fall behind; median when there is one objective.
        constraints: What a trial must keep to, such as ``metrics.train_seconds < 5``.
        trials: How many there are to be.
        timeout: Time after which no trial is begun, such as ``90min``; empty for none.
        parallel: How many trials run at once at most; 0 for as many as the pool, or the cluster, holds.
        gang: Its first trials, as many as run at once, start all together or not at all.
        executor: Where trials are trained: here, or each on a worker of the cluster; the preset's if None.
    """

    preset: str = ""
    space: dict[str, Range | list[bool | int | float | str]] = field(
        default_factory=dict[str, Range | list[bool | int | float | str]]
    )
    objectives: list[str] = field(default_factory=list[str])
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "hyperband", "none"] | None = None
    constraints: list[str] = field(default_factory=list[str])
    trials: Annotated[int, Meta(ge=1, le=100_000)] = 50
    timeout: str = ""
    parallel: Count = 0
    gang: bool = False
    executor: Executor | None = None
    seed: int = 1
