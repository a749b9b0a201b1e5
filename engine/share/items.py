"""What is here to be shared: dataset versions, ended runs and registered models, each with the id it has anywhere."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.data.versions import Version, list_versions
from lemnis.engine.deploy.records import Golden
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.runs import Run, read_runs
from lemnis.engine.features.signature import Signature
from lemnis.engine.share.manifest import Manifest, ModelBody, RunBody, VersionFacts, id_of, reference_of
from lemnis.engine.share.records import Item
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDED = ("finished", "failed", "cancelled", "lost")
MOST_RUNS = 5000
SHORTEST = 6  # digits of an id that name a thing


def version_facts(version: Version) -> VersionFacts:
    """Return what is known of a version without its rows."""
    fields = {name: getattr(version, name) for name in VersionFacts.__struct_fields__}
    return VersionFacts(**fields)


def run_body(run: Run, version: Version | None) -> RunBody:
    """Return a run as it is shared, without what takes reading more than its row."""
    own = {"name", "number", "version", "metric_steps", "history", "measured", "predicted"}
    fields = {name: getattr(run, name) for name in RunBody.__struct_fields__ if name not in own}
    return RunBody(
        name=run.name, number=run.id, version=version_facts(version) if version else None, **fields
    )  # fmt: skip


def local_items(store: Store) -> list[Item]:
    """Return everything here that can be shared, newest first of each kind: datasets, models, runs."""
    return [*dataset_items(store), *model_items(store), *run_items(store)]


def dataset_items(store: Store) -> list[Item]:
    """Return the dataset versions whose rows are kept."""
    return [
        Item(
            kind="dataset",
            id=version.id,
            name=version.name,
            ref=f"{version.name}@v{version.number}",
            title=version.title,
            bytes=version.bytes,
            created_at=version.created_at,
            here=True,
            names=[f"v{version.number}", str(version.number), version.title],
        )
        for version in list_versions(store)
    ]


def run_bodies(store: Store, run_ids: "Sequence[int] | None" = None) -> list[RunBody]:
    """Return the runs that ended, newest first; those of these numbers when they are given."""
    states = ", ".join(f"'{state}'" for state in ENDED)
    wanted, values = f"state in ({states}) and deleted_at is null", tuple[int, ...]()
    if run_ids is not None:
        wanted, values = f"state in ({states}) and id in ({', '.join('?' * len(run_ids))})", tuple(run_ids)
    numbers = store.rows(f"select id from runs where {wanted} order by id desc limit {MOST_RUNS}", values)
    versions = {version.id: version for version in every_version(store)}
    runs = read_runs(store, [row["id"] for row in numbers])
    return [run_body(run, versions.get(run.version_id or "")) for run in runs]


def every_version(store: Store) -> list[Version]:
    """Return every version that has a row, whether its rows are kept or not."""
    from lemnis.engine.data.versions import find_version

    return [find_version(store, row["id"]) for row in store.rows("select id from versions")]


def run_items(store: Store) -> list[Item]:
    """Return the runs that ended."""
    return [
        Item(
            kind="run",
            id=id_of(body),
            name=body.name,
            ref=reference_of(body),
            title=f"run {body.number} {safe(body.name, limit=80)}",
            bytes=0,
            created_at=body.created_at,
            here=True,
            names=[f"run {body.number}"],
        )
        for body in run_bodies(store)
    ]


def model_bodies(store: Store) -> list[ModelBody]:
    """Return the registered model versions, newest first."""
    rows = store.rows("select * from model_versions order by created_at desc, model, version desc")
    runs = {body.number: id_of(body) for body in run_bodies(store, sorted({row["run_id"] for row in rows}))}
    return [
        ModelBody(
            name=row["model"],
            number=row["version"],
            run=runs[row["run_id"]],
            sha256=row["sha256"],
            signature=msgspec.json.decode(row["signature"], type=Signature),
            golden=Golden.load(row["golden"]),
            who=row["who"],
            why=row["why"],
            created_at=row["created_at"],
        )
        for row in rows
        if row["run_id"] in runs
    ]


def model_items(store: Store) -> list[Item]:
    """Return the registered model versions."""
    sizes = {(row["model"], row["version"]): row["bytes"] for row in store.rows("select * from model_versions")}
    aliases: dict[tuple[str, int], list[str]] = {}
    for row in store.rows("select model, alias, version from aliases"):
        aliases.setdefault((row["model"], row["version"]), []).append(f"{row['model']}@{row['alias']}")
    return [
        Item(
            kind="model",
            id=id_of(body),
            name=body.name,
            ref=reference_of(body),
            title=f"{body.name} v{body.number}",
            bytes=sizes[body.name, body.number],
            created_at=body.created_at,
            here=True,
            names=[
                f"{body.name} v{body.number}",
                f"{body.name}@{body.number}",
                *aliases.get((body.name, body.number), []),
            ],
        )
        for body in model_bodies(store)
    ]


def item_of(manifest: Manifest) -> Item:
    """Return the thing that a manifest speaks of, as one that is there."""
    body = manifest.body
    more = [manifest.title, reference_of(body).replace("@v", "@")]
    return Item(
        kind=manifest.kind,
        id=manifest.id,
        name=manifest.name,
        ref=reference_of(body),
        title=manifest.title,
        bytes=manifest.bytes,
        created_at=manifest.created_at,
        there=True,
        maker=manifest.maker.workspace_name,
        names=more + ([reference_of(body).partition("@")[2]] if manifest.kind == "dataset" else []),
    )


def chosen(items: list[Item], what: list[str], where: str) -> list[Item]:
    """Return the things that are named, each once; `where` says for people where they were looked for.

    Raises:
        NotFound: Nothing is called so.
        BadInput: Several things are.
    """
    found: dict[str, Item] = {}
    for name in what:
        text = name.strip()
        fits = [item for item in items if text == item.ref or text in item.names]
        if not fits and len(text) >= SHORTEST:
            fits = [item for item in items if item.id.startswith(text)]
        if not fits:
            known = ", ".join(item.ref for item in items[:6]) or "nothing"
            raise NotFound(f"{where} has no {safe(text, limit=80)!r}.", f"It has: {known}; see `lemnis share list`.")
        if len(fits) > 1:
            several = ", ".join(
                f"{item.short} ({item.kind} {item.title}{f' of {item.maker}' * bool(item.maker)})" for item in fits[:6]
            )
            raise BadInput(f"{safe(text, limit=80)!r} names {len(fits)} things.", f"Name one by its id: {several}.")
        found.setdefault(fits[0].id, fits[0])
    return list(found.values())
