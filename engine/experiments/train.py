"""The job `experiments.train`: everything from a queued run to its model, with every condition recorded."""

import hashlib
import math
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.experiments import conditions
from lemnis.engine.experiments.ablation import measure_ablations
from lemnis.engine.experiments.ageing import decayed, half_life_ms
from lemnis.engine.experiments.algorithms import ALGORITHMS, find_algorithm, refuse_contradiction
from lemnis.engine.experiments.begun import Begun, begun_of, refitted
from lemnis.engine.experiments.checkpoint import Checkpoint, load_checkpoint
from lemnis.engine.experiments.devices import Probe, choose_device
from lemnis.engine.experiments.fit import Fitted, Matrix, Rows, fit
from lemnis.engine.experiments.known import names_in_lightgbm
from lemnis.engine.experiments.latency import keep_latency
from lemnis.engine.experiments.parameters import OURS, Value, canonical, completed, typed
from lemnis.engine.experiments.points import SPOOL, PointWriter, forget_points
from lemnis.engine.experiments.predictions import keep_predictions, row_times
from lemnis.engine.experiments.recorder import CHECKPOINT_EVERY_S, Recorder, write_latest
from lemnis.engine.experiments.remote.pieces import pieces_of, read_piece
from lemnis.engine.experiments.reproduction import reproduction
from lemnis.engine.experiments.runs import Run, add_pairs, get_run
from lemnis.engine.features.matrix import Signature, encode_table, fit_signature, labelled
from lemnis.engine.files import write_atomic
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.models.files import read_model
from lemnis.engine.resources.gpu_use import GpuUse, GpuWatch
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.experiments.remote.site import Site

FEW_ROWS = 1000  # enough to time a model by


def train(context: JobContext, arguments: dict[str, Any], site: "Site | None" = None) -> dict[str, Any]:
    """Train the run that `arguments["run_id"]` names; an earlier attempt's checkpoint is gone on from.

    Any: JSON. The result has the run's id, its metrics and how it reproduced the run it repeats. `site` is the cluster
    that the process is connected with, for a run of the executor dask; None to connect.
    """
    store, run = context.store, get_run(context.store, int(arguments["run_id"]))
    directory = context.workspace.run_dir(run.id)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    version, threshold = find_version(store, run.version_id), float(arguments.get("threshold", 0.5))
    if run.executor == "dask":
        fitted, signature = grow_elsewhere(context, run, version, threshold, site)
    else:
        fitted, signature = grow_here(context, run, version, threshold, arguments)
    peak_mib = fitted.peak_mib or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    metrics = fitted.metrics | {"train_seconds": round(fitted.seconds, 3), "peak_memory_mib": round(peak_mib, 1)}
    model = fitted.model.encode()
    write_atomic(directory / "model.txt", model, mode=0o400)
    sha256 = hashlib.sha256(model).hexdigest()
    if not write_latest(context, run.id, fitted.rounds_done, fitted.best_round, metrics):
        raise LemnisError("Another worker has taken this run over.", "Look at its newest job.", f"run {run.id}")
    with store.write() as db:
        db.execute("update runs set model_sha256 = ? where id = ?", [sha256, run.id])
    (directory / "checkpoint.txt").unlink(missing_ok=True)
    score_held_out(store, run, fitted.model, signature, version)
    if arguments.get("timed"):
        keep_latency(store, run.id, fitted.model, first_rows(version, signature))
    measure_ablations(store, run.id)
    return {"run_id": run.id, "metrics": metrics, "reproduced": reproduced(store, run, sha256, metrics)}


def grow_elsewhere(
    context: JobContext, run: Run, version: Version, threshold: float, site: "Site | None"
) -> tuple[Fitted, Signature]:
    """Train on the cluster, and return what came of it with what the model takes."""
    from lemnis.engine.experiments.remote import open_site, train_remotely

    device = Probe(device="cpu" if run.device_asked == "auto" else run.device_asked, usable=True)
    write_conditions(context, run, device)
    context.progress(None, "connecting to the cluster")
    opened = site or open_site(context.workspace)
    try:
        context.progress(None, "learning the columns")
        signature = opened.signature(version, run, threshold)
        signature.save(context.workspace.run_dir(run.id) / "signature.json")
        parameters = parameters_of(context, run, signature, device.device)
        early_stopping = checked_stopping(run, validated="validation" in version.split)
        return train_remotely(context, run, version, signature, parameters, early_stopping, opened), signature
    finally:
        if site is None:
            opened.cluster.close()


