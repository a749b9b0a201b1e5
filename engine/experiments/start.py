"""Starting a run: preset, overrides, data and features become one row with every condition, and a job."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.cluster import check_reachable
from lemnis.engine.config import Config, Preset, find_preset, parse_bytes
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.ageing import HALF_LIFE, half_life_ms
from lemnis.engine.experiments.algorithms import find_algorithm, suited
from lemnis.engine.experiments.begun import START, begun_of
from lemnis.engine.experiments.devices import machine_has_gpu
from lemnis.engine.experiments.known import known_parameters
from lemnis.engine.experiments.parameters import OURS, Value, canonical
from lemnis.engine.experiments.remote.refusals import refuse_spread
from lemnis.engine.experiments.runs import Run, as_text, insert_pairs
from lemnis.engine.features import FeatureSet, FeaturesRoom
from lemnis.engine.jobs import JobsRoom, Terms
from lemnis.engine.store import Store, returning
from lemnis.engine.text import safe
from lemnis.engine.validate.standing import standing

KIND = "experiments.train"
CHECKS, DESPITE = "checks", "despite_checks"  # tags of a run: how its data stood, and why it was trained all the same
SETTINGS = (
    "algorithm",
    "rounds",
    "early_stopping",
    "seed",
    "cores",
    "memory",
    "device",
    "executor",
)  # of the preset, not LightGBM's
USUAL_MEMORY = "1GiB"  # what a training is expected to need that declares nothing
LIMITED = "limited"  # of a prepared row: its memory was declared, so it is a bound
LEFT_OUT = "left_out"  # tag of a run: what its preset says and its algorithm has no use for
NAME_LENGTH = 80
# The conditions of a run that its repetition copies; code, libraries and machine are those of the day.
REPEATED = (
    *("preset", "algorithm", "task", "target", "version_id", "feature_set", "feature_set_revision", "problem_sha256"),
    *("seed", "device_asked", "cores", "memory_bytes", "rounds", "executor", "spread"),
)


def overridden(preset: Preset, overrides: Mapping[str, Value]) -> Preset:
    """Return a preset with some values replaced; what is no setting of a preset is a parameter of its algorithm.

    Raises:
        BadInput: A value is not accepted.
    """
    settings = {key: value for key, value in overrides.items() if key in SETTINGS}
    parameters = {key: value for key, value in overrides.items() if key not in SETTINGS}
    fields: dict[str, object] = msgspec.to_builtins(preset) | settings
    fields["parameters"] = {**preset.parameters, **parameters}
    find_algorithm(as_text(settings.get("algorithm", preset.algorithm)))
    try:
        made = msgspec.convert(fields, Preset, strict=False)
        parse_bytes(made.memory or USUAL_MEMORY)
    except (msgspec.ValidationError, ValueError) as error:
        problem = str(error).replace(" - at `$.", " (").replace("`", ")" if "- at" in str(error) else "'")
        raise BadInput(f"This can't be set: {problem}.", "Change the value after --set.") from None
    return made


class Prepared(Struct, frozen=True, kw_only=True):
    """A run that could be queued.

    Attributes:
        row: Its conditions, as the table has them.
        left_out: What its preset says and its algorithm has no use for.
    """

    row: dict[str, object]
    params: dict[str, Value]
    left_out: list[str]
    version: Version


def prepare_run(
    store: Store,
    config: Config,
    preset: str | None,
    *,
    overrides: Mapping[str, Value],
    version: str | int | None,
    features: Sequence[str] | str | None,
    strict: bool = True,
    spread: bool = True,
) -> Prepared:
    """Return a run under the conditions that are asked for.

    `strict` refuses overrides its algorithm has no use for; `spread` says whether a run on a cluster is trained by all
    of its workers together, or by one.

    Raises:
        NotFound: There is no such preset, version, feature set or column.
        BadInput: A value is not accepted, or the problem has no target.
    """
    problem = config.problem
    chosen, declared = find_preset(config, preset)
    made, params, left_out = suited(overridden(declared, overrides), overrides if strict else (), problem.task)
    data = find_version(store, version)
    if half_life_ms(params) is not None and not data.time:
        raise BadInput(f"{data.title} has no time, so its rows have no age.", f"Leave out {HALF_LIFE}.")
    target = problem.target or data.label
    if not target:
        raise BadInput("The problem has no target.", "Set problem.target in lemnis.toml.", "lemnis.toml")
    data.column(target)
    chosen_set, columns = chosen_features(store, data, features if features is not None else made.features)
    begun_of(store, params, columns)  # what can't be gone on from is refused here
    row: dict[str, object] = {
        "preset": chosen,
        "algorithm": made.algorithm,
        "task": problem.task,
        "target": target,
        "version_id": data.id,
        "features": msgspec.json.encode(columns).decode(),
        "feature_set": chosen_set.name if chosen_set else "",
        "feature_set_revision": chosen_set.revision or None if chosen_set else None,
        "seed": made.seed,
        "device_asked": made.device,
        "cores": made.cores,
        "memory_bytes": parse_bytes(made.memory or USUAL_MEMORY),
        LIMITED: bool(made.memory),
        "rounds": made.rounds,
        "executor": made.executor,
        "spread": int(spread and made.executor == "dask"),
    }
    return Prepared(row=row, params=params, left_out=left_out, version=data)


def named_by_lightgbm(one: Prepared) -> Prepared:
    """Return a run with its parameters under LightGBM's first names; raises BadInput for one it does not know."""
    algorithm = find_algorithm(str(one.row["algorithm"]))
    if not algorithm.trees:
        return one
    given = {key: as_text(value) for key, value in one.params.items() if key not in OURS}
    first = {**algorithm.usual, **canonical(given, known_parameters(), str(one.row["task"]))}
    return msgspec.structs.replace(one, params=first | {key: one.params[key] for key in OURS if key in one.params})


