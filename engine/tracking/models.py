"""The calls on logged models: made in a run or without one, filled with files, found again by what is known of them."""

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.groups import experiment_of
from lemnis.engine.experiments.runs import as_number
from lemnis.engine.experiments.tracked import find_run
from lemnis.engine.query import Column, Condition, Fields, Pairs
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.listing import Table, Wish, found
from lemnis.engine.tracking.protocol import Asked, Document, Pair

Status: TypeAlias = Literal[
    "LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"
]
NAME = re.compile(r"[^/:.%\"'\x00-\x1f]{1,500}")
MODELS = Table(
    "logged_models",
    Fields(
        id="logged_models.id",
        bare="logged_models.name",
        columns={
            "model_id": Column("logged_models.id"),
            "name": Column("logged_models.name"),
            "model_type": Column("logged_models.type"),
            "status": Column(
                "logged_models.status", words={word: f"LOGGED_MODEL_{word.upper()}" for word in ("pending", "ready")}
            ),
            "source_run_id": Column(
                "(select coalesce(r.uid, printf('%032x', r.id)) from runs r where r.id = logged_models.run_id)"
            ),
            "creation_timestamp": Column("logged_models.created_at", "time"),
            "last_updated_timestamp": Column("logged_models.updated_at", "time"),
        },
        pairs={
            "metrics": Pairs("logged_model_metrics", "model_id", numeric=True),
            "params": Pairs("logged_model_params", "model_id"),
            "tags": Pairs("logged_model_tags", "model_id"),
        },
        aliases={
            **{"metric": "metrics", "param": "params", "parameter": "params", "parameters": "params", "tag": "tags"},
            **{"creation_time": "creation_timestamp", "attributes": "", "attribute": "", "attr": ""},
        },
    ),
    "logged_models.created_at desc, logged_models.rowid desc",
)


class CreateModel(Asked, kw_only=True):
    """A new logged model."""

    experiment_id: str = "0"
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Pair] = []
    tags: list[Pair] = []


class AskModel(Asked, kw_only=True):
    """A logged model by id."""

    model_id: str
    allow_deleted: bool = False


class FinalizeModel(AskModel, kw_only=True):
    """A logged model that is whole, or never will be."""

    status: Status


class ModelPairs(AskModel, kw_only=True):
    """Tags or parameters of a logged model."""

    tags: list[Pair] = []
    params: list[Pair] = []


class ModelTag(AskModel, kw_only=True):
    """One tag of a logged model."""

    tag_key: str


class Order(Struct, kw_only=True):
    """One field to order by."""

    field_name: str
    ascending: bool = True


class OnDataset(Struct, kw_only=True):
    """A dataset on which a model was judged."""

    dataset_name: str
    dataset_digest: str = ""


class SearchModels(Asked, kw_only=True):
    """A search of logged models."""

    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[OnDataset] = []
    max_results: Annotated[int, Meta(ge=1)] = 100
    order_by: list[Order] = []
    page_token: str = ""


def create(store: Store, asked: CreateModel) -> Document:
    """Make a logged model, which waits for its files."""
    experiment = experiment_of(store, protocol.whole_id(asked.experiment_id))
    run = find_run(store, asked.source_run_id) if asked.source_run_id else None
    name, now = asked.name or f"model-{uuid.uuid4().hex[:8]}", now_ms()
    if not NAME.fullmatch(name):
        raise BadInput(f"{safe(name, limit=80)!r} can't name a model.", "Leave out / : . % and quotes.")
    model_id = f"m-{uuid.uuid4().hex}"
    row = {
        "id": model_id,
        "experiment_id": experiment.id,
        "name": name,
        "type": asked.model_type,
        "run_id": run.id if run is not None else None,
        "created_at": now,
        "updated_at": now,
    }
    with store.write() as db:
        db.table("logged_models").insert(row)
        write_pairs(store, "logged_model_tags", model_id, asked.tags)
        write_pairs(store, "logged_model_params", model_id, asked.params)
    return {"model": documents(store, [model_id])[0]}


def write_pairs(store: Store, table: str, model_id: str, pairs: Iterable[Pair]) -> None:
    """Give a logged model tags or parameters."""
    rows = [
        {"model_id": model_id, "key": protocol.checked_key(one.key), "value": one.value, "number": as_number(one.value)}
        for one in pairs
    ]
    with store.write() as db:
        db.table(table).insert_all(rows, replace=True)
        db.execute("update logged_models set updated_at = ? where id = ?", [now_ms(), model_id])


def get(store: Store, asked: AskModel) -> Document:
    """Return a logged model."""
    model_row(store, asked.model_id, deleted=asked.allow_deleted)
    return {"model": documents(store, [asked.model_id])[0]}


def finalize(store: Store, asked: FinalizeModel) -> Document:
    """Say that a logged model is whole, or that it failed."""
    model_row(store, asked.model_id)
    with store.write() as db:
        db.execute(
            "update logged_models set status = ?, updated_at = ? where id = ?", [asked.status, now_ms(), asked.model_id]
        )
    return {"model": documents(store, [asked.model_id])[0]}


