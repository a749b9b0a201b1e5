"""Writing runs as an `mlruns` folder: what MLflow's client reads, and its own tools bring into a database."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.groups import Experiment, experiment_of
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.runs import Run, read_runs
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import artifacts, models, protocol
from lemnis.engine.tracking.runs import run_documents
from lemnis.engine.tracking.transfer.folder import STATES, write_meta, write_texts
from lemnis.engine.tracking.transfer.identity import outside_id
from lemnis.engine.tracking.transfer.own import directory_of, own_models, place_in_run
from lemnis.engine.tracking.transfer.records import MODEL_STATUS, Brought
from lemnis.engine.tracking.transfer.registered import write_registry
from lemnis.engine.tracking.transfer.trees import files_below

STATUS = {protocol.STATUSES[state]: number for number, state in STATES.items()}
LOCAL = 4  # MLflow's SourceType of what ran on somebody's machine
AT_ONCE = 200


def write_folder(store: Store, place: Path, run_ids: Sequence[int], tell: Callable[[Brought], None]) -> Brought:
    """Write runs into a new folder and return how much that was; nothing is left of a folder that failed.

    Raises:
        BadInput: The folder is there and holds something, or can't be written.
    """
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BadInput(f"{place} is not empty.", "Name a new folder.", str(place))
    done = Brought()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
    except OSError as error:
        raise BadInput(f"{place} can't be written: {error.strerror}.", "Choose another folder.") from None
    try:
        seen: set[int] = set()
        for start in range(0, len(run_ids), AT_ONCE):
            runs = read_runs(store, run_ids[start : start + AT_ONCE])
            for run, document in zip(runs, run_documents(store, runs), strict=True):
                if run.experiment_id not in seen:
                    seen.add(run.experiment_id)
                    write_experiment(staged, place, experiment_of(store, run.experiment_id))
                    done.experiments += 1
                write_run(store, staged / str(run.experiment_id), place, run, document, done)
                write_models(store, staged / str(run.experiment_id), place, run, done)
                tell(done)
        write_directories(store, staged, done)
        write_registry(store, staged, place, done)
        if place.exists():
            place.rmdir()
        os.chmod(staged, 0o755)
        staged.rename(place)
    except OSError as error:
        raise BadInput(f"{place} can't be written: {error.strerror or error}.", "Choose another folder.") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return done


def write_experiment(staged: Path, place: Path, experiment: Experiment) -> None:
    """Write an experiment."""
    folder = staged / str(experiment.id)
    meta = {
        "artifact_location": (place.absolute() / str(experiment.id)).as_uri(),
        "creation_time": experiment.created_at,
        "experiment_id": str(experiment.id),
        "last_update_time": experiment.updated_at,
        "lifecycle_stage": "active",
        "name": experiment.name,
    }
    write_meta(folder, meta)
    write_texts(folder / "tags", experiment.tags.items())


def write_run(
    store: Store, experiment: Path, place: Path, run: Run, document: protocol.Document, done: Brought
) -> None:
    """Write one run with every point and artifact. Any: see Document."""
    uid, mark = outside_id(run)
    folder, info, data = experiment / uid, document["info"], document["data"]
    meta: dict[str, Any] = {
        "artifact_uri": (place.absolute() / experiment.name / uid / "artifacts").as_uri(),
        "end_time": info.get("end_time"),
        "entry_point_name": "",
        "experiment_id": info["experiment_id"],
        "lifecycle_stage": info["lifecycle_stage"],
        "run_id": uid,
        "run_uuid": uid,
        "run_name": run.name,
        "source_name": "",
        "source_type": LOCAL,
        "source_version": run.code_version,
        "start_time": info["start_time"],
        "status": STATUS[info["status"]],
        "tags": [],
        "user_id": run.user,
        **({"deleted_time": run.deleted_at} if run.deleted_at is not None else {}),
    }
    write_meta(folder, meta)
    write_texts(folder / "params", ((one["key"], one["value"]) for one in data["params"]))
    tags = {one["key"]: one["value"] for one in data["tags"]} | mark
    write_texts(folder / "tags", tags.items())
    done.points += write_points(folder / "metrics", store, run)
    write_inputs(experiment, folder, document)
    copy_files(artifacts.run_folder(store, run), folder / "artifacts", done)
    done.runs += 1


def write_models(store: Store, experiment: Path, place: Path, run: Run, done: Brought) -> None:
    """Write the logged models that a run made, with their files."""
    sql = "select id from logged_models where run_id = ? and deleted_at is null order by created_at"
    for document in models.documents(store, [row["id"] for row in store.rows(sql, [run.id])]):
        info, data = document["info"], document["data"]
        folder = experiment / "models" / info["model_id"]
        address = place.absolute() / experiment.name / "models" / info["model_id"] / "artifacts"
        meta: dict[str, Any] = {
            "artifact_location": address.as_uri(),
            "creation_timestamp": info["creation_timestamp_ms"],
            "experiment_id": info["experiment_id"],
            "last_updated_timestamp": info["last_updated_timestamp_ms"],
            "lifecycle_stage": "active",
            "model_id": info["model_id"],
            "model_type": info["model_type"] or None,
            "name": info["name"],
            "source_run_id": outside_id(run)[0],
            "status": next(number for number, status in MODEL_STATUS.items() if status == info["status"]),
            "status_message": info["status_message"] or None,
        }
        write_meta(folder, meta)
        write_texts(folder / "tags", ((one["key"], one["value"]) for one in info["tags"]))
        write_texts(folder / "params", ((one["key"], one["value"]) for one in data["params"]))
        lines: dict[str, str] = {}
        for one in data["metrics"]:
            value = str(one["value"]).lower().replace("infinity", "inf")
            on = f" {one['dataset_name']} {one['dataset_digest']}" if one["dataset_name"] else ""
            line = f"{one['timestamp']} {value} {one['step']} {one['run_id']}{on}\n"
            lines[one["key"]] = lines.get(one["key"], "") + line
        write_texts(folder / "metrics", lines.items())
        copy_files(artifacts.model_folder(store, run.experiment_id, info["model_id"]), folder / "artifacts", done)
        done.models += 1


def write_directories(store: Store, staged: Path, done: Brought) -> None:
    """Write the directory of each version that Lemnis registered to its run, if that is among what is written."""
    for model in own_models(store):
        for version in model.versions:
            run = next(staged.glob(f"*/{version.run_uid}"), None)
            source = directory_of(store, model.name, version.version, done) if run is not None else None
            if run is not None and source is not None:
                copy_files(source, run / "artifacts" / place_in_run(model.name, version.version), done)


def copy_files(source: Path, target: Path, done: Brought) -> None:
    """Copy the files below a folder."""
    target.mkdir(parents=True, exist_ok=True)
    for file in files_below(source):
        path = target / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open() as content, open(path, "wb") as kept:
            shutil.copyfileobj(content, kept)
        done.files, done.bytes = done.files + 1, done.bytes + file.size


def write_points(folder: Path, store: Store, run: Run) -> int:
    """Write every point of a run, one file a metric, and return how many there are."""
    points = all_points(store, run.id)
    known = {key for key, _, _, _ in points}
    at = run.ended_at or run.created_at
    # A metric of a training that has no curve, such as its test score, is one point.
    points += [(key, run.best_round or 0, at, value) for key, value in run.metrics.items() if key not in known]
    lines: dict[str, list[str]] = {}
    for key, step, moment, value in points:
        lines.setdefault(key, []).append(f"{moment} {'nan' if value is None else repr(value)} {step}\n")
    for key in lines:
        if any(other.startswith(f"{key}/") for other in lines):
            raise BadInput(
                f"Run {run.id} has metrics {safe(key, limit=60)} and {safe(key, limit=60)}/…: a folder of MLflow's "
                "can't hold a name that is the beginning of another.",
                "Leave the run out with --query.",
            )
    write_texts(folder, ((key, "".join(texts)) for key, texts in lines.items()))
    return len(points)


def write_inputs(experiment: Path, run: Path, document: protocol.Document) -> None:
    """Write what a run read and made."""
    for one in document["inputs"]["dataset_inputs"]:
        dataset: dict[str, Any] = one["dataset"]  # Any: a JSON object
        name = hashlib.md5(f"{dataset['name']} {dataset['digest']}".encode(), usedforsecurity=False).hexdigest()
        write_meta(experiment / "datasets" / name, {key: value or None for key, value in dataset.items()})
        tags = {tag["key"]: tag["value"] for tag in one["tags"]}
        write_link(run / "inputs", name, {"source_type": "DATASET", "source_id": name, "tags": tags})
    for one in document["inputs"]["model_inputs"]:
        write_link(run / "inputs", one["model_id"], {"source_type": "MODEL", "source_id": one["model_id"], "tags": {}})
    for one in document["outputs"]["model_outputs"]:
        link: dict[str, Any] = {"source_type": "RUN_OUTPUT", "source_id": run.name, "tags": {}, "step": one["step"]}
        write_link(run / "outputs", one["model_id"], {**link, "destination_type": "MODEL_OUTPUT"})


def write_link(folder: Path, name: str, values: dict[str, Any]) -> None:
    """Write one link between a run and what it read or made. Any: JSON values."""
    write_meta(folder / name, {"destination_type": "RUN", "destination_id": name, **values})
