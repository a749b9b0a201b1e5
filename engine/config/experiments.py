"""What lemnis.toml declares of Features and experiments: what a model may be offered, and the ways to train one."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from lemnis.engine.config.cluster import Executor
from lemnis.engine.config.types import Count, Declared

# LightGBM's ways to grow trees, and two baselines; `lightgbm` is what gbdt was called first.
AlgorithmName: TypeAlias = Literal[
    "gbdt", "dart", "rf", "goss", "extra_trees", "linear_tree", "linear", "constant", "lightgbm"
]
Grouping: TypeAlias = Literal["", "group", "preset", "algorithm", "data", "state"]


class Features(Declared, frozen=True):
    """What a model may be offered; `after` names columns known only after the decision."""

    set: str = "default"
    offered: list[str] = field(default_factory=list[str])
    after: list[str] = field(default_factory=list[str])


class View(Declared, frozen=True):
    """One way to look at the runs: which, in which order and groups, and which columns (none: those that suit)."""

    query: str = ""
    sort: str = ""
    descending: bool = True
    shelf: Literal["active", "archived", "deleted"] = "active"
    columns: list[str] = field(default_factory=list[str])
    frozen: Count = 0
    group: Grouping = ""


class Preset(Declared, frozen=True):
    """One way to train: the algorithm, its parameters and how long.

    Attributes:
        executor: Where: on this machine, or spread over the workers of the Dask cluster that [cluster] names.
        cores: Threads; on a cluster of each worker that takes part.
        memory: What it may take at most; without it a training is expected to need 1 GiB and has no bound.
    """

    algorithm: AlgorithmName = "gbdt"
    rounds: Annotated[int, Meta(ge=1, le=100_000)] = 200
    early_stopping: Count = 0
    seed: int = 1
    executor: Executor = "local"
    device: Literal["auto", "cpu", "gpu", "cuda"] = "cpu"
    cores: Annotated[int, Meta(ge=1, le=1024)] = 1
    memory: str = ""
    features: str = ""
    parameters: dict[str, bool | int | float | str] = field(default_factory=dict[str, bool | int | float | str])