def start_run(
    store: Store,
    config: Config,
    preset: str | None,
    *,
    overrides: Mapping[str, Value],
    version: str | int | None,
    features: Sequence[str] | str | None,
    name: str,
    user: str,
    problem_sha256: str,
    despite_checks: str = "",
) -> int:
    """Queue a training and return the run's id; see `ExperimentsRoom.start`."""
    made = prepare_run(store, config, preset, overrides=overrides, version=version, features=features)
    check_executor(store, config, made)
    named_by_lightgbm(made)  # a misspelt name is refused here and not by the worker, a queue later
    words = " ".join(f"{key}={as_text(value)}" for key, value in overrides.items())
    named = {
        "name": safe(name or f"{made.row['preset']} {words}".strip(), limit=NAME_LENGTH),
        "problem_sha256": problem_sha256,
        "user": user,
    }
    tags = checked_tags(store, made.version, despite_checks) | left_out_tags(made)
    return queue_run(store, made.row | named, made.params, threshold=config.problem.threshold, tags=tags)


def check_executor(store: Store, config: Config, made: Prepared) -> None:
    """Make sure that a run on a cluster can be trained there, before it is queued.

    Raises:
        BadInput: No cluster is declared, a file of its TLS can't be read, or several workers can't train this together.
        Unavailable: The cluster does not answer, or what it takes is not installed.
    """
    if made.row["executor"] == "local":
        return
    for name in (HALF_LIFE, START):
        if name in made.params:
            raise BadInput(f"{name} is not for a cluster.", "Train with executor = local.", f"parameter {name}")
    if made.row["spread"]:
        refuse_spread(str(made.row["algorithm"]), made.params)
    check_reachable(config.cluster, store.workspace.root)


def left_out_tags(made: Prepared) -> dict[str, str]:
    """Return the tag that says what of its preset a run does without."""
    if not made.left_out:
        return {}
    return {LEFT_OUT: f"{', '.join(made.left_out)}: not for {made.row['algorithm']}"}


