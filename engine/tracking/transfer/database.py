"""MLflow's SQLite store as a source: opened read-only, whichever version of MLflow wrote it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.tracked import Logged
from lemnis.engine.store.connection import sqlite3
from lemnis.engine.text import safe
from lemnis.engine.tracking.protocol import STATES, Dataset, DatasetInput, ModelLink, Pair
from lemnis.engine.tracking.transfer.records import (
    MODEL_STATUS,
    File,
    Group,
    Judged,
    Moved,
    MovedModel,
    MovedRegistered,
    MovedVersion,
)
from lemnis.engine.tracking.transfer.trees import files_below

NEEDED = ("experiments", "runs", "params", "tags", "metrics")
DELETED = "Deleted_Internal"  # the stage of a version that was taken away
HUGE = sys.float_info.max  # how MLflow writes an infinite value
PROXIED = "mlartifacts"  # where `mlflow server` keeps what clients send to it, beside its database


class Database:
    """One SQLite file of MLflow's."""

    def __init__(self, path: Path, artifacts: Path | None = None) -> None:
        """Open it.

        Args:
            path: The file.
            artifacts: Where the artifacts that went through a server are; by default `mlartifacts` beside the file.

        Raises:
            BadInput: It is no store of MLflow's.
        """
        self.path, self.artifacts = path, artifacts or path.parent / PROXIED
        try:
            self.connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            self.connection.row_factory = sqlite3.Row
            self.connection.execute("pragma query_only = on")
            self.connection.execute("pragma trusted_schema = off")
            tables = {row["name"] for row in self.rows("select name from sqlite_master where type = 'table'")}
        except sqlite3.Error as error:
            raise BadInput(f"{path} can't be read: {error}.", "Name the SQLite file of an MLflow store.") from None
        if not tables.issuperset(NEEDED):
            self.close()
            raise BadInput(f"{path} is no store of MLflow's.", "Name the SQLite file that `mlflow server` writes.")
        self.tables = tables

    def rows(self, sql: str, values: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Return rows as they are. Any: columns of a foreign database."""
        return [dict(row) for row in self.connection.execute(sql, values)]

    def pairs(self, table: str, owner: str, key: str, names: tuple[str, str] = ("key", "value")) -> dict[str, str]:
        """Return texts by name."""
        if table not in self.tables:
            return {}
        sql = f"select {names[0]} as k, {names[1]} as v from {table} where {owner} = ?"
        return {str(row["k"]): str(row["v"] or "") for row in self.rows(sql, (key,))}

    def groups(self) -> list[Group]:
        """Return every experiment."""
        return [
            Group(
                key=str(row["experiment_id"]),
                name=str(row["name"]),
                tags=self.pairs("experiment_tags", "experiment_id", str(row["experiment_id"])),
                created_at=row.get("creation_time"),
                deleted=row.get("lifecycle_stage") == "deleted",
            )
            for row in self.rows("select * from experiments order by experiment_id")
        ]

    def runs(self, group: Group) -> Iterator[Moved]:
        """Return the runs of an experiment."""
        for row in self.rows("select * from runs where experiment_id = ? order by start_time, run_uuid", (group.key,)):
            uid = str(row["run_uuid"])
            tags = self.pairs("tags", "run_uuid", uid)
            deleted = row.get("lifecycle_stage") == "deleted"
            yield Moved(
                uid=uid,
                group=group.key,
                name=str(row.get("name") or tags.get("mlflow.runName", "")),
                user=str(row.get("user_id") or ""),
                state=STATES.get(row["status"], "failed"),
                started_at=row.get("start_time"),
                ended_at=row.get("end_time"),
                deleted_at=(row.get("deleted_time") or row.get("end_time") or 0) if deleted else None,
                params=self.pairs("params", "run_uuid", uid),
                tags=tags,
                datasets=self._datasets(uid),
                inputs=[ModelLink(model_id=m, step=s) for m, s in self._links("RUN_INPUT", "MODEL_INPUT", uid)],
                outputs=[ModelLink(model_id=m, step=s) for m, s in self._links("RUN_OUTPUT", "MODEL_OUTPUT", uid)],
                artifact_uri=str(row.get("artifact_uri") or ""),
            )

    def _datasets(self, uid: str) -> list[DatasetInput]:
        if not self.tables.issuperset(("datasets", "inputs", "input_tags")):
            return []
        sql = """select i.input_uuid, d.* from inputs i join datasets d on d.dataset_uuid = i.source_id
                 where i.destination_id = ? and i.source_type = 'DATASET'"""
        return [
            DatasetInput(
                dataset=Dataset(
                    name=row["name"],
                    digest=row["digest"],
                    source_type=row["dataset_source_type"] or "",
                    source=row["dataset_source"] or "",
                    schema=row["dataset_schema"] or "",
                    profile=row["dataset_profile"] or "",
                ),
                tags=[
                    Pair(key=key, value=value)
                    for key, value in self.pairs(
                        "input_tags", "input_uuid", row["input_uuid"], ("name", "value")
                    ).items()
                ],
            )
            for row in self.rows(sql, (uid,))
        ]

    def _links(self, source: str, destination: str, uid: str) -> list[tuple[str, int]]:
        if "inputs" not in self.tables:
            return []
        sql = "select * from inputs where source_type = ? and destination_type = ? and source_id = ?"
        return [(row["destination_id"], row.get("step") or 0) for row in self.rows(sql, (source, destination, uid))]

    def points(self, run: Moved) -> Iterator[Logged]:
        """Return every value of every metric."""
        for row in self.connection.execute("select * from metrics where run_uuid = ? order by rowid", (run.uid,)):
            value = None if row["is_nan"] else float(row["value"])
            if value is not None and abs(value) >= HUGE:
                value = float("inf") if value > 0 else float("-inf")
            yield Logged(str(row["key"]), int(row["step"]), int(row["timestamp"]), value)

    def models(self, group: Group) -> Iterator[MovedModel]:
        """Return the logged models of an experiment."""
        if not self.tables.issuperset(("logged_models", "logged_model_metrics")):
            return
        sql = "select * from logged_models where experiment_id = ? order by creation_timestamp_ms, model_id"
        for row in self.rows(sql, (group.key,)):
            judged = self.rows("select * from logged_model_metrics where model_id = ?", (row["model_id"],))
            yield MovedModel(
                id=row["model_id"],
                name=row["name"],
                type=row["model_type"] or "",
                run_uid=row["source_run_id"] or "",
                status=MODEL_STATUS.get(row["status"], MODEL_STATUS[0]),
                created_at=row["creation_timestamp_ms"],
                updated_at=row["last_updated_timestamp_ms"],
                deleted=row["lifecycle_stage"] == "deleted",
                tags=self.pairs("logged_model_tags", "model_id", row["model_id"], ("tag_key", "tag_value")),
                params=self.pairs("logged_model_params", "model_id", row["model_id"], ("param_key", "param_value")),
                metrics=[
                    Judged(
                        one["run_id"],
                        one["metric_name"],
                        one["metric_value"],
                        one["metric_step"],
                        one["metric_timestamp_ms"],
                        one["dataset_name"] or "",
                        one["dataset_digest"] or "",
                    )
                    for one in judged
                ],
                artifact_uri=row["artifact_location"] or "",
            )

    def registered(self) -> Iterator[MovedRegistered]:
        """Return the registered models."""
        if not self.tables.issuperset(("registered_models", "model_versions")):
            return
        for row in self.rows("select * from registered_models order by name"):
            name = str(row["name"])
            listed = self.rows("select * from model_versions where name = ? order by version", (name,))
            aliases = self.pairs("registered_model_aliases", "name", name, ("alias", "version"))
            yield MovedRegistered(
                name=name,
                description=row["description"] or "",
                created_at=row["creation_time"] or 0,
                updated_at=row["last_updated_time"] or row["creation_time"] or 0,
                tags=self.pairs("registered_model_tags", "name", name),
                aliases={alias: int(version) for alias, version in aliases.items()},
                versions=[self._version(one) for one in listed if one["current_stage"] != DELETED],
            )

    def _version(self, row: dict[str, Any]) -> MovedVersion:
        """Return a version. Any: see rows."""
        tags: dict[str, str] = {}
        if "model_version_tags" in self.tables:
            sql = "select key, value from model_version_tags where name = ? and version = ?"
            found = self.rows(sql, (row["name"], str(row["version"])))
            tags = {str(one["key"]): str(one["value"] or "") for one in found}
        return MovedVersion(
            version=int(row["version"]),
            source=row.get("source") or "",
            run_uid=row.get("run_id") or "",
            run_link=row.get("run_link") or "",
            model_id=row.get("model_id") or "",
            description=row["description"] or "",
            stage=row["current_stage"] or "None",
            user=row["user_id"] or "",
            created_at=row["creation_time"] or 0,
            updated_at=row["last_updated_time"] or row["creation_time"] or 0,
            tags=tags,
        )

    def files(self, owner: Moved | MovedModel) -> Iterator[File]:
        """Return artifacts, if they are on this disk below the file's folder or where it was said.

        Raises:
            NotFound: They are elsewhere.
        """
        parts = urlsplit(owner.artifact_uri)
        if parts.scheme == "mlflow-artifacts":
            folder, within = self.artifacts / unquote(parts.path).lstrip("/"), self.artifacts
        elif parts.scheme in ("", "file"):
            folder, within = self.path.parent / unquote(parts.path), self.path.parent
        else:
            raise NotFound(f"Its artifacts are at {safe(owner.artifact_uri, limit=120)}.", "Import from the server.")
        if not folder.resolve().is_relative_to(within.resolve()):
            raise NotFound(
                f"Its artifacts are at {safe(str(folder), limit=120)}, outside of the store's folder.",
                "Name their folder with --artifacts.",
            )
        return files_below(folder)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
