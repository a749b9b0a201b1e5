"""The calls on versions of registered models."""

import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.runs import as_number
from lemnis.engine.query import Column, Condition, Fields, Pairs
from lemnis.engine.store import Row, Store, returning
from lemnis.engine.text import safe
from lemnis.engine.tracking import models, protocol
from lemnis.engine.tracking.listing import Table, Wish, found
from lemnis.engine.tracking.protocol import Asked, Document, Pair, Search

STAGES = ("None", "Staging", "Production", "Archived")
LOGGED = re.compile(r"models:/(m-[\w-]+)")
# A source that a client would read from its own disk may name any file of whoever loads the model.
LOCAL = ("", "file")
# Those of Lemnis have their run's number, and a directory of MLflow's that is made when somebody asks for it.
EVERY = """(select id, name, version, source, run_uid, model_id, run_link, description, stage, user, created_at,
    updated_at, deleted_at, 0 as ours from registered_versions
  union all select -v.rowid, v.model, v.version, 'mlflow-artifacts:/lemnis/' || v.model || '/' || v.version,
    printf('%032x', v.run_id), '', '', v.why, 'None', v.who, v.created_at, v.created_at, null, 1
    from model_versions v) as v"""
VERSIONS = Table(
    EVERY,
    Fields(
        id="v.id",
        bare="v.name",
        columns={
            "name": Column("v.name"),
            "version_number": Column("v.version", "number"),
            "run_id": Column("v.run_uid"),
            "source_path": Column("v.source"),
            "creation_timestamp": Column("v.created_at", "time"),
            "last_updated_timestamp": Column("v.updated_at", "time"),
        },
        pairs={"tags": Pairs("registered_version_tags", "version_id")},
        aliases={"tag": "tags", "attributes": "", "attribute": "", "version": "version_number"},
    ),
    "v.updated_at desc, v.name, v.version desc",
)


class CreateVersion(Asked, kw_only=True):
    """The next version of a registered model."""

    name: str
    source: str = ""
    run_id: str = ""
    run_link: str = ""
    description: str = ""
    model_id: str = ""
    tags: list[Pair] = []


class AskVersion(Asked, kw_only=True):
    """A version by model and number."""

    name: str
    version: str


class DescribeVersion(AskVersion, kw_only=True):
    """Another description of a version."""

    description: str = ""


class MoveVersion(AskVersion, kw_only=True):
    """Another stage of a version."""

    stage: str
    archive_existing_versions: bool = False


class VersionTag(AskVersion, kw_only=True):
    """A tag of a version."""

    key: str
    value: str = ""


class SearchVersions(Search, kw_only=True):
    """A search of versions."""

    max_results: Annotated[int, Meta(ge=1)] = 1000


def create(store: Store, asked: CreateVersion) -> Document:
    """Add a version to a registered model."""
    if store.row("select 1 from registered_models where name = ?", [asked.name]) is None:
        if store.row("select 1 from models where name = ?", [asked.name]) is not None:
            raise BadInput(
                f"{safe(asked.name)} is a model of Lemnis.", "Register it under another name, or with `lemnis models`."
            )
        raise NotFound(f"There is no registered model {safe(asked.name, limit=80)!r}.", "Create it first.")
    if urlsplit(asked.source).scheme in LOCAL:
        raise BadInput(
            f"{safe(asked.source, limit=80)!r} is on one machine's disk.", "Log the model, then register it."
        )
    logged = LOGGED.fullmatch(asked.source)
    now, user = now_ms(), next((tag.value for tag in asked.tags if tag.key == "mlflow.user"), "")
    sql = """insert into registered_versions (name, version, source, run_uid, model_id, run_link, description, user,
               created_at, updated_at)
             values (?, (select coalesce(max(version), 0) + 1 from registered_versions where name = ?),
               ?, ?, ?, ?, ?, ?, ?, ?) returning id, version"""
    model_id = asked.model_id or (logged.group(1) if logged else "")
    run_id = asked.run_id or models.made_in(store, model_id)
    values = [asked.name, asked.name, asked.source, run_id, model_id, asked.run_link, asked.description, user]
    with store.write() as db:
        made = returning(db, sql, [*values, now, now])[0]
        write_tags(store, made["id"], asked.tags)
        db.execute("update registered_models set updated_at = ? where name = ?", [now, asked.name])
    return {"model_version": document_of(store, row_of(store, asked.name, str(made["version"])))}


def get(store: Store, asked: AskVersion) -> Document:
    """Return a version."""
    return {"model_version": document_of(store, row_of(store, asked.name, asked.version))}


def download_uri(store: Store, asked: AskVersion) -> Document:
    """Return where a version's files are."""
    row = row_of(store, asked.name, asked.version)
    kept = store.row("select * from logged_models where id = ?", [row["model_id"]]) if row["model_id"] else None
    return {"artifact_uri": models.artifact_uri(kept) if kept is not None else row["source"]}


def search(store: Store, asked: SearchVersions) -> Document:
    """Return a page of versions."""
    wish = Wish(asked.filter, asked.order_by, asked.max_results, asked.page_token)
    page = found(store, VERSIONS, wish, Condition("v.deleted_at is null"))
    marks = ", ".join("?" * len(page.ids))
    rows = {row["id"]: row for row in store.rows(f"select * from {EVERY} where id in ({marks})", page.ids)}
    document: Document = {"model_versions": [document_of(store, rows[number]) for number in page.ids]}
    if page.token:
        document["next_page_token"] = page.token
    return document


