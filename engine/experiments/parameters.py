"""Parameters of a training: read from text, checked against the names it knows, completed with what we decide. Pure."""

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

Value: TypeAlias = bool | int | float | str


class Task(NamedTuple):
    """How one kind of problem is trained and watched; the first metric judges rounds."""

    objective: str
    metrics: tuple[str, ...]
    larger_is_better: bool


TASKS = {
    "binary": Task("binary", ("auc", "binary_logloss"), True),
    "multiclass": Task("multiclass", ("multi_logloss", "multi_error"), False),
    "regression": Task("regression", ("rmse", "l1"), False),
}
# LightGBM's names of metrics → ours, the same for every task.
METRICS = {"binary_logloss": "logloss", "multi_logloss": "logloss", "multi_error": "error", "l1": "mae"}

# Decided elsewhere, with the place where a person says it.
MANAGED = {
    "num_iterations": "rounds of the preset",
    "early_stopping_round": "early_stopping of the preset",
    "seed": "seed of the preset",
    "device_type": "device of the preset, or --device",
    "num_threads": "cores of the preset",
    "metric": "the problem's task",
    "num_class": "the target's classes",
    "categorical_feature": "the columns' types",
}
# They read or write files, or change what a run is.
REFUSED = {
    *("config", "task", "data", "valid", "input_model", "output_model", "output_result", "convert_model", "verbosity"),
    *("snapshot_freq", "save_binary", "machines", "machine_list_filename", "num_machines", "parser_config_file"),
    *("forcedbins_filename", "forcedsplits_filename"),
}
OURS = (
    "rounds",
    "early_stopping",
    "half_life",
    "start",
    "start_run",
)  # stored among a run's parameters, not LightGBM's


def typed(text: str) -> Value:
    """Return a parameter written as text as what it means: true, 31, 0.1 or gbdt."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_overrides(words: Sequence[str]) -> dict[str, Value]:
    """Return words such as ``num_leaves=63`` as values by name.

    Raises:
        BadInput: A word is not NAME=VALUE.
    """
    found: dict[str, Value] = {}
    for word in words:
        key, sign, value = (part.strip() for part in word.partition("="))
        if not (key and sign and value):
            raise BadInput(f"{safe(word, limit=60)!r} is not NAME=VALUE.", "Write for example num_leaves=63.")
        found[key] = typed(value)
    return found


def canonical(given: Mapping[str, str], known: Mapping[str, Sequence[str]], task: str) -> dict[str, Value]:
    """Return parameters under LightGBM's first names.

    Args:
        given: What the run declares.
        known: Every name LightGBM knows, with all its spellings.
        task: The problem's task.

    Raises:
        BadInput: LightGBM has no such parameter, it is decided elsewhere, or it is given twice.
    """
    spelling = {alias: name for name, aliases in known.items() for alias in (name, *aliases)}
    found: dict[str, Value] = {}
    for key, text in given.items():
        name = spelling.get(key)
        if name is None:
            close = difflib.get_close_matches(key, list(spelling), n=1)
            remedy = f"Did you mean {spelling[close[0]]}?" if close else "LightGBM's documentation lists them."
            raise BadInput(f"LightGBM has no parameter {safe(key, limit=60)!r}.", remedy, f"parameter {safe(key)}")
        if name in MANAGED:
            raise BadInput(
                f"{key} is not set among the parameters.", f"It follows {MANAGED[name]}.", f"parameter {key}"
            )
        if name in REFUSED or (name == "objective" and task != "regression"):
            raise BadInput(f"{key} can't be set for a run.", "Leave it out.", f"parameter {key}")
        if name in found:
            raise BadInput(f"{key} is given twice, as {name} too.", "Leave one out.", f"parameter {key}")
        found[name] = typed(text)
    return found


def completed(
    parameters: Mapping[str, Value], *, task: str, classes: int, seed: int, device: str, cores: int
) -> dict[str, Value | list[str]]:
    """Return everything `lightgbm.train` gets; the same conditions give the same model, bit for bit, on a CPU.

    Args:
        parameters: From `canonical`; they win where both say something.
        task: binary, multiclass or regression.
        classes: How many the target has; only used for multiclass.
        seed: Of everything random.
        device: cpu, gpu or cuda: LightGBM's own words.
        cores: Threads.
    """
    kind = TASKS[task]
    ours: dict[str, Value | list[str]] = {
        "objective": kind.objective,
        "metric": list(kind.metrics),
        "seed": seed,
        "deterministic": True,
        "device_type": device,
        "num_threads": cores,
        "verbosity": 1,
    }
    if task == "multiclass":
        ours["num_class"] = classes
    if device == "cpu" and "force_col_wise" not in parameters:
        ours["force_row_wise"] = True
    return ours | dict(parameters)


def metric_name(dataset: str, metric: str) -> str:
    """Return our name of a metric: `auc` is of the validation rows, `train_auc` of the training rows."""
    name = METRICS.get(metric, metric)
    return f"train_{name}" if dataset == "train" else name