def grow_here(
    context: JobContext, run: Run, version: Version, threshold: float, arguments: dict[str, Any]
) -> tuple[Fitted, Signature]:
    """Train in this process, and return what came of it with what the model takes. Any: JSON."""
    context.progress(None, "looking at the device")
    device = choose_device(run.device_asked)
    write_conditions(context, run, device)
    context.progress(None, "reading the data")
    begun = begun_of(context.store, run.params, run.features)
    kept = begun.signature if begun is not None else None
    rows, signature = read_rows(
        version, run.features, task=run.task, target=run.target, threshold=threshold, signature=kept
    )
    if (half_life := half_life_ms(run.params)) is not None:
        rows["train"] = weighted(rows["train"], version, signature, half_life)
    signature.save(context.workspace.run_dir(run.id) / "signature.json")
    watch = GpuWatch(context.store, os.getpid()) if device.device != "cpu" else None
    try:
        if find_algorithm(run.algorithm).trees:
            every_s = float(arguments.get("checkpoint_every_s", CHECKPOINT_EVERY_S))
            if begun is not None and begun.how == "refit":
                context.progress(None, "fitting the leaves of another run's trees")
                fitted = refitted(begun, rows["train"], rows.get("validation"))
            else:
                fitted = grow_trees(
                    context, run, rows, signature, device=device.device, checkpoint_every_s=every_s, begun=begun
                )
        else:
            fitted = fit_baseline(context, run, rows, signature)
    finally:
        used = watch.close() if watch is not None else GpuUse()
    fitted.metrics.update(gpu_metrics(used))
    return fitted, signature


def gpu_metrics(used: GpuUse) -> dict[str, float | None]:
    """Return what a training used of the GPUs, as far as the driver's process saw it."""
    found = {
        "gpu_memory_mib": None if used.peak_bytes is None else round(used.peak_bytes / 2**20, 1),
        "gpu_busy_percent": None if used.busy_percent is None else round(used.busy_percent, 1),
    }
    return {name: value for name, value in found.items() if value is not None}


def grow_trees(
    context: JobContext,
    run: Run,
    rows: Mapping[str, Rows],
    signature: Signature,
    *,
    device: str,
    checkpoint_every_s: float,
    begun: Begun | None = None,
) -> Fitted:
    """Train by LightGBM, round by round, on top of `begun` if there is one; raises BadInput, Unavailable, Cancelled."""
    parameters = parameters_of(context, run, signature, device)
    early_stopping = checked_stopping(run, validated="validation" in rows)
    resumed = usable_checkpoint(context, run) or (begun.checkpoint if begun is not None else None)
    every_s = checkpoint_every_s if find_algorithm(run.algorithm).resumes else math.inf
    recorder = Recorder(context, run, early_stopping=early_stopping, resumed=resumed, checkpoint_every_s=every_s)
    return fit(rows["train"], rows.get("validation"), signature, parameters, recorder, resumed=resumed)


def parameters_of(context: JobContext, run: Run, signature: Signature, device: str) -> dict[str, Value | list[str]]:
    """Return everything LightGBM is told, and store what the run says under LightGBM's names; raises BadInput."""
    given, parameters = tree_parameters(run, classes=len(signature.classes), device=device)
    rename_parameters(context.store, run, given)
    return parameters


def checked_stopping(run: Run, *, validated: bool) -> int:
    """Return after how many rounds without progress it ends, 0 for never; raises BadInput if nothing could tell."""
    early_stopping = int(run.params.get("early_stopping", "0"))
    if early_stopping and not validated:
        raise BadInput(
            "Early stopping needs validation rows; the split has none.",
            "Give [dataset.split] a validation span, or set early_stopping to 0.",
            "lemnis.toml",
        )
    return early_stopping


def tree_parameters(run: Run, *, classes: int, device: str) -> tuple[dict[str, Value], dict[str, Value | list[str]]]:
    """Return a run's own parameters under LightGBM's first names, and everything that LightGBM gets.

    Raises:
        BadInput: LightGBM has no such parameter, or one contradicts the algorithm.
    """
    algorithm = find_algorithm(run.algorithm)
    given = canonical(
        {key: value for key, value in run.params.items() if key not in OURS}, names_in_lightgbm(), run.task
    )
    if run.algorithm in ALGORITHMS:  # before there were several, a run's parameters alone said how it learns
        refuse_contradiction(algorithm, given)
        given = {**algorithm.usual, **given}
    return given, completed(
        {**algorithm.sets, **given},
        task=run.task,
        classes=classes,
        seed=run.seed or 0,
        device=device,
        cores=max(1, int(run.cores)),
    )


def fit_baseline(context: JobContext, run: Run, rows: Mapping[str, Rows], signature: Signature) -> Fitted:
    """Fit a linear model or a constant in one go; its metrics are a curve of one point. Raises BadInput, Cancelled."""
    from lemnis.engine.experiments.fit_linear import fit_linear

    context.progress(None, "fitting in one go")
    spool = context.workspace.run_dir(run.id) / SPOOL
    forget_points(context.store, run.id, spool)
    fitted = fit_linear(
        rows["train"],
        rows.get("validation"),
        signature,
        {key: typed(value) for key, value in run.params.items()},
        constant=run.algorithm == "constant",
        cores=max(1, int(run.cores)),
    )
    writer = PointWriter(context.store, run.id, spool)
    for key, value in fitted.metrics.items():
        writer.add(key, 1, math.nan if value is None else value)
    writer.close()
    context.progress(1.0, "fitted")
    return fitted


