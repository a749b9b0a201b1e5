"""A run's results as they travel: what its model answers on held-out rows, and what was measured of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.records import Evaluation, Importance
from lemnis.engine.evaluate.results import list_evaluations, list_importances, note_measured
from lemnis.engine.experiments.predictions import FILE, Kept, check_predictions, kept_predictions, note_predictions
from lemnis.engine.share.manifest import Manifest, Predicted, RunBody, Stored, object_of
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database


class MeasuredRun(Struct, frozen=True, kw_only=True):
    """What was measured of a run: on each part of its data, and what each feature does."""

    evaluations: list[Evaluation] = []
    importances: list[Importance] = []


def with_results(store: Store, body: RunBody, scratch: Path, files: dict[Stored, Path]) -> RunBody:
    """Return a run that tells of its results, their files added to `files`; those that are damaged are left out."""
    number = body.number
    kept = kept_predictions(store, [number]).get(number)
    path = store.workspace.run_dir(number) / FILE
    if kept is not None and kept.parts and path.is_file():
        stored = object_of(path, "parquet", "predictions")
        if stored.sha256 == kept.sha256:
            files[stored] = path
            body = msgspec.structs.replace(body, predicted=Predicted(parts=kept.parts, gains=kept.gains))
    own = [one for one in list_evaluations(store, number) if body.version and one.version_id == body.version.id]
    if own:
        evaluations = [msgspec.structs.replace(one, run_id=0) for one in own]  # it has another number elsewhere
        measured = scratch / f"measured-{number}.json"
        told = MeasuredRun(evaluations=evaluations, importances=list_importances(store, number))
        measured.write_bytes(msgspec.json.encode(told))
        files[object_of(measured, "json", "measured")] = measured
    return body


def checked_results(manifest: Manifest, body: RunBody, files: dict[str, Path]) -> MeasuredRun:
    """Return what was measured of a run, after its file of predictions was looked through.

    Raises:
        BadInput: One of them is not what it should be.
    """
    told = {stored.use: files[stored.sha256] for stored in manifest.objects}
    if body.predicted is not None:
        check_predictions(told["predictions"], body.predicted.parts)
    if "measured" not in told:
        return MeasuredRun()
    title, remedy = safe(manifest.title, limit=80), "Ask for it to be pushed or exported again."
    try:
        measured = msgspec.json.decode(told["measured"].read_bytes(), type=MeasuredRun)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"What was measured of {title} can't be read: {safe(error, limit=120)}."
        raise BadInput(problem, remedy, manifest.path) from None
    parts = [one.part for one in measured.evaluations]
    names = [one.feature for one in measured.importances]
    foreign = any(body.version is None or one.version_id != body.version.id for one in measured.evaluations)
    if foreign or len(set(parts)) != len(parts) or len(set(names)) != len(names):
        raise BadInput(f"What was measured of {title} is not of its data.", remedy, manifest.path)
    return measured


def adopt_results(db: "Database", manifest: Manifest, body: RunBody, number: int, measured: MeasuredRun) -> None:
    """Write down a run's results under the number that it has here."""
    evaluations = [msgspec.structs.replace(one, run_id=number) for one in measured.evaluations]
    note_measured(db, number, evaluations, measured.importances)
    stored = manifest.object("predictions")
    if stored is not None and body.predicted is not None and body.model_sha256 is not None:
        kept = Kept(
            run_id=number,
            sha256=stored.sha256,
            model_sha256=body.model_sha256,
            bytes=stored.bytes,
            parts=body.predicted.parts,
            gains=body.predicted.gains,
            at=now_ms(),
        )
        note_predictions(db, kept)
