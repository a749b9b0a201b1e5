"""Comparing runs: what differs in their conditions and parameters, and how far their metrics are apart. Pure."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from lemnis.engine.experiments.runs import Run

LARGER_IS_BETTER = ("auc", "pr_auc", "accuracy", "precision", "recall", "f1", "r2", "value")
# What a training took; no figure of its model.
SYSTEM = "system/"  # how the names begin of what a machine did while a run ran, MLflow's way
COSTS = ("train_seconds", "peak_memory_mib", "gpu_memory_mib", "gpu_busy_percent")
SMALLER_IS_BETTER = ("logloss", "error", "rmse", "mae", "brier", "seconds", "mib")

CONDITIONS: dict[str, Callable[[Run], str]] = {
    "state": lambda run: run.state,
    "preset": lambda run: run.preset,
    "algorithm": lambda run: run.algorithm,
    "data": lambda run: run.data_version,
    "data hash": lambda run: (run.version_id or "")[:12],
    "feature set": lambda run: run.set_reference,
    "features": lambda run: ", ".join(run.features),
    "target": lambda run: run.target,
    "problem": lambda run: run.problem_sha256[:12],
    "seed": lambda run: "" if run.seed is None else str(run.seed),
    "device": lambda run: run.device,
    "cores": lambda run: f"{run.cores:g}",
    "code": lambda run: run.code_version[:12] + ("+" if run.code_version.endswith("+") else ""),
    "host": lambda run: str(run.machine.get("host", "")),
    "processor": lambda run: str(run.machine.get("processor", "")),
    "user": lambda run: run.user,
}


class Row(Struct, frozen=True, kw_only=True):
    """One condition or parameter: its value in each run, None where a run has none."""

    name: str
    values: list[str | None]
    differs: bool


class MetricRow(Struct, frozen=True, kw_only=True):
    """One metric: its value in each run, the difference to the baseline's, and whether that is better.

    Attributes:
        better: None where there is nothing to judge: no value, no difference, or no direction.
    """

    name: str
    values: list[float | None]
    deltas: list[float | None]
    better: list[bool | None]
    differs: bool


class Comparison(Struct, frozen=True, kw_only=True):
    """Two or more runs side by side; every list of values is in the order of `runs`, and the first is the baseline."""

    runs: list[Run]
    conditions: list[Row]
    parameters: list[Row]
    metrics: list[MetricRow]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Return everything that can be said about runs side by side; the first is what the others are measured by."""
    conditions = [row(name, [read(run) or None for run in runs]) for name, read in CONDITIONS.items()]
    libraries = sorted({name for run in runs for name in run.libraries})
    conditions += [row(name, [run.libraries.get(name) for run in runs]) for name in libraries]
    keys = sorted({key for run in runs for key in run.params})
    metrics = sorted({key for run in runs for key in run.metrics}, key=metric_place)
    return Comparison(
        runs=list(runs),
        conditions=conditions,
        parameters=[row(key, [run.params.get(key) for run in runs]) for key in keys],
        metrics=[metric_row(key, [run.metrics.get(key) for run in runs]) for key in metrics],
    )


def row(name: str, values: list[str | None]) -> Row:
    """Return one condition with whether it differs."""
    return Row(name=name, values=values, differs=len(set(values)) > 1)


def metric_row(name: str, values: list[float | None]) -> MetricRow:
    """Return one metric with its distances to the first run's value."""
    reference, *others = values
    deltas = [None, *(None if value is None or reference is None else value - reference for value in others)]
    larger = larger_is_better(name)
    better = [None if not delta or larger is None else (delta > 0) == larger for delta in deltas]
    return MetricRow(name=name, values=values, deltas=deltas, better=better, differs=len(set(values)) > 1)


def larger_is_better(metric: str) -> bool | None:
    """Say which way a metric is better by its name; None if that can't be told."""
    name = metric.removeprefix("train_").removeprefix("test_")
    if any(name == word or name.endswith(f"_{word}") for word in SMALLER_IS_BETTER):
        return False
    return True if any(name == word or name.endswith(f"_{word}") for word in LARGER_IS_BETTER) else None


def metric_place(metric: str) -> tuple[int, str]:
    """Return a sort key: validation first, then training, then what it cost."""
    cost = metric in COSTS or metric.startswith(SYSTEM)
    return (2 if cost else int(metric.startswith("train_")), metric)