def delete(store: Store, asked: AskModel) -> Document:
    """Hide a logged model."""
    model_row(store, asked.model_id)
    with store.write() as db:
        db.execute("update logged_models set deleted_at = ? where id = ?", [now_ms(), asked.model_id])
    return {}


def set_tags(store: Store, asked: ModelPairs) -> Document:
    """Give a logged model tags."""
    model_row(store, asked.model_id)
    write_pairs(store, "logged_model_tags", asked.model_id, asked.tags)
    return {"model": documents(store, [asked.model_id])[0]}


def delete_tag(store: Store, asked: ModelTag) -> Document:
    """Take a tag of a logged model away."""
    model_row(store, asked.model_id)
    with store.write() as db:
        db.execute("delete from logged_model_tags where model_id = ? and key = ?", [asked.model_id, asked.tag_key])
    return {}


def log_params(store: Store, asked: ModelPairs) -> Document:
    """Give a logged model parameters."""
    model_row(store, asked.model_id)
    write_pairs(store, "logged_model_params", asked.model_id, asked.params)
    return {}


def search(store: Store, asked: SearchModels) -> Document:
    """Return a page of logged models."""
    experiments = [protocol.whole_id(text) for text in asked.experiment_ids]
    sql = [f"deleted_at is null and experiment_id in ({', '.join('?' * len(experiments))})"]
    values: list[str | int] = [*experiments]
    for one in asked.datasets:
        sql.append(
            "exists (select 1 from logged_model_metrics d where d.model_id = logged_models.id "
            "and d.dataset_name = ? and ? in ('', d.dataset_digest))"
        )
        values += [one.dataset_name, one.dataset_digest]
    order = [f"{one.field_name} {'ASC' if one.ascending else 'DESC'}" for one in asked.order_by]
    wish = Wish(asked.filter, order, asked.max_results, asked.page_token)
    page = found(store, MODELS, wish, Condition(" and ".join(sql), tuple(values)))
    document: Document = {"models": documents(store, page.ids)}
    if page.token:
        document["next_page_token"] = page.token
    return document


def model_row(store: Store, model_id: str, *, deleted: bool = False) -> Row:
    """Return the row of a logged model; raises NotFound."""
    row = store.row("select * from logged_models where id = ?", [model_id])
    if row is None or (row["deleted_at"] is not None and not deleted):
        raise NotFound(f"There is no logged model {safe(model_id, limit=80)!r}.", "Search for it.")
    return row


def made_in(store: Store, model_id: str) -> str:
    """Return the run that made a logged model, empty if that is not known."""
    uid: str | None = store.value(
        """select coalesce(r.uid, printf('%032x', r.id)) from logged_models m join runs r on r.id = m.run_id
           where m.id = ?""",
        [model_id],
    )
    return uid or ""


def artifact_uri(row: Row) -> str:
    """Return where a client sends and finds a logged model's files."""
    return f"mlflow-artifacts:/{row['experiment_id']}/models/{row['id']}/artifacts"


def documents(store: Store, ids: Sequence[str]) -> list[Document]:
    """Return logged models, in this order, with tags, parameters and metrics."""
    marks = ", ".join("?" * len(ids))
    rows = {
        row["id"]: row
        for row in store.rows(
            f"""select m.*, coalesce(r.uid, printf('%032x', r.id)) as run_uid
                from logged_models m left join runs r on r.id = m.run_id where m.id in ({marks})""",
            ids,
        )
    }
    return [document_of(store, rows[model_id]) for model_id in ids]


def document_of(store: Store, row: Row) -> Document:
    """Return one logged model."""
    pairs = {
        table: {
            one["key"]: one["value"] for one in store.rows(f"select * from {table} where model_id = ?", [row["id"]])
        }
        for table in ("logged_model_tags", "logged_model_params")
    }
    registrations = store.rows(
        "select name, version from registered_versions where model_id = ? and deleted_at is null", [row["id"]]
    )
    metrics = store.rows(
        """select m.*, coalesce(r.uid, printf('%032x', r.id)) as run_uid
           from logged_model_metrics m join runs r on r.id = m.run_id where model_id = ?""",
        [row["id"]],
    )
    return {
        "info": {
            "model_id": row["id"],
            "experiment_id": str(row["experiment_id"]),
            "name": row["name"],
            "model_type": row["type"],
            "source_run_id": row["run_uid"] if row["run_id"] is not None else "",
            "artifact_uri": artifact_uri(row),
            "status": row["status"],
            "status_message": row["status_message"],
            "creation_timestamp_ms": row["created_at"],
            "last_updated_timestamp_ms": row["updated_at"],
            "tags": protocol.pair_documents(pairs["logged_model_tags"]),
            "registrations": [{"name": one["name"], "version": str(one["version"])} for one in registrations],
        },
        "data": {
            "params": protocol.pair_documents(pairs["logged_model_params"]),
            "metrics": [
                {
                    "key": one["key"],
                    "value": protocol.json_number(one["value"]),
                    "timestamp": one["at"],
                    "step": one["step"],
                    "model_id": row["id"],
                    "run_id": one["run_uid"],
                    "dataset_name": one["dataset_name"],
                    "dataset_digest": one["dataset_digest"],
                }
                for one in metrics
            ],
        },
    }
