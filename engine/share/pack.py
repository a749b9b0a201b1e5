"""Packing: what a thing that is here becomes when it is handed out: its manifest, its card, and its files."""

from pathlib import Path

import msgspec
from msgspec import Struct

from lemnis.engine.data.reports import list_reports
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.errors import Damaged, NotFound
from lemnis.engine.evaluate.results import list_evaluations
from lemnis.engine.experiments.points import all_points
from lemnis.engine.share.card import card_of
from lemnis.engine.share.items import model_bodies, run_bodies, run_items, version_facts
from lemnis.engine.share.manifest import (
    LAYOUT,
    Body,
    DatasetBody,
    Manifest,
    ModelBody,
    Reference,
    RunBody,
    Stored,
    Verdict,
    id_of,
    object_of,
    slug,
)
from lemnis.engine.share.origins import maker_of
from lemnis.engine.share.records import Item
from lemnis.engine.share.results import with_results
from lemnis.engine.store import Store
from lemnis.engine.validate.history import list_results

ORDER = ("dataset", "run", "model")  # what a thing refers to comes before it


class Packed(Struct, frozen=True, kw_only=True):
    """A thing that is ready to be handed out; `files` has where each of its objects stands here."""

    manifest: Manifest
    files: dict[str, Path]


def with_makers(store: Store, items: list[Item], *, data: bool) -> list[Item]:
    """Return things together with the runs that models were trained by, and with `data` their dataset versions."""
    from lemnis.engine.share.items import dataset_items

    found = {item.id: item for item in items}
    runs = {item.id: item for item in run_items(store)} if any(item.kind != "dataset" for item in items) else {}
    models = {id_of(body): body for body in model_bodies(store)} if any(item.kind == "model" for item in items) else {}
    for item in items:
        if item.kind == "model":
            found.setdefault(models[item.id].run, runs[models[item.id].run])
    if data:
        kept = {item.id: item for item in dataset_items(store)}
        for body in run_bodies(store, [int(one.ref.partition(":")[2]) for one in found.values() if one.kind == "run"]):
            if body.version is not None and body.version.id in kept:
                found.setdefault(body.version.id, kept[body.version.id])
    return sorted(found.values(), key=lambda item: ORDER.index(item.kind))


def packed(store: Store, item: Item, who: str, scratch: Path) -> Packed:
    """Return a thing with its manifest and files; what has no file of its own yet is written to `scratch`.

    Raises:
        NotFound: It is gone.
        Damaged: One of its files is, or no longer holds what was recorded.
    """
    if item.kind == "dataset":
        return packed_version(store, find_version(store, item.id), who)
    if item.kind == "run":
        number = int(item.ref.partition(":")[2])
        body = next((one for one in run_bodies(store, [number]) if id_of(one) == item.id), None)
        if body is None:
            raise NotFound(f"Run {number} is gone.", "List them with `lemnis runs list`.")
        return packed_run(store, body, who, scratch)
    model = next((one for one in model_bodies(store) if id_of(one) == item.id), None)
    if model is None:
        raise NotFound(f"The model {item.title} is gone.", "List them with `lemnis models list`.")
    return packed_model(store, model, who)


def packed_version(store: Store, version: Version, who: str) -> Packed:
    """Return a dataset version with its table."""
    path = version.file
    checked = store.value("select id from check_runs where version_id = ? order by id desc limit 1", [version.id])
    checks = [
        Verdict(name=r.name, rule=r.rule, verdict=r.verdict, failing=r.failing, total=r.total, message=r.message)
        for r in (list_results(store, checked) if checked is not None else [])
    ]
    body = DatasetBody(version=version_facts(version), joins=list_reports(store, version.id), checks=checks)
    table = Stored(sha256=version.id, bytes=path.stat().st_size, suffix="parquet", use="table")
    return _packed(store, body, version.name, version.title, who, {table: path})


def packed_run(store: Store, body: RunBody, who: str, scratch: Path) -> Packed:
    """Return a run with its model, its signature, its curves and its results, as far as it has them."""
    folder = store.workspace.run_dir(body.number)
    files: dict[Stored, Path] = {}
    model, signature = folder / "model.txt", folder / "signature.json"
    if body.model_sha256 is not None and model.is_file():
        stored = object_of(model, "txt", "model")
        if stored.sha256 != body.model_sha256:
            raise Damaged(
                f"The model of run {body.number} is damaged: its content has another hash.",
                "Train the run again with `lemnis runs reproduce`.",
                str(model),
            )
        files[stored] = model
    if body.model_sha256 is not None and signature.is_file():
        files[object_of(signature, "json", "signature")] = signature
    points = all_points(store, body.number)
    history: dict[str, int] = {}
    for key, *_ in points:
        history[key] = history.get(key, 0) + 1
    if points:
        curves = scratch / f"curves-{body.number}.json"
        curves.write_bytes(msgspec.json.encode(points))
        files[object_of(curves, "json", "curves")] = curves
    steps = store.rows("select key, step from run_metrics where run_id = ?", [body.number])
    body = msgspec.structs.replace(
        body,
        history=history,
        metric_steps={row["key"]: row["step"] for row in steps},
        measured={one.part: one.metrics for one in list_evaluations(store, body.number)},
    )
    body = with_results(store, body, scratch, files)
    return _packed(store, body, slug(body.name), f"run {body.number} {body.name}".strip(), who, files)


def packed_model(store: Store, body: ModelBody, who: str) -> Packed:
    """Return a registered model with its file; its run is a thing of its own."""
    path = store.workspace.hidden / "models" / f"{body.sha256}.txt"
    if not path.is_file():
        raise Damaged("The model's file is gone.", "Register the run again.", str(path))
    stored = object_of(path, "txt", "model")
    if stored.sha256 != body.sha256:
        raise Damaged("The model's file is damaged: it has another hash.", "Register the run again.", str(path))
    return _packed(store, body, body.name, f"{body.name} v{body.number}", who, {stored: path})


def _packed(store: Store, body: Body, name: str, title: str, who: str, files: dict[Stored, Path]) -> Packed:
    kind = "dataset" if isinstance(body, DatasetBody) else "run" if isinstance(body, RunBody) else "model"
    created = body.version.created_at if isinstance(body, DatasetBody) else body.created_at
    id = id_of(body)
    manifest = Manifest(
        kind=kind,
        id=id,
        name=name,
        title=title,
        created_at=created,
        schema=max([1, *(LAYOUT.get(stored.use, 1) for stored in files)]),
        maker=maker_of(store, kind, id, title, who),
        objects=list(files),
        refers=references(store, body),
        body=body,
    )
    manifest = msgspec.structs.replace(manifest, card=card_of(manifest))
    return Packed(manifest=manifest, files={stored.sha256: path for stored, path in files.items()})


def references(store: Store, body: Body) -> list[Reference]:
    """Return what a thing was made of: a model of its run, a run of its dataset version."""
    if isinstance(body, RunBody) and body.version is not None:
        version = body.version
        title = f"{version.name} v{version.number}"
        return [Reference(kind="dataset", name=version.name, id=version.id, title=title)]
    if isinstance(body, ModelBody):
        run = next((one for one in run_items(store) if one.id == body.run), None)
        return [Reference(kind="run", name=slug(run.name if run else ""), id=body.run, title=run.title if run else "")]
    return []
