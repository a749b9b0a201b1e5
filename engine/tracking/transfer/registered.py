"""The registry of a store of MLflow's: models with versions, tags and aliases, brought in and written out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lemnis.engine.experiments.runs import as_number
from lemnis.engine.store import Row, Store, returning
from lemnis.engine.text import safe
from lemnis.engine.tracking import protocol, registry, versions
from lemnis.engine.tracking.transfer.folder import REGISTRY, write_meta, write_texts
from lemnis.engine.tracking.transfer.own import own_models
from lemnis.engine.tracking.transfer.records import Brought, MovedRegistered, MovedVersion

ELSEWHERE = ("", "file", "mlflow-artifacts", "models", "runs")  # schemes that mean a place of that store alone
MODEL_ID = re.compile(r"(?:models:|/models)/(m-[\w-]+)")
OF_RUN = re.compile(r"(?:runs:/|/)([0-9a-f]{32})/(?:artifacts/)?(.*)")


def bring_registered(store: Store, moved: MovedRegistered, done: Brought) -> None:
    """Bring one registered model in, or what is new about a known one; what was changed here stays."""
    if not registry.NAME.fullmatch(moved.name) or moved.name in (".", ".."):
        done.missing.append(f"{safe(moved.name, limit=60)!r}: no model can be called so")
        return
    if store.row("select 1 from models where name = ?", [moved.name]) is not None:
        done.missing.append(f"{safe(moved.name, limit=60)}: a model of Lemnis is called so here")
        return
    known = store.row("select 1 from registered_models where name = ?", [moved.name]) is not None
    with store.write() as db:
        if not known:
            db.table("registered_models").insert(
                {
                    "name": moved.name,
                    "description": moved.description,
                    "created_at": moved.created_at,
                    "updated_at": moved.updated_at,
                }
            )
        db.conn.executemany(
            """insert or ignore into registered_model_tags (name, key, value, number)
               values (:name, :key, :value, :number)""",
            pairs("name", moved.name, moved.tags),
        )
        for version in moved.versions:
            bring_version(store, moved.name, version, done)
        for alias, number in moved.aliases.items():
            if (
                registry.ALIAS.fullmatch(alias)
                and alias not in (".", "..")
                and versions.alias_number(store, moved.name, alias) is None
            ):
                event = {"name": moved.name, "alias": alias, "version": number, "at": moved.updated_at}
                db.table("registered_alias_events").insert(event)


def bring_version(store: Store, name: str, moved: MovedVersion, done: Brought) -> None:
    """Bring one version in, unless its number is taken already."""
    if store.row("select 1 from registered_versions where name = ? and version = ?", [name, moved.version]) is not None:
        return
    model_id, source = here(store, moved)
    if not source:
        done.missing.append(f"{safe(name, limit=60)} {moved.version}: its files are at {safe(moved.source, limit=120)}")
    row = {
        "name": name, "version": moved.version, "source": source, "run_uid": moved.run_uid, "model_id": model_id,
        "run_link": moved.run_link, "description": moved.description, "stage": moved.stage, "user": moved.user,
        "created_at": moved.created_at, "updated_at": moved.updated_at,
    }  # fmt: skip
    sql = f"""insert into registered_versions ({", ".join(row)}) values ({", ".join("?" * len(row))}) returning id"""
    with store.write() as db:
        made = returning(db, sql, list(row.values()))[0]
        db.table("registered_version_tags").insert_all(pairs("version_id", made["id"], moved.tags))
    done.registered += 1


def here(store: Store, moved: MovedVersion) -> tuple[str, str]:
    """Return the logged model that a version is, if it is here, and where its files are now; empty if nowhere safe.

    A path of another machine or server is never kept: whoever loads the version would read it from their own disk.
    """
    found = MODEL_ID.search(moved.source)
    model_id = moved.model_id or (found[1] if found else "")
    if model_id and store.row("select 1 from logged_models where id = ?", [model_id]) is not None:
        return model_id, f"models:/{model_id}"
    run = OF_RUN.search(moved.source)
    if run:
        number: int | None = store.value("select experiment_id from runs where uid = ?", [run[1]])
        if number is not None:
            return "", f"mlflow-artifacts:/{number}/{run[1]}/artifacts/{run[2]}".rstrip("/")
    return "", "" if urlsplit(moved.source).scheme in ELSEWHERE else moved.source


def pairs(owner: str, key: str | int, tags: dict[str, str]) -> list[dict[str, Any]]:
    """Return tags as rows. Any: texts and numbers."""
    return [
        {owner: key, "key": protocol.checked_key(tag), "value": value, "number": as_number(value)}
        for tag, value in tags.items()
    ]


def registered_models(store: Store) -> Iterator[MovedRegistered]:
    """Return what clients have registered here, with every version that was not taken away."""
    for row in store.rows("select * from registered_models order by name"):
        name = row["name"]
        sql = "select * from registered_versions where name = ? and deleted_at is null order by version"
        yield MovedRegistered(
            name=name,
            description=row["description"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            tags=tags_of(store, "registered_model_tags", "name", name),
            aliases=dict(versions.aliases_of(store, name)),
            versions=[version_of(store, one) for one in store.rows(sql, [name])],
        )


def version_of(store: Store, row: Row) -> MovedVersion:
    """Return the version of one row."""
    return MovedVersion(
        version=row["version"],
        source=row["source"],
        run_uid=row["run_uid"],
        run_link=row["run_link"],
        model_id=row["model_id"],
        description=row["description"],
        stage=row["stage"],
        user=row["user"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        tags=tags_of(store, "registered_version_tags", "version_id", row["id"]),
    )


def tags_of(store: Store, table: str, owner: str, key: str | int) -> dict[str, str]:
    """Return tags by name."""
    rows = store.rows(f"select key, value from {table} where {owner} = ? order by key", [key])
    return {row["key"]: row["value"] for row in rows}


def write_registry(store: Store, staged: Path, place: Path, done: Brought) -> None:
    """Write the registered models whose versions' runs or logged models were written, as MLflow's folder has them.

    Args:
        store: The workspace's.
        staged: Where the folder is while it is written.
        place: Where it will be.
        done: Is told how many versions that were.
    """
    for model in (*registered_models(store), *own_models(store)):
        found = [(version, written_at(store, staged, version)) for version in model.versions]
        kept = [(version, below) for version, below in found if below]
        if model.versions and not kept:
            continue
        folder = staged / REGISTRY / model.name
        meta = {"name": model.name, "description": model.description, "creation_timestamp": model.created_at}
        write_meta(folder, {**meta, "last_updated_timestamp": model.updated_at, "aliases": {}})
        write_texts(folder / "tags", model.tags.items())
        numbers = {version.version for version, _ in kept}
        aliases = {alias: str(number) for alias, number in model.aliases.items() if number in numbers}
        write_texts(folder / "aliases", aliases.items())
        for version, below in kept:
            address = f"{place.absolute().as_uri()}/{quote(below)}"
            write_version(folder / f"version-{version.version}", model.name, version, address)
            done.registered += 1


def write_version(folder: Path, name: str, version: MovedVersion, address: str) -> None:
    """Write one version of a registered model; `address` is where its files are."""
    meta: dict[str, Any] = {
        "name": name,
        "version": version.version,
        "creation_timestamp": version.created_at,
        "last_updated_timestamp": version.updated_at,
        "description": version.description,
        "user_id": version.user,
        "current_stage": version.stage,
        "source": f"models:/{version.model_id}" if version.model_id else address,
        "storage_location": address,
        "run_id": version.run_uid,
        "run_link": version.run_link,
        "status": "READY",
        "status_message": None,
        **({"model_id": version.model_id} if version.model_id else {}),
    }
    write_meta(folder, meta)
    write_texts(folder / "tags", version.tags.items())


def written_at(store: Store, staged: Path, version: MovedVersion) -> str:
    """Return where below the folder a version's files were written; empty if they were not."""
    found = MODEL_ID.search(version.source)
    model_id = version.model_id or (found[1] if found else "")
    if model_id:
        number = store.value("select experiment_id from logged_models where id = ?", [model_id])
        below = f"{number}/models/{model_id}/artifacts"
    else:
        run = OF_RUN.search(version.source)
        there = next(staged.glob(f"*/{run[1]}"), None) if run else None
        number = there.parent.name if there is not None else None
        below = f"{number}/{run[1]}/artifacts/{run[2]}" if run else ""
    return below if number is not None and (staged / below).exists() else ""
