"""The calls on registered models: names with versions and aliases, written by clients; those of Lemnis are shown."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.groups import Taken
from lemnis.engine.experiments.runs import as_number
from lemnis.engine.query import Column, Condition, Fields, Pairs
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import protocol, versions
from lemnis.engine.tracking.listing import Table, Wish, found
from lemnis.engine.tracking.protocol import Asked, Document, Pair, Search

NAME = re.compile(r"[^/:\x00-\x1f]{1,256}")
ALIAS = re.compile(r"[A-Za-z0-9_.-]{1,255}")
NO_PROMPT = re.compile(r"(tags?\.`mlflow\.prompt\.is_prompt`)\s*(?:!=\s*'true'|=\s*'false')", re.IGNORECASE)
# What clients have registered, and what is registered here: one list of names.
EVERY = """(select name, description, created_at, updated_at, 0 as ours from registered_models
  union all select name, note, created_at, coalesce((select max(created_at) from model_versions where model = name),
    created_at), 1 from models) as m"""
REGISTERED = Table(
    EVERY,
    Fields(
        id="m.name",
        bare="m.name",
        columns={
            "name": Column("m.name"),
            "description": Column("m.description"),
            "timestamp": Column("m.updated_at", "time"),
            "last_updated_timestamp": Column("m.updated_at", "time"),
            "creation_timestamp": Column("m.created_at", "time"),
        },
        pairs={"tags": Pairs("registered_model_tags", "name")},
        aliases={"tag": "tags", "attributes": "", "attribute": "", "model": ""},
    ),
    "m.name",
)


class CreateRegistered(Asked, kw_only=True):
    """A new registered model."""

    name: str
    description: str = ""
    tags: list[Pair] = []


class AskRegistered(Asked, kw_only=True):
    """A registered model by name."""

    name: str


class RenameRegistered(AskRegistered, kw_only=True):
    """Another name for a registered model."""

    new_name: str = ""


class DescribeRegistered(AskRegistered, kw_only=True):
    """Another description of a registered model."""

    description: str = ""


class RegisteredTag(AskRegistered, kw_only=True):
    """A tag of a registered model."""

    key: str
    value: str = ""


class SearchRegistered(Search, kw_only=True):
    """A search of registered models."""

    max_results: Annotated[int, Meta(ge=1)] = 100


class Alias(AskRegistered, kw_only=True):
    """An alias, and the version it names."""

    alias: str
    version: str = ""


class AskLatest(AskRegistered, kw_only=True):
    """The newest version of each stage."""

    stages: list[str] = []


def create(store: Store, asked: CreateRegistered) -> Document:
    """Register a model without versions."""
    check_name(store, asked.name)
    now = now_ms()
    with store.write() as db:
        db.table("registered_models").insert(
            {"name": asked.name, "description": asked.description, "created_at": now, "updated_at": now}
        )
        write_tags(store, asked.name, asked.tags)
    return {"registered_model": documents(store, [asked.name])[0]}


def check_name(store: Store, name: str) -> None:
    """Raise BadInput unless a model may be called so, Taken if one is."""
    if not NAME.fullmatch(name) or not name.strip():
        raise BadInput(f"{safe(name, limit=80)!r} can't name a model.", "Use 1 to 256 characters without / and :.")
    if store.row(f"select 1 from {EVERY} where name = ?", [name]) is not None:
        raise Taken(f"Registered model {safe(name, limit=80)!r} exists already.", "Use it, or another name.")


def get(store: Store, asked: AskRegistered) -> Document:
    """Return a registered model."""
    row_of(store, asked.name)
    return {"registered_model": documents(store, [asked.name])[0]}


def search(store: Store, asked: SearchRegistered) -> Document:
    """Return a page of registered models."""
    # Clients add that it is no prompt, and mean that it may lack the tag too.
    wish = Wish(NO_PROMPT.sub(r"not \1 = 'true'", asked.filter), asked.order_by, asked.max_results, asked.page_token)
    page = found(store, REGISTERED, wish, Condition("1"))
    document: Document = {"registered_models": documents(store, page.ids)}
    if page.token:
        document["next_page_token"] = page.token
    return document


def rename(store: Store, asked: RenameRegistered) -> Document:
    """Give a registered model another name; its versions and aliases go with it."""
    own(store, asked.name)
    check_name(store, asked.new_name)
    with store.write() as db:
        db.execute(
            "update registered_models set name = ?, updated_at = ? where name = ?",
            [asked.new_name, now_ms(), asked.name],
        )
    return {"registered_model": documents(store, [asked.new_name])[0]}


def describe(store: Store, asked: DescribeRegistered) -> Document:
    """Replace the description."""
    own(store, asked.name)
    with store.write() as db:
        db.execute(
            "update registered_models set description = ?, updated_at = ? where name = ?",
            [asked.description, now_ms(), asked.name],
        )
    return {"registered_model": documents(store, [asked.name])[0]}


def delete(store: Store, asked: AskRegistered) -> Document:
    """Take a name away with all its versions; their files stay where they were logged."""
    own(store, asked.name)
    with store.write() as db:
        db.execute("delete from registered_models where name = ?", [asked.name])
    return {}


def set_tag(store: Store, asked: RegisteredTag) -> Document:
    """Give a registered model a tag."""
    own(store, asked.name)
    write_tags(store, asked.name, [Pair(key=asked.key, value=asked.value)])
    return {}


def write_tags(store: Store, name: str, tags: Iterable[Pair]) -> None:
    """Write tags of a registered model."""
    rows = [
        {"name": name, "key": protocol.checked_key(tag.key), "value": tag.value, "number": as_number(tag.value)}
        for tag in tags
    ]
    with store.write() as db:
        db.table("registered_model_tags").insert_all(rows, replace=True)
        db.execute("update registered_models set updated_at = ? where name = ?", [now_ms(), name])


def delete_tag(store: Store, asked: RegisteredTag) -> Document:
    """Take a tag away."""
    own(store, asked.name)
    with store.write() as db:
        db.execute("delete from registered_model_tags where name = ? and key = ?", [asked.name, asked.key])
    return {}


def set_alias(store: Store, asked: Alias) -> Document:
    """Point an alias at a version; what it named before stays on record."""
    own(store, asked.name)
    if not ALIAS.fullmatch(asked.alias) or asked.alias == "latest" or re.fullmatch(r"[vV]\d+", asked.alias):
        raise BadInput(f"{safe(asked.alias, limit=80)!r} can't be an alias.", "Use a word such as champion.")
    version = versions.row_of(store, asked.name, asked.version)
    move_alias(store, asked.name, asked.alias, version["version"])
    return {}


def delete_alias(store: Store, asked: Alias) -> Document:
    """Take an alias away."""
    own(store, asked.name)
    if versions.alias_number(store, asked.name, asked.alias) is not None:
        move_alias(store, asked.name, asked.alias, None)
    return {}


def move_alias(store: Store, name: str, alias: str, version: int | None) -> None:
    """Append where an alias points now."""
    with store.write() as db:
        db.table("registered_alias_events").insert({"name": name, "alias": alias, "version": version, "at": now_ms()})
        db.execute("update registered_models set updated_at = ? where name = ?", [now_ms(), name])


def by_alias(store: Store, asked: Alias) -> Document:
    """Return the version that an alias names."""
    row_of(store, asked.name)
    number = versions.alias_number(store, asked.name, asked.alias)
    if number is None:
        # MLflow's clients take this for an alias that is not there, and no other code.
        raise BadInput(f"{safe(asked.name)} has no alias {safe(asked.alias, limit=80)!r}.", "Set it first.")
    return {"model_version": versions.document_of(store, versions.row_of(store, asked.name, str(number)))}


def latest(store: Store, asked: AskLatest) -> Document:
    """Return the newest version of each stage that is asked for."""
    row_of(store, asked.name)
    return {"model_versions": latest_of(store, asked.name, asked.stages)}


def latest_of(store: Store, name: str, stages: Sequence[str] = ()) -> list[Document]:
    """Return the newest version of each stage; of all stages when none is named."""
    wanted = {stage.lower() for stage in stages}
    newest: dict[str, Row] = {}
    for row in versions.rows_of(store, name):
        newest.setdefault(row["stage"], row)
    return [versions.document_of(store, row) for stage, row in newest.items() if not wanted or stage.lower() in wanted]


def row_of(store: Store, name: str) -> Row:
    """Return a registered model's row, whoever registered it; raises NotFound."""
    row = store.row(f"select * from {EVERY} where name = ?", [name])
    if row is None:
        raise NotFound(f"There is no registered model {safe(name, limit=80)!r}.", "Search for it.")
    return row


def own(store: Store, name: str) -> Row:
    """Return the row of a model that clients may change; raises NotFound, BadInput."""
    row = row_of(store, name)
    if row["ours"]:
        raise BadInput(
            f"{safe(name)} is a model of Lemnis: its versions have gates and golden rows.",
            "Change it with `lemnis models`.",
        )
    return row


def documents(store: Store, names: Sequence[str]) -> list[Document]:
    """Return registered models, in this order."""
    found: list[Document] = []
    for name in names:
        row = row_of(store, name)
        tags = store.rows("select key, value from registered_model_tags where name = ?", [name])
        found.append(
            {
                "name": name,
                "description": row["description"],
                "creation_timestamp": row["created_at"],
                "last_updated_timestamp": row["updated_at"],
                "tags": [{"key": tag["key"], "value": tag["value"]} for tag in tags],
                "aliases": [
                    {"alias": alias, "version": str(number)} for alias, number in versions.aliases_of(store, name)
                ],
                "latest_versions": latest_of(store, name),
            }
        )
    return found