def describe(store: Store, asked: DescribeVersion) -> Document:
    """Replace a version's description."""
    return change(store, own(store, asked.name, asked.version), {"description": asked.description})


def move(store: Store, asked: MoveVersion) -> Document:
    """Give a version another stage, and put aside those that have it if that is asked for."""
    row = own(store, asked.name, asked.version)
    stage = next((known for known in STAGES if known.lower() == asked.stage.lower()), None)
    if stage is None:
        raise BadInput(f"There is no stage {safe(asked.stage, limit=40)!r}.", f"Stages: {', '.join(STAGES)}.")
    if asked.archive_existing_versions:
        with store.write() as db:
            db.execute(
                "update registered_versions set stage = 'Archived', updated_at = ? where name = ? and stage = ?",
                [now_ms(), asked.name, stage],
            )
    return change(store, row, {"stage": stage})


def change(store: Store, row: Row, values: dict[str, Any]) -> Document:
    """Write columns of a version and return it. Any: texts and numbers, as the table has them."""
    columns = ", ".join(f"{name} = ?" for name in values)
    with store.write() as db:
        db.execute(
            f"update registered_versions set {columns}, updated_at = ? where id = ?",
            [*values.values(), now_ms(), row["id"]],
        )
    return {"model_version": document_of(store, row_of(store, row["name"], str(row["version"])))}


def delete(store: Store, asked: AskVersion) -> Document:
    """Take a version away, and the aliases that name it; its number is not given again."""
    row = own(store, asked.name, asked.version)
    with store.write() as db:
        for alias, number in aliases_of(store, asked.name):
            if number == row["version"]:
                event = {"name": asked.name, "alias": alias, "version": None, "at": now_ms()}
                db.table("registered_alias_events").insert(event)
        db.execute("update registered_versions set deleted_at = ? where id = ?", [now_ms(), row["id"]])
    return {}


def set_tag(store: Store, asked: VersionTag) -> Document:
    """Give a version a tag."""
    write_tags(store, own(store, asked.name, asked.version)["id"], [Pair(key=asked.key, value=asked.value)])
    return {}


def delete_tag(store: Store, asked: VersionTag) -> Document:
    """Take a tag of a version away."""
    row = own(store, asked.name, asked.version)
    with store.write() as db:
        db.execute("delete from registered_version_tags where version_id = ? and key = ?", [row["id"], asked.key])
    return {}


def write_tags(store: Store, version_id: int, tags: Iterable[Pair]) -> None:
    """Write tags of a version."""
    rows = [
        {
            "version_id": version_id,
            "key": protocol.checked_key(tag.key),
            "value": tag.value,
            "number": as_number(tag.value),
        }
        for tag in tags
    ]
    with store.write() as db:
        db.table("registered_version_tags").insert_all(rows, replace=True)


def rows_of(store: Store, name: str) -> list[Row]:
    """Return a model's versions, newest first."""
    return store.rows(f"select * from {EVERY} where name = ? and deleted_at is null order by version desc", [name])


def row_of(store: Store, name: str, version: str) -> Row:
    """Return a version's row; raises NotFound, BadInput."""
    if not version.isascii() or not version.isdecimal() or len(version) > 15:
        raise BadInput(f"{safe(version, limit=40)!r} is no version.", "Versions are numbers.")
    row = store.row(
        f"select * from {EVERY} where name = ? and version = ? and deleted_at is null", [name, int(version)]
    )
    if row is None:
        raise NotFound(f"{safe(name, limit=80)!r} has no version {version}.", "Search for it.")
    return row


def own(store: Store, name: str, version: str) -> Row:
    """Return the row of a version that clients may change; raises NotFound, BadInput."""
    row = row_of(store, name, version)
    if row["ours"]:
        raise BadInput(f"{safe(name)} is a model of Lemnis.", "Change it with `lemnis models`.")
    return row


def aliases_of(store: Store, name: str) -> list[tuple[str, int]]:
    """Return the aliases in force of a model, whoever registered it, each with its version."""
    rows = store.rows(
        """select alias, version from registered_aliases where name = ?
           union all select alias, version from aliases where model = ? order by alias""",
        [name, name],
    )
    return [(row["alias"], row["version"]) for row in rows]


def alias_number(store: Store, name: str, alias: str) -> int | None:
    """Return the version that an alias names; the newest for `latest`."""
    if alias == "latest":
        return next((row["version"] for row in rows_of(store, name)), None)
    return dict(aliases_of(store, name)).get(alias)


def document_of(store: Store, row: Row) -> Document:
    """Return a version."""
    tags = store.rows("select key, value from registered_version_tags where version_id = ?", [row["id"]])
    return {
        "name": row["name"],
        "version": str(row["version"]),
        "creation_timestamp": row["created_at"],
        "last_updated_timestamp": row["updated_at"],
        "user_id": row["user"],
        "current_stage": row["stage"],
        "description": row["description"],
        "source": row["source"],
        **({"run_id": row["run_uid"]} if row["run_uid"] else {}),
        "run_link": row["run_link"],
        "model_id": row["model_id"],
        "status": "READY",
        "tags": [{"key": tag["key"], "value": tag["value"]} for tag in tags],
        "aliases": [alias for alias, number in aliases_of(store, row["name"]) if number == row["version"]],
    }
