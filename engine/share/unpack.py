"""Unpacking: things of another workspace are fetched, checked as a whole, and then become ours in one transaction."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.data.adopting import Measured, adopt_version, measured_file
from lemnis.engine.data.parquet import keep_file as keep_table
from lemnis.engine.data.reports import save_reports
from lemnis.engine.data.verified import is_whole
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.registry import keep_file as keep_model
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.points import Point, forget_points, write_points
from lemnis.engine.experiments.predictions import FILE
from lemnis.engine.experiments.runs import insert_pairs, write_metrics
from lemnis.engine.experiments.start import NAME_LENGTH
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sync_folder
from lemnis.engine.share.items import local_items
from lemnis.engine.share.manifest import DatasetBody, Manifest, ModelBody, Moment, RunBody, Stored, Whole
from lemnis.engine.share.meter import Meter
from lemnis.engine.share.place import Place, fetched
from lemnis.engine.share.results import MeasuredRun, adopt_results, checked_results
from lemnis.engine.store import Store, returning
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    from sqlite_utils import Database

Curves = list[tuple[Annotated[str, Meta(max_length=250)], Whole, Moment, float | None]]
MOST_JSON = 256 << 20
RUN_FIELDS = (
    *(
        "state",
        "preset",
        "algorithm",
        "group_name",
        "task",
        "target",
        "problem_sha256",
        "seed",
        "device_asked",
        "device",
        "executor",
        "spread",
        "cores",
    ),
    *("memory_bytes", "code_version", "rounds", "rounds_done", "best_round", "model_sha256", "note", "user"),
    *("created_at", "started_at", "ended_at"),
)


class Arrived(Struct, frozen=True, kw_only=True):
    """One thing that was asked for.

    Attributes:
        here: What it is called here; empty when it was only looked at.
        state: ``new``, ``here already``, or ``mended`` when a file of it was missing or damaged here.
    """

    kind: str
    id: str
    title: str
    here: str
    bytes: int
    state: str


class Checked(Struct, frozen=True, kw_only=True):
    """Things whose files are here and hold what they should, ready to be kept.

    Attributes:
        known: Those that are here already; `broken` are those of them whose file is not here whole.
        files: Where each file stands, by its hash.
        tables: What was found in the table of each dataset version, by its id.
        curves: The points of each run, by its id; `measured` is what was measured of it.
    """

    new: list[Manifest]
    known: list[Manifest]
    broken: list[Manifest]
    files: dict[str, Path]
    tables: dict[str, Measured]
    curves: dict[str, list[Point]]
    measured: dict[str, MeasuredRun]


def checked(
    store: Store,
    place: Place,
    manifests: list[Manifest],
    scratch: Path,
    meter_of: Callable[[int], Meter],
    *,
    everything: bool = False,
) -> Checked:
    """Fetch what is not here yet into `scratch` and check all of it; nothing of the workspace changes.

    With `everything` the files of what is here already are fetched and checked too.

    Raises:
        Damaged: A file does not hold what its hash says, or is not there.
        BadInput: A table or a model is not what its manifest says.
    """
    here = {item.id for item in local_items(store)}
    new = [manifest for manifest in manifests if manifest.id not in here]
    known = [manifest for manifest in manifests if manifest.id in here]
    broken = [manifest for manifest in known if manifest.kind != "run" and not is_kept(store.workspace, manifest)]
    wanted = manifests if everything else [*new, *broken]
    needed = {one.sha256: one for manifest in wanted for one in manifest.objects}
    kept = {sha256: kept_path(store.workspace, stored) for sha256, stored in needed.items() if not everything}
    files = {sha256: path for sha256, path in kept.items() if path is not None}
    missing = [stored for sha256, stored in needed.items() if sha256 not in files]
    meter = meter_of(sum(stored.bytes for stored in missing))
    for stored in missing:
        files[stored.sha256] = fetched(place, stored, scratch / f".pulling-{stored.sha256}", meter)
    tables: dict[str, Measured] = {}
    curves: dict[str, list[Point]] = {}
    measured: dict[str, MeasuredRun] = {}
    asked = {manifest.body.sha256 for manifest in new if isinstance(manifest.body, ModelBody)}
    for manifest in new:
        meter.context.progress(1.0, f"checking {safe(manifest.title, limit=60)}")
        if isinstance(manifest.body, DatasetBody):
            tables[manifest.id] = checked_table(manifest, manifest.body, files)
        elif isinstance(manifest.body, RunBody):
            curves[manifest.id] = checked_run(manifest, files, asked)
            measured[manifest.id] = checked_results(manifest, manifest.body, files)
        else:
            body = manifest.body
            ask_model(files[body.sha256], body.sha256, body.signature, body.golden.rows, body.golden.answers)
    return Checked(
        new=new, known=known, broken=broken, files=files, tables=tables, curves=curves, measured=measured
    )  # fmt: skip


def is_kept(workspace: Workspace, manifest: Manifest) -> bool:
    """Say whether every file of a dataset version or a model is here whole."""
    return all(kept_path(workspace, stored) is not None for stored in manifest.objects)


def kept_path(workspace: Workspace, stored: Stored) -> Path | None:
    """Return where a file stands here already, whole; None when it does not."""
    folder = {"table": workspace.data, "model": workspace.hidden / "models"}.get(stored.use)
    path = folder / f"{stored.sha256}.{stored.suffix}" if folder else None
    return path if path is not None and path.exists() and is_whole(path) else None


def checked_table(manifest: Manifest, body: DatasetBody, files: dict[str, Path]) -> Measured:
    """Return what is in the table of a dataset version, which must be the one that is told of."""
    sources = {column.name: column.source for column in body.version.columns}
    found = measured_file(files[manifest.id], sources)
    if found.name != manifest.name or found.rows != body.version.rows:
        raise BadInput(
            f"The table of {safe(manifest.title, limit=80)} is of {safe(found.name)} with {found.rows:,} rows, "
            f"not of {manifest.name} with {body.version.rows:,}.",
            "Ask for it to be pushed or exported again.",
            manifest.path,
        )
    return found


def checked_run(manifest: Manifest, files: dict[str, Path], asked: set[str]) -> list[Point]:
    """Return the curves of a run, after its model was loaded and its signature read where it has them.

    A model whose hash is in `asked` answers its golden rows anyway and is not loaded a second time.
    """
    told = {stored.use: files[stored.sha256] for stored in manifest.objects}
    for use in ("signature", "curves", "measured"):
        if use in told and told[use].stat().st_size > MOST_JSON:
            raise BadInput(f"The {use} of {safe(manifest.title, limit=80)} is too large.", "Leave the run out.")
    model = manifest.object("model")
    if model is not None:
        if "signature" not in told:
            raise BadInput(f"{safe(manifest.title, limit=80)} has a model without a signature.", "Push it again.")
        signature = Signature.load(told["signature"])
        if model.sha256 not in asked:
            ask_model(told["model"], model.sha256, signature, [dict.fromkeys(signature.names)])
    if "curves" not in told:
        return []
    try:
        return list(msgspec.json.decode(told["curves"].read_bytes(), type=Curves))
    except msgspec.DecodeError as error:
        raise BadInput(
            f"The curves of {safe(manifest.title, limit=80)} can't be read: {safe(error, limit=120)}.", "Push it again."
        ) from None


def adopt(store: Store, found: Checked, via: str) -> list[Arrived]:
    """Keep what was checked: its files, then every row in one transaction. Return what each thing is called here."""
    now, workspace = now_ms(), store.workspace
    for manifest in [*found.new, *found.broken]:
        body = manifest.body
        if isinstance(body, DatasetBody) and not is_kept(workspace, manifest):
            keep_table(workspace, found.files[manifest.id], manifest.id, body.version.rows)
        if isinstance(body, ModelBody):
            keep_model(store, found.files[body.sha256], body.sha256)
    staged = {one.id: staged_run(workspace, one, found) for one in found.new if isinstance(one.body, RunBody)}
    runs: dict[str, int] = {}
    with store.write() as db:
        for manifest in found.new:
            body = manifest.body
            if isinstance(body, DatasetBody):
                adopt_version(db, body.version, found.tables[manifest.id], now)
                save_reports(store, manifest.id, body.joins)
                here = manifest.id
            elif isinstance(body, RunBody):
                number = adopt_run(db, body, now)
                runs[manifest.id] = number
                adopt_results(db, manifest, body, number, found.measured[manifest.id])
                place_run(store, number, staged[manifest.id], found.curves[manifest.id])
                here = str(number)
            else:
                run = runs.get(body.run) or run_here(store, body.run)
                here = adopt_model(store, db, body, run)
            note_origin(db, manifest, here, via, now)
    for path in found.files.values():
        if path.name.startswith(".pulling-"):
            path.unlink(missing_ok=True)
    return told(store, found)


def told(store: Store, found: Checked, *, looked: bool = False) -> list[Arrived]:
    """Return what became of each thing; `looked` when nothing was kept."""
    names = {} if looked else {item.id: item.title for item in local_items(store)}
    states = {manifest.id: "new" for manifest in found.new} | {manifest.id: "mended" for manifest in found.broken}
    return [
        Arrived(
            kind=manifest.kind,
            id=manifest.id,
            title=manifest.title,
            here=names.get(manifest.id, ""),
            bytes=manifest.bytes,
            state=states.get(manifest.id, "here already"),
        )
        for manifest in [*found.new, *found.known]
    ]


def staged_run(workspace: Workspace, manifest: Manifest, found: Checked) -> Path:
    """Return a folder with a run's files, complete and on disk, that only has to be renamed."""
    folder = workspace.runs / f".import-{manifest.id[:24]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    names = (("model", "model.txt", 0o400), ("signature", "signature.json", 0o600), ("predictions", FILE, 0o400))
    for use, name, mode in names:
        stored = manifest.object(use)
        if stored is not None:
            with open(found.files[stored.sha256], "rb") as source, open(folder / name, "xb") as target:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fchmod(target.fileno(), mode)
                os.fsync(target.fileno())
    sync_folder(folder)
    return folder


