"""Beginning a sweep: what is declared, asked for, or usual becomes one row and the job that drives it."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.cluster import check_reachable
from lemnis.engine.config import Config, Preset, find_preset, load_config, parse_age
from lemnis.engine.config import Sweep as Declared
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.start import (
    checked_tags,
    chosen_features,
    named_by_lightgbm,
    overridden,
    prepare_run,
)
from lemnis.engine.experiments.sweep.driving import queue_driver, tell
from lemnis.engine.experiments.sweep.goals import (
    Objective,
    check_metrics,
    read_constraints,
    read_objectives,
    rounds_metrics,
)
from lemnis.engine.experiments.sweep.records import Start, Sweep, get_sweep
from lemnis.engine.experiments.sweep.space import Dimension, declared_space, read_space, usual_space
from lemnis.engine.experiments.sweep.trials import starting_config
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.resources.capacity import machine_pool
from lemnis.engine.store import Store, returning
from lemnis.engine.text import safe

NAME_LENGTH = 60


class Wishes(Struct, frozen=True, kw_only=True):
    """What replaces the declaration of a sweep; None or empty leaves it.

    Attributes:
        space: Dimensions, as `space.read_space` takes them.
        overrides: Values of the preset that are the same for every trial.
        timeout: Such as ``90min``.
        name: What to call it; by default the declaration or the preset with a number.
    """

    space: list[str] = []
    objectives: list[str] = []
    constraints: list[str] = []
    overrides: dict[str, Value] = {}
    sampler: str | None = None
    pruner: str | None = None
    trials: int | None = None
    timeout: str = ""
    parallel: int | None = None
    gang: bool | None = None
    executor: str | None = None
    seed: int | None = None
    version: str | int | None = None
    features: str | None = None
    name: str = ""
    despite_checks: str = ""


def begin_sweep(store: Store, named: str | None, wishes: Wishes, user: str) -> Sweep:
    """Store a sweep and queue what drives it; see `SweepsRoom.start`."""
    config = load_config(store.workspace.config)
    title, declared = declared_sweep(config, named)
    declared = merged(declared, wishes)
    preset_name, preset = find_preset(config, declared.preset or None)
    preset = overridden(preset, ({"executor": declared.executor} if declared.executor else {}) | wishes.overrides)
    if preset.executor == "dask":
        check_reachable(config.cluster, store.workspace.root)
    data, problem = find_version(store, wishes.version), config.problem
    target = problem.target or data.label
    if not target:
        raise BadInput("The problem has no target.", "Set problem.target in lemnis.toml.", "lemnis.toml")
    data.column(target)
    checked_tags(store, data, wishes.despite_checks)
    chosen, columns = chosen_features(store, data, wishes.features or preset.features)
    if "validation" not in data.split:
        raise BadInput(
            "A sweep needs validation rows to judge its trials; the split has none.",
            "Give [dataset.split] a validation span.",
            "lemnis.toml",
        )
    objectives = read_objectives(declared.objectives, problem.task)
    constraints = read_constraints(declared.constraints)
    check_metrics(objectives, constraints, problem.task)
    parallel = declared.parallel or most_at_once(store, config, preset)
    start = Start(
        preset=preset,
        task=problem.task,
        target=target,
        threshold=problem.threshold,
        features=f"{chosen.name}@{chosen.revision}" if chosen and chosen.revision else columns,
        problem_sha256=ProblemRoom(store).problem_sha256(),
        despite_checks=wishes.despite_checks,
        gang=gang_size(declared, parallel, here=preset.executor == "local"),
    )
    space = declared_space(declared.space) or usual_space(preset.algorithm)
    check_space(store, preset_name, start, data.id, space)
    row: dict[str, object] = {
        "preset": preset_name,
        "start": text_of(start),
        "declared": text_of(space),
        "space": text_of(space),
        "sampler": declared.sampler,
        "pruner": chosen_pruner(declared, objectives, problem.task),
        "objectives": text_of(objectives),
        "constraints": text_of(constraints),
        "trials": declared.trials,
        "parallel": parallel,
        "timeout_s": read_timeout(declared.timeout),
        "seed": declared.seed,
        "version_id": data.id,
        "user": user,
        "created_at": now_ms(),
    }
    with store.write() as db:
        row["name"] = free_name(store, wishes.name or title or preset_name, numbered=not wishes.name)
        sql = f"insert into sweeps ({', '.join(row)}) values ({', '.join(':' + key for key in row)}) returning id"
        sweep_id = int(returning(db, sql, row)[0]["id"])
        tell(db, sweep_id, user, f"began it with {declared.trials} trials")
        queue_driver(store, sweep_id)
    return get_sweep(store, sweep_id)


def gang_size(declared: Declared, parallel: int, *, here: bool) -> int:
    """Return how many trials start together, 0 if each starts by itself; on a cluster there are no gangs."""
    return min(parallel, declared.trials) if declared.gang and here else 0


def declared_sweep(config: Config, named: str | None) -> tuple[str, Declared]:
    """Return the declaration that is named, else one of a preset of that name, else `default`; and its name.

    Raises:
        NotFound: Neither a sweep nor a preset has this name.
    """
    if named is None:
        return ("default", config.sweeps["default"]) if "default" in config.sweeps else ("", Declared())
    if named in config.sweeps:
        return named, config.sweeps[named]
    if named in config.presets:
        return named, Declared(preset=named)
    sweeps, presets = (", ".join(names) or "none" for names in (config.sweeps, config.presets))
    raise NotFound(
        f"There is no sweep or preset {safe(named, limit=60)!r}.",
        f"Sweeps: {sweeps}. Presets: {presets}. Declare it as [sweeps.NAME].",
    )


def merged(declared: Declared, wishes: Wishes) -> Declared:
    """Return a declaration with what is wished for instead; raises BadInput."""
    asked: dict[str, object] = {
        "objectives": wishes.objectives or None,
        "constraints": wishes.constraints or None,
        **{name: getattr(wishes, name) for name in ("sampler", "pruner", "trials", "parallel", "gang")},
        **{name: getattr(wishes, name) for name in ("seed", "executor")},
        "timeout": wishes.timeout or None,
    }
    fields: dict[str, object] = msgspec.to_builtins(declared)
    fields |= {name: value for name, value in asked.items() if value is not None}
    if wishes.space:
        fields["space"] = {one.name: one.choices or range_of(one) for one in read_space(wishes.space)}
    try:
        return msgspec.convert(fields, Declared)
    except msgspec.ValidationError as error:
        problem = str(error).replace(" - at `$.", " (").replace("`", ")" if "- at" in str(error) else "'")
        raise BadInput(f"This can't be swept: {problem}.", "See `lemnis sweep --help`.") from None


def range_of(dimension: Dimension) -> dict[str, object]:
    """Return a range as it is declared."""
    kind = int if dimension.integer else float
    step = None if dimension.step is None else kind(dimension.step)
    return {"low": kind(dimension.low), "high": kind(dimension.high), "log": dimension.log, "step": step}


def check_space(store: Store, preset: str, start: Start, version_id: str, space: Sequence[Dimension]) -> None:
    """Refuse what no trial could be trained with: a name that LightGBM does not know, a value of the wrong kind.

    Raises:
        BadInput: Names the parameter.
    """
    first: dict[str, Value] = {
        one.name: one.choices[0] if one.choices else int(one.low) if one.integer else one.low for one in space
    }
    algorithms = next((one.choices for one in space if one.name == "algorithm"), [start.preset.algorithm])
    for algorithm in algorithms or [first["algorithm"]]:
        point = first | ({"algorithm": algorithm} if "algorithm" in first else {})
        config = starting_config(preset, start)
        made = prepare_run(
            store,
            config,
            preset,
            overrides=point,
            version=version_id,
            features=start.features,
            strict=False,
            spread=False,
        )
        named_by_lightgbm(made)


def chosen_pruner(declared: Declared, objectives: Sequence[Objective], task: str) -> str:
    """Return the rule that ends trials early.

    Raises:
        BadInput: It was asked for and can't judge: there are several objectives, or it is told only at the end.
    """
    told = len(objectives) == 1 and objectives[0].metric in rounds_metrics(task)
    if declared.pruner in (None, "none"):
        return "median" if told and declared.pruner is None else "none"
    if not told:
        known = ", ".join(rounds_metrics(task))
        raise BadInput(
            f"The {declared.pruner} pruner judges one objective that is known after every round.",
            f"Choose one of {known}, or --pruner none.",
            "pruner",
        )
    return str(declared.pruner)


def most_at_once(store: Store, config: Config, preset: Preset) -> int:
    """Return how many trainings of a preset the pool holds at once, at least 1; of a cluster it is not known yet."""
    if preset.executor == "dask":
        return 0
    return max(1, int(machine_pool(config.pool, store).cores // preset.cores))


def read_timeout(text: str) -> float | None:
    """Return a time such as ``90min``, ``2h`` or ``45s`` in seconds, None for an empty text; raises BadInput."""
    text = text.strip()
    if not text:
        return None
    try:
        seconds = float(text.removesuffix("s")) if text[-1] in "s0123456789." else parse_age(text) / 1000
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise BadInput(f"{safe(text, limit=60)!r} is no time.", "Write for example 45s, 90min or 2h.", "timeout")
    return seconds


def free_name(store: Store, wanted: str, *, numbered: bool) -> str:
    """Return a name that no sweep has yet, with a number where one is not taken as it is.

    Raises:
        BadInput: The very name is wanted, and taken or no name.
    """
    stem = safe(wanted.strip(), limit=NAME_LENGTH)
    taken: Mapping[str, int] = {row["name"]: row["id"] for row in store.rows("select id, name from sweeps")}
    if not numbered:
        if not stem or stem.isdecimal():
            raise BadInput("A sweep's name has at least one letter.", "Give another --name.", "name")
        if stem in taken:
            raise BadInput(f"There is a sweep {stem} already.", "Give another --name.", "name")
        return stem
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def text_of(value: object) -> str:
    """Return a record as JSON."""
    return msgspec.json.encode(value).decode()
