"""A tracking server as a source: MLflow's own, or another workspace's."""

import http.client
import os
from collections.abc import Iterator
from functools import partial
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import msgspec

from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.experiments.tracked import Logged
from lemnis.engine.text import safe
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.artifacts import DEEPEST
from lemnis.engine.tracking.protocol import DatasetInput, ModelLink
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

FILES = "/api/2.0/mlflow-artifacts/artifacts"
PAGE, REGISTRY_PAGE = 500, 100
WAIT_S = 30.0
LARGEST_ANSWER = 256 << 20  # bytes


class Server:
    """One tracking server, asked with the token in MLFLOW_TRACKING_TOKEN if there is one."""

    def __init__(self, url: str) -> None:
        self.url, self.token = url.rstrip("/"), os.environ.get("MLFLOW_TRACKING_TOKEN", "")

    def opened(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> IO[bytes]:
        """Return the answer to a request. Any: JSON values.

        Raises:
            Unavailable: The server does not answer.
            BadInput: It refuses.
        """
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if data else {}
        return self.answer(Request(f"{self.url}{path}", data, headers, method=method))

    def put(self, path: str, content: IO[bytes], size: int) -> None:
        """Send a file to where a server keeps artifacts; raises Unavailable, BadInput."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self.answer(Request(f"{self.url}{FILES}/{quote(path)}", content, headers, method="PUT")):  # pyright: ignore[reportArgumentType]  # a file is read
            pass

    def answer(self, request: Request) -> IO[bytes]:
        """Return the answer to a request; raises Unavailable, BadInput."""
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            return cast("IO[bytes]", urlopen(request, timeout=WAIT_S))
        except HTTPError as error:
            with error:
                said = safe(error.read(500).decode("utf-8", "replace"), limit=200)
            raise BadInput(f"{self.url} refuses: {error.code} {said}.", "Check the address and the token.") from None
        except (URLError, OSError, http.client.HTTPException) as error:
            why = safe(str(getattr(error, "reason", error)), limit=200)
            raise Unavailable(f"{self.url} does not answer: {why}.", "Check that the server runs.") from None

    def ask(
        self, call: str, query: dict[str, str], body: dict[str, Any] | None = None, *, method: str | None = None
    ) -> dict[str, Any]:
        """Return the document of a call. Any: JSON values."""
        words = f"?{urlencode(query)}" if query else ""
        with self.opened(f"/api/2.0/mlflow/{call}{words}", body, method) as answer:
            text = answer.read(LARGEST_ANSWER)
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            raise BadInput(f"{self.url} is no tracking server of MLflow's.", "Check the address.") from None

    def pages(self, call: str, what: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Return every document of a search. Any: JSON values."""
        token = ""
        while True:
            found = self.ask(call, {}, {**body, "max_results": PAGE, **({"page_token": token} if token else {})})
            yield from found.get(what, [])
            token = found.get("next_page_token", "")
            if not token:
                return

    def groups(self) -> list[Group]:
        """Return every experiment."""
        return [
            Group(
                key=str(one["experiment_id"]),
                name=one["name"],
                tags=pairs(one),
                created_at=whole(one.get("creation_time")),
                deleted=one.get("lifecycle_stage") == "deleted",
            )
            for one in self.pages("experiments/search", "experiments", {"view_type": "ALL"})
        ]

    def runs(self, group: Group) -> Iterator[Moved]:
        """Return the runs of an experiment."""
        asked = {"experiment_ids": [group.key], "run_view_type": "ALL", "order_by": ["attributes.start_time ASC"]}
        for one in self.pages("runs/search", "runs", asked):
            info, data = one["info"], one.get("data", {})
            tags = pairs(data)
            inputs, outputs = one.get("inputs", {}), one.get("outputs", {})
            deleted = info.get("lifecycle_stage") == "deleted"
            yield Moved(
                uid=info.get("run_id") or info["run_uuid"],
                group=group.key,
                name=info.get("run_name") or tags.get("mlflow.runName", ""),
                user=info.get("user_id", ""),
                state=protocol.STATES.get(info["status"], "failed"),
                started_at=whole(info.get("start_time")),
                ended_at=whole(info.get("end_time")),
                deleted_at=(whole(info.get("end_time")) or 0) if deleted else None,
                params=pairs(data, "params"),
                tags=tags,
                datasets=msgspec.convert(inputs.get("dataset_inputs", []), list[DatasetInput], strict=False),
                inputs=msgspec.convert(inputs.get("model_inputs", []), list[ModelLink], strict=False),
                outputs=msgspec.convert(outputs.get("model_outputs", []), list[ModelLink], strict=False),
                artifact_uri=info.get("artifact_uri", ""),
            )

    def models(self, group: Group) -> Iterator[MovedModel]:
        """Return the logged models of an experiment; none of a server that is older than they are."""
        try:
            found = list(self.pages("logged-models/search", "models", {"experiment_ids": [group.key]}))
        except BadInput:
            return
        for one in found:
            info, data = one["info"], one.get("data", {})
            yield MovedModel(
                id=info["model_id"],
                name=info.get("name", ""),
                type=info.get("model_type", ""),
                run_uid=info.get("source_run_id", ""),
                status=info.get("status", MODEL_STATUS[0]),
                created_at=whole(info.get("creation_timestamp_ms")) or 0,
                updated_at=whole(info.get("last_updated_timestamp_ms")) or 0,
                deleted=False,
                tags=pairs(info),
                params=pairs(data, "params"),
                metrics=[
                    Judged(
                        metric.get("run_id", ""),
                        metric["key"],
                        protocol.number(metric.get("value", 0.0)),
                        whole(metric.get("step")) or 0,
                        whole(metric.get("timestamp")) or 0,
                        metric.get("dataset_name", ""),
                        metric.get("dataset_digest", ""),
                    )
                    for metric in data.get("metrics", [])
                ],
                artifact_uri=info.get("artifact_uri", ""),
            )

    def registered(self) -> Iterator[MovedRegistered]:
        """Return the registered models; none of a server without a registry."""
        try:
            found = list(self.listed("registered-models/search", "registered_models", ""))
        except BadInput:
            return
        for one in found:
            name = one["name"]
            quoted = "'" + name.replace("'", "''") + "'"
            listed = self.listed("model-versions/search", "model_versions", f"name = {quoted}")
            created = whole(one.get("creation_timestamp")) or 0
            yield MovedRegistered(
                name=name,
                description=one.get("description", ""),
                created_at=created,
                updated_at=whole(one.get("last_updated_timestamp")) or created,
                tags=pairs(one),
                aliases={alias["alias"]: int(alias["version"]) for alias in one.get("aliases", [])},
                versions=[version_of(version) for version in listed],
            )

    def listed(self, call: str, what: str, wanted: str) -> Iterator[dict[str, Any]]:
        """Return every document of a search that is asked by its address. Any: JSON values."""
        token = ""
        while True:
            query = {"max_results": str(REGISTRY_PAGE), **({"filter": wanted} if wanted else {})}
            found = self.ask(call, {**query, **({"page_token": token} if token else {})})
            yield from found.get(what, [])
            token = found.get("next_page_token", "")
            if not token:
                return

    def points(self, run: Moved) -> Iterator[Logged]:
        """Return every value of every metric of a run."""
        latest = self.ask("runs/get", {"run_id": run.uid})["run"].get("data", {}).get("metrics", [])
        for key in dict.fromkeys(one["key"] for one in latest):
            token = ""
            while True:
                query = {"run_id": run.uid, "metric_key": key, **({"page_token": token} if token else {})}
                found = self.ask("metrics/get-history", query)
                for one in found.get("metrics", []):
                    value = protocol.number(one.get("value", 0.0))
                    yield Logged(key, int(one.get("step", 0)), int(one.get("timestamp", 0)), value)
                token = found.get("next_page_token", "")
                if not token:
                    break

    def files(self, owner: Moved | MovedModel) -> Iterator[File]:
        """Return artifacts; raises NotFound when the server does not pass them on."""
        parts = urlsplit(owner.artifact_uri)
        if parts.scheme != "mlflow-artifacts":
            raise NotFound(
                f"Its artifacts are at {safe(owner.artifact_uri, limit=120)}, not with the server.",
                "Copy them by hand.",
            )
        return self._below(parts.path.strip("/"), "", 0)

    def _below(self, root: str, path: str, depth: int) -> Iterator[File]:
        with self.opened(f"{FILES}?{urlencode({'path': f'{root}/{path}'.rstrip('/')})}") as answer:
            found = msgspec.json.decode(answer.read(LARGEST_ANSWER), type=dict[str, Any])
        for one in found.get("files", []):
            name = f"{path}/{one['path']}".lstrip("/")
            if not one.get("is_dir"):
                address = f"{FILES}/{quote(f'{root}/{name}')}"
                yield File(name, int(one.get("file_size", 0)), partial(self.opened, address))
            elif depth < DEEPEST:
                yield from self._below(root, name, depth + 1)

    def close(self) -> None:
        """There is nothing to close."""


def version_of(document: dict[str, Any]) -> MovedVersion:
    """Return a version of a registered model. Any: JSON values."""
    created = whole(document.get("creation_timestamp")) or 0
    return MovedVersion(
        version=int(document["version"]),
        source=document.get("source", ""),
        run_uid=document.get("run_id", ""),
        run_link=document.get("run_link", ""),
        model_id=document.get("model_id", ""),
        description=document.get("description", ""),
        stage=document.get("current_stage") or "None",
        user=document.get("user_id", ""),
        created_at=created,
        updated_at=whole(document.get("last_updated_timestamp")) or created,
        tags=pairs(document),
    )


def pairs(document: dict[str, Any], what: str = "tags") -> dict[str, str]:
    """Return texts by name. Any: JSON values."""
    return {str(one["key"]): str(one.get("value", "")) for one in document.get(what, [])}


def whole(value: object) -> int | None:
    """Return a whole number that JSON may have as text."""
    return None if value is None else int(str(value))