def adopt_run(db: "Database", body: RunBody, now: int) -> int:
    """Insert a run with its parameters, metrics and tags; return its number here."""
    if body.version is not None:
        adopt_version(db, body.version, None, now)
    row: dict[str, object] = {name: getattr(body, name) for name in RUN_FIELDS}
    row |= {
        "name": safe(body.name, limit=NAME_LENGTH),
        "why": safe(body.why, limit=400),
        "version_id": body.version.id if body.version else None,
        "features": json.dumps(body.features, ensure_ascii=False),
        "machine": msgspec.json.encode(body.machine).decode(),
        "cluster": msgspec.json.encode(body.cluster).decode(),
        "libraries": msgspec.json.encode(body.libraries).decode(),
    }
    sql = f"insert into runs ({', '.join(row)}) values ({', '.join(':' + key for key in row)}) returning id"
    number = int(returning(db, sql, row)[0]["id"])
    insert_pairs(db, "run_params", number, body.params.items())
    insert_pairs(db, "run_tags", number, body.tags.items())
    write_metrics(db, number, ((key, value, body.metric_steps.get(key, 0)) for key, value in body.metrics.items()))
    return number


def place_run(store: Store, number: int, staged: Path, curves: list[Point]) -> None:
    """Give a run its folder and its curves just before its row is committed.

    The number is new, so a folder that stands there is what an import left that was killed at this very step.
    """
    folder = store.workspace.run_dir(number)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(staged, folder)
    sync_folder(folder.parent)
    forget_points(store, number, folder / "points.spool")
    if curves:
        write_points(store, number, curves)