def score_held_out(store: Store, run: Run, model: str, signature: Signature, version: Version) -> None:
    """Keep what the model answers on held-out rows; when that fails the run is no worse, comparing it tries again."""
    try:
        kept = keep_predictions(store, run.id, read_model(model), signature, version, threads=max(1, int(run.cores)))
    except (LemnisError, OSError) as error:
        print(f"warning: predictions on held-out rows were not kept: {error}", flush=True)
        return
    said = ", ".join(f"{found.rows:,} of {found.of:,} {part} rows" for part, found in kept.parts.items())
    print(f"predictions kept: {said or 'no held-out rows'}, {kept.bytes:,} bytes", flush=True)


def usable_checkpoint(context: JobContext, run: Run) -> Checkpoint | None:
    """Return where an earlier attempt got to and forget the points after it; None to start at the first round."""
    folder = context.workspace.run_dir(run.id)
    resumes = find_algorithm(run.algorithm).resumes
    found = load_checkpoint(folder / "checkpoint.txt") if resumes else None
    if found is not None and 0 < found.round < (run.rounds or 1):
        print(f"going on after round {found.round}", flush=True)
        forget_points(context.store, run.id, folder / SPOOL, found.round)
        return found
    forget_points(context.store, run.id, folder / SPOOL)
    return None


def read_rows(
    version: Version,
    features: Sequence[str],
    *,
    task: str,
    target: str,
    threshold: float = 0.5,
    signature: Signature | None = None,
) -> tuple[dict[str, Rows], Signature]:
    """Return the training rows, the validation rows if there are any, and the signature learnt from the first.

    A signature that is given is kept but for its threshold: its codes are those of a model that is gone on from.

    Raises:
        BadInput: No training row has a label.
        NotFound: The split has no training part, or the version lacks a feature.
    """
    columns = [*features, target]
    table = read_table(version, columns, "train")
    known: Any = task  # Any: one of the three words, by the table's own check
    if signature is None:
        signature = fit_signature(table, features, task=known, target=target, threshold=threshold)
    else:
        signature = msgspec.structs.replace(signature, threshold=threshold, calibration=msgspec.UNSET)
    found: dict[str, Rows] = {}
    for part in ("train", "validation"):
        if part in version.split:
            part_table = table if part == "train" else read_table(version, columns, part)
            rows, answers = labelled(part_table, signature)
            if len(answers):
                found[part] = Rows(encode_table(rows, signature), answers)
    if "train" not in found:
        raise BadInput(
            f"No training row has a value of {target}.",
            "Check the target and the split's train span.",
            version.title,
        )
    return found, signature


def weighted(rows: Rows, version: Version, signature: Signature, half_life: int) -> Rows:
    """Return the training rows with weights that halve for every half-life (ms) of their age."""
    times = row_times(version, labelled(read_table(version, [signature.target, version.time], "train"), signature)[0])
    if times is None:
        raise BadInput(f"{version.title} has no time, so its rows have no age.", "Leave out half_life.", version.title)
    return replace(rows, weight=decayed(times, half_life))


def first_rows(version: Version, signature: Signature) -> Matrix:
    """Return some training rows, encoded."""
    piece = pieces_of(version, "train")[0]
    first = piece.rows[0]
    some = msgspec.structs.replace(piece, rows=(first, min(first + FEW_ROWS, piece.rows[1])))
    return encode_table(read_piece(some, signature.names), signature)


def write_conditions(context: JobContext, run: Run, device: Probe) -> None:
    """Record what this attempt runs on."""
    facts = {
        "device": f"{device.device}: {device.name}" if device.name else device.device,
        "code_version": conditions.code_version(context.workspace.root),
        "libraries": msgspec.json.encode(conditions.library_versions()).decode(),
        "machine": msgspec.json.encode(conditions.machine()).decode(),
    }
    with context.store.write() as db:
        db.table("runs").update(run.id, facts)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), flush=True)


def rename_parameters(store: Store, run: Run, given: dict[str, Value]) -> None:
    """Store parameters under LightGBM's first names, so that two spellings of one compare as equal."""
    ours = {key: value for key, value in run.params.items() if key in OURS}
    if set(run.params) == set(given) | set(ours):
        return
    with store.write() as db:
        db.execute("delete from run_params where run_id = ?", [run.id])
        add_pairs(db, "run_params", run.id, (given | ours).items())


def reproduced(store: Store, run: Run, sha256: str, metrics: Mapping[str, float | None]) -> str | None:
    """Record whether a repeated run came out as the first, and why not; return the word, None when it repeats none."""
    if run.reproduces is None:
        return None
    first, again = get_run(store, run.reproduces), get_run(store, run.id)
    word, why = reproduction(first, again, metrics, same_model=first.model_sha256 == sha256)
    with store.write() as db:
        add_pairs(db, "run_tags", run.id, [("reproduction", word), ("reproduction_why", why)])
    print(f"reproduction of run {first.id}: {word}: {why}", flush=True)
    return word