def checked_tags(store: Store, version: Version, despite: str) -> dict[str, str]:
    """Return what a run says of the checks of its data: how they stood, and the reason if it trains despite them.

    Raises:
        ChecksFailed: A check failed that nobody waives, and no reason is given.
    """
    found = standing(store, version, now=now_ms())
    if not despite.strip():
        found.refuse()
    tags = {CHECKS: safe(found.text, limit=1000)} if found.text else {}
    return tags | ({DESPITE: safe(despite.strip(), limit=1000)} if found.blocking else {})


def repeat_run(store: Store, run: Run, *, user: str, threshold: float) -> int:
    """Queue a training under the conditions of a run, and return the new run's id.

    Raises:
        BadInput: It was no training of ours: what trained it is not on record.
    """
    if run.uid is not None:
        raise BadInput(
            f"Run {run.id} was logged by a client; its conditions are not on record.",
            "Queue its command again with `lemnis run -- COMMAND`.",
            f"run {run.id}",
        )
    row: dict[str, object] = {name: getattr(run, name) for name in REPEATED}
    row |= {
        "name": safe(f"{run.name} again", limit=NAME_LENGTH),
        "features": msgspec.json.encode(run.features).decode(),
        "reproduces": run.id,
        "user": user,
        LIMITED: store.value("select limited from jobs where id = ?", [run.job_id]),
    }
    return queue_run(store, row, run.params, threshold=threshold)


def queue_run(
    store: Store,
    row: dict[str, object],
    params: Mapping[str, Value],
    *,
    threshold: float,
    tags: Mapping[str, str] | None = None,
) -> int:
    """Store a run with its tags and its job in one transaction, and return the run's id."""
    row = {**row, "created_at": now_ms()}
    limited = bool(row.pop(LIMITED, False))  # of the job, not of the run
    sql = f"insert into runs ({', '.join(row)}) values ({', '.join(':' + key for key in row)}) returning id"
    here, spread = row.get("executor", "local") == "local", bool(row.get("spread"))
    gpu = 1.0 if here and row["device_asked"] in ("gpu", "cuda") and machine_has_gpu() else 0.0
    algorithm = find_algorithm(str(row["algorithm"]))
    user = str(row.get("user", ""))
    terms = Terms(user=user, preemptible=here and algorithm.trees and algorithm.resumes, limited=limited and here)
    with store.write() as db:
        run_id = int(returning(db, sql, row)[0]["id"])
        insert_pairs(db, "run_params", run_id, params.items())
        insert_pairs(db, "run_tags", run_id, (tags or {}).items())
        job_id = JobsRoom(store).submit(
            KIND,
            f"Training of {row['name']}",
            {"run_id": run_id, "threshold": threshold},
            cores=float(str(row["cores"])) if here else float(spread),  # on a cluster this machine only waits
            memory_bytes=int(str(row["memory_bytes"])) if here or spread else 0,
            gpu=gpu,
            run_id=run_id,
            executor=str(row.get("executor", "local")),
            terms=terms,
        )
        db.execute("update runs set job_id = ? where id = ?", [job_id, run_id])
    return run_id


def chosen_features(
    store: Store, version: Version, features: Sequence[str] | str
) -> tuple[FeatureSet | None, list[str]]:
    """Return a feature set, None for a list given by hand, and its columns.

    Raises:
        NotFound: There is no such set, or the version lacks a column.
        BadInput: The set is empty.
    """
    if isinstance(features, str):
        found = FeaturesRoom(store).feature_set(features, version.id)
        columns = list(found.features)
    else:
        found, columns = None, list(features)
    for column in columns:
        version.column(column)
    if not columns:
        raise BadInput("A model needs at least one feature.", "Choose some with `lemnis features select`.")
    return found, columns