def run_here(store: Store, id: str) -> int:
    """Return the number of a run that is here."""
    item = next(one for one in local_items(store) if one.id == id)
    return int(item.ref.partition(":")[2])


def adopt_model(store: Store, db: "Database", body: ModelBody, run: int) -> str:
    """Insert a model version; it keeps its number unless that is taken. Return ``name@version``."""
    path = store.workspace.hidden / "models" / f"{body.sha256}.txt"
    db.execute("insert into models (name, created_at) values (?, ?) on conflict do nothing", [body.name, now_ms()])
    number = body.number
    taken = "select 1 from model_versions where model = ? and version = ?"
    if db.execute(taken, [body.name, number]).fetchone() is not None:
        highest = "select coalesce(max(version), 0) + 1 from model_versions where model = ?"
        number = int(db.execute(highest, [body.name]).fetchone()[0])
    db.table("model_versions").insert(
        {
            "model": body.name,
            "version": number,
            "run_id": run,
            "sha256": body.sha256,
            "path": str(path.relative_to(store.workspace.hidden)),
            "bytes": path.stat().st_size,
            "signature": msgspec.json.encode(body.signature).decode(),
            "golden": body.golden.save(),
            "threshold": body.signature.threshold if body.signature.task == "binary" else None,
            "who": safe(body.who, limit=80),
            "why": safe(body.why, limit=400),
            "created_at": body.created_at,
        }
    )
    return f"{body.name}@{number}"


def note_origin(db: "Database", manifest: Manifest, here: str, via: str, now: int) -> None:
    """Write down where a thing came from."""
    maker = manifest.maker
    db.table("origins").insert(
        {
            "kind": manifest.kind,
            "id": manifest.id,
            "here": here,
            "title": safe(maker.title, limit=120),
            "workspace": maker.workspace,
            "workspace_name": safe(maker.workspace_name, limit=80),
            "who": safe(maker.who, limit=80),
            "via": safe(via, limit=400),
            "checks": checks_text(manifest),
            "at": now,
        },
        replace=True,
    )


def checks_text(manifest: Manifest) -> str:
    """Return how the checks of a dataset version stood: ``12 pass, 1 warn``; empty when none ran."""
    if not isinstance(manifest.body, DatasetBody):
        return ""
    verdicts = [check.verdict for check in manifest.body.checks]
    counts = [(verdict, verdicts.count(verdict)) for verdict in ("pass", "warn", "fail", "not evaluated")]
    return ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
