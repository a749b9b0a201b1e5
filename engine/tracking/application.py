"""The tracking server's ASGI application: who may ask, which call it is, and the way of artifacts in and out."""

import asyncio
import mimetypes
import re
import traceback
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote

import msgspec

from lemnis.engine.deploy.asgi import JSON, Receive, Response, Scope, Send, document, read_body
from lemnis.engine.deploy.guard import Guard
from lemnis.engine.deploy.tensors import TooLarge as BodyTooLarge
from lemnis.engine.errors import BadInput, LemnisError, NotFound, ReadOnly, StoreError, Unavailable
from lemnis.engine.experiments.groups import Taken
from lemnis.engine.store import Store
from lemnis.engine.tracking import artifacts
from lemnis.engine.tracking.calls import Call, call_of, request_of
from lemnis.engine.tracking.protocol import Document, entry_document

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
SPEAKS = "3.17.2"  # the version of MLflow whose calls are answered
SERVER_INFO: Document = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
}
TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)
CHUNK = 1 << 20
OF_JOB = re.compile(r"/jobs/(\d{1,15})(/.*)", re.DOTALL)
# The first that fits; what none fits is our fault.
CODES: tuple[tuple[type[LemnisError], int, str], ...] = (
    (artifacts.TooLarge, 413, "INVALID_PARAMETER_VALUE"),
    (BodyTooLarge, 413, "INVALID_PARAMETER_VALUE"),
    (Taken, 400, "RESOURCE_ALREADY_EXISTS"),
    (NotFound, 404, "RESOURCE_DOES_NOT_EXIST"),
    (ReadOnly, 403, "PERMISSION_DENIED"),
    (BadInput, 400, "INVALID_PARAMETER_VALUE"),
    (StoreError, 503, "TEMPORARILY_UNAVAILABLE"),
    (Unavailable, 507, "RESOURCE_EXHAUSTED"),
    (LemnisError, 500, "INTERNAL_ERROR"),
)


class Download(NamedTuple):
    """A file that is sent piece by piece."""

    path: Path


class Application:
    """Answers MLflow's clients over one workspace. Calls work in threads: one slow search holds nobody up."""

    def __init__(self, store: Store, guard: Guard) -> None:
        self.store, self.guard = store, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what a client did wrong is never a 500, because it would ask again."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except ConnectionError:
            return
        except LemnisError as error:
            answer = refused(error)
        except Exception:  # the HTTP border: one bad request must not end the server
            traceback.print_exc()
            answer = problem(500, "INTERNAL_ERROR", "The server failed at this request; its log says where.")
        if isinstance(answer, Download):
            await self._send_file(answer, send)
            return
        await send_head(send, answer.status, answer.headers, len(answer.body))
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Response | Download:
        method, (job_id, path) = scope["method"], addressed(scope["path"])
        # Only a request that a page of another site can't send without asking first may have a body of any type.
        refusal = self.guard.refusal(scope["headers"], any_type=method == "PUT")
        if refusal is not None:
            code = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}.get(refusal.status, "BAD_REQUEST")
            return problem(refusal.status, code, refusal.reason)
        if path == ARTIFACTS or path.startswith(f"{ARTIFACTS}/"):
            return await self._artifact(method, path[len(ARTIFACTS) + 1 :], scope, receive)
        if method in ("GET", "HEAD") and path in ("/health", "/version"):
            return Response(200, b"OK" if path == "/health" else SPEAKS.encode(), TEXT)
        if method == "GET" and path.endswith("/mlflow/server-info"):
            return document(SERVER_INFO)
        call = call_of(method, path, job_id)
        if call is None:
            return problem(404, "ENDPOINT_NOT_FOUND", f"There is no call {method} {path[:200]}.")
        body = b"" if method == "GET" else await read_body(receive)
        return document(await asyncio.to_thread(self._work, call, scope["query_string"], body))

    def _work(self, call: Call, query: bytes, body: bytes) -> Document:
        return call.answer(self.store, request_of(call, query, body))

    async def _artifact(self, method: str, path: str, scope: Scope, receive: Receive) -> Response | Download:
        if method == "PUT":
            await self._keep(path, scope, receive)
            return document({})
        if method != "GET":
            return problem(405, "BAD_REQUEST", f"{method} is not for artifacts.", (b"allow", b"GET, PUT"))
        if path:
            return Download(await asyncio.to_thread(artifacts.located, self.store, path))
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return document(await asyncio.to_thread(self._list, query.get("path", [""])[0]))

    def _list(self, path: str) -> Document:
        found = artifacts.listed(artifacts.located(self.store, path))
        return {"files": [entry_document(entry.path, entry.is_dir, entry.bytes) for entry in found]}

    async def _keep(self, path: str, scope: Scope, receive: Receive) -> None:
        """Receive a file; a connection that ends before its end leaves nothing."""
        place = await asyncio.to_thread(artifacts.located, self.store, path, write=True)
        incoming = await asyncio.to_thread(artifacts.Incoming, place, content_length(scope))
        try:
            parts: list[bytes] = []
            more = True
            while more:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise ConnectionAbortedError
                parts.append(event.get("body", b""))
                more = event.get("more_body", False)
                if not more or sum(map(len, parts)) >= CHUNK:
                    await asyncio.to_thread(incoming.write, b"".join(parts))
                    parts = []
            await asyncio.to_thread(incoming.keep)
        finally:
            await asyncio.to_thread(incoming.drop)

    async def _send_file(self, wanted: Download, send: Send) -> None:
        try:
            file = await asyncio.to_thread(artifacts.opened, wanted.path)
        except LemnisError as error:
            answer = refused(error)
            await send_head(send, answer.status, answer.headers, len(answer.body))
            await send({"type": "http.response.body", "body": answer.body})
            return
        with file:
            size = file.seek(0, 2)
            file.seek(0)
            kind = mimetypes.guess_type(wanted.path.name)[0] or "application/octet-stream"
            headers = (
                (b"content-type", kind.encode()),
                (b"content-disposition", f"attachment; filename*=UTF-8''{quote(wanted.path.name)}".encode()),
                (b"x-content-type-options", b"nosniff"),
            )
            await send_head(send, 200, headers, size)
            while size > 0:
                data = await asyncio.to_thread(file.read, min(CHUNK, size))
                if not data:
                    raise ConnectionAbortedError  # the file became shorter: the client sees that bytes are missing
                size -= len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def addressed(path: str) -> tuple[int, str]:
    """Return the job whose address a path begins with, 0 for none, and the rest: a command's client has its own."""
    parts = OF_JOB.fullmatch(path)
    return (int(parts[1]), parts[2]) if parts is not None else (0, path)


async def send_head(send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...], length: int) -> None:
    """Send an answer's status and headers."""
    size = (b"content-length", str(length).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, size]})


def content_length(scope: Scope) -> int:
    """Return how long a body says it is, 0 if it does not say."""
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(text) if text.isdigit() and len(text) < 19 else 0


def refused(error: LemnisError) -> Response:
    """Return an expected failure as MLflow's clients read it."""
    status, code = next((status, code) for kind, status, code in CODES if isinstance(error, kind))
    place = f" ({error.place})" if error.place and status < 500 else ""
    return problem(status, code, f"{error.problem}{place} {error.remedy}".strip())


def problem(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Response:
    """Return a refusal; what may have a body that nobody read ends its connection."""
    body = msgspec.json.encode({"error_code": code, "message": message})
    closing = ((b"connection", b"close"),) if status in (401, 403, 405, 413, 415, 507) else ()
    return Response(status, body, (JSON, *closing, *headers))
