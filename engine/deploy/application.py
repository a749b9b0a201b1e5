"""The model server's ASGI application: routes, bounds, and the way of one request from bytes to bytes."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import extensions, invocations, protocol
from lemnis.engine.deploy.asgi import (
    Head,
    Headers,
    Receive,
    Response,
    Scope,
    Send,
    answer_response,
    document,
    error_response,
    head_of,
    read_body,
    sentence,
)
from lemnis.engine.deploy.diagnosis import faults_of_request, unknown_columns
from lemnis.engine.deploy.direct import Known
from lemnis.engine.deploy.faults import Fault
from lemnis.engine.deploy.guard import Guard
from lemnis.engine.deploy.meters import Meters
from lemnis.engine.deploy.predictions import Entry, PredictionLog, log_lags_s, record_actuals
from lemnis.engine.deploy.protocol import Asked
from lemnis.engine.deploy.reasons import PARAMETER, Reason, reasons_of
from lemnis.engine.deploy.records import TokenScope
from lemnis.engine.deploy.rollout.chooser import Chooser
from lemnis.engine.deploy.rollout.records import Split
from lemnis.engine.deploy.serving import Served
from lemnis.engine.deploy.tensors import TooLarge
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.features.signature import target_value
from lemnis.engine.store import Store
from lemnis.engine.version import VERSION

BESIDE_BYTES = 32_768  # a larger body is read and answered in a thread, so that small requests are not held up
REASONS = PARAMETER.encode()
NOT_READY = "No version is ready."
FAILED = "The server failed at this request; its log says where."


class Request(NamedTuple):
    """What an inference route is given."""

    served: Served
    body: bytes
    content_type: str
    header_length: int | None
    threaded: bool = False  # answered in a thread of its own


class Done(NamedTuple):
    """A request that was answered."""

    asked: Asked
    scores: list[list[float]]
    response: Response


class Outcome(NamedTuple):
    """What came of a request: the version that was asked, what goes back, and why that is a refusal."""

    served: Served
    response: Response
    done: Done | None = None
    error: str = ""
    faults: list[Fault] | None = None


Work: TypeAlias = Callable[[Request], Done]
Handler: TypeAlias = Callable[["Served | None", Scope, Receive], "Response | Awaitable[Response]"]
Routes: TypeAlias = dict[tuple[str, str], Handler]


class Way(NamedTuple):
    """How a path predicts: in which dialect, by which version, and what moves a request to another."""

    work: Work
    served: Served
    chooser: Chooser | None = None


class Current(NamedTuple):
    """What answers now; exchanged as one."""

    served: Served | None
    routes: Routes
    ways: dict[str, Way]


class Application:
    """Answers HTTP for one endpoint; `serve` exchanges the version between two requests."""

    def __init__(self, store: Store, endpoint: str, model: str, *, guard: Guard, log: PredictionLog) -> None:
        self.store, self.endpoint, self.model, self.guard, self.log = store, endpoint, model, guard, log
        self.meters = Meters(endpoint, model)
        self._current = Current(None, self._fixed_routes(), {})
        self._chooser: Chooser | None = None
        self.heads: dict[bytes, Known] = {}

    @property
    def served(self) -> Served | None:
        """The version that answers now."""
        return self._current.served

    def serve(self, served: Served) -> None:
        """Answer with this version from the next request on; requests under way finish with the one they began with."""
        base = f"/v2/models/{served.model}"
        routes = self._fixed_routes()
        for path in (base, f"{base}/versions/{served.version}"):
            routes["GET", path] = self._metadata
            routes["GET", f"{path}/ready"] = self._ready
            routes["GET", f"{path}/stats"] = self._statistics
            routes["GET", f"{path}/config"] = self._config
        ways = {f"{base}/infer": Way(infer, served, self._chooser), "/invocations": Way(invoke, served, self._chooser)}
        for version in filter(None, (served, self._chooser and self._chooser.challenger)):
            ways[f"{base}/versions/{version.version}/infer"] = Way(infer, version)  # whoever names one gets that one
        for path in ways:
            routes["POST", path] = self._predict
        self._current = Current(served, routes, ways)

    def share(self, split: Split | None, challenger: Served | None) -> None:
        """Let a challenger answer its share of the requests from the next one on; None ends that."""
        self._chooser = Chooser(split, challenger) if split is not None and challenger is not None else None
        if self.served is not None:
            self.serve(self.served)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything unforeseen becomes a 500 with its traceback in the log."""
        if scope["type"] != "http":
            return
        try:
            response = await self._answer(scope, receive)
        except ConnectionError:
            return
        except Exception:  # the HTTP border: one bad request must not end the server
            traceback.print_exc()
            response = error_response(500, FAILED)
        length = (b"content-length", str(len(response.body)).encode())
        start = {"type": "http.response.start", "status": response.status, "headers": [*response.headers, length]}
        await send(start)
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        method, path = scope["method"], scope["path"]
        refusal = self.guard.refusal(scope["headers"], needs=scope_of(method, path))
        if refusal is not None:
            self.meters.refused += 1
            return error_response(refusal.status, refusal.reason)
        served, routes, _ = self._current
        handler = routes.get(("GET" if method == "HEAD" else method, path))
        if handler is None:
            return unknown(method, path, routes, ready=served is not None)
        response = handler(served, scope, receive)
        return response if isinstance(response, Response) else await response

    def _fixed_routes(self) -> Routes:
        plain = {(method, path): refusing(reason) for method, path, reason in extensions.refused(self.model)}
        plain |= {("GET", path): telling(content) for path, content in extensions.told(self.model).items()}
        for kind in extensions.MEMORIES:
            plain["POST", f"/v2/{kind}/unregister"] = telling({})
        return {
            **plain,
            ("GET", "/v2/models/stats"): self._statistics,
            ("POST", "/v2/repository/index"): self._index,
            ("POST", f"/v2/repository/models/{self.model}/load"): self._ready,
            ("GET", "/v2"): self._server_metadata,
            ("GET", "/v2/health/live"): lambda _served, _scope, _receive: Response(200, b"{}"),
            ("GET", "/v2/health/ready"): self._ready,
            ("GET", "/ping"): self._ready,
            ("GET", "/health"): self._ready,
            ("GET", "/version"): self._version,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/docs"): self._docs,
            ("POST", "/invocations"): self._predict,
            ("POST", "/feedback"): self._feedback,
        }

    def _server_metadata(self, _served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return document({"name": "lemnis", "version": VERSION, "extensions": extensions.SERVED})

    def _version(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        serving = {"model": self.model, "model_version": str(served.version)} if served else {}
        return document({"version": VERSION, "endpoint": self.endpoint, **serving})

    def _ready(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return of_version(served, lambda one: {"name": self.model, "version": str(one.version), "ready": True})

    def _metadata(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return of_version(served, lambda one: protocol.model_metadata(one.signature, **one.facts))

    def _statistics(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return document(self.meters.statistics(served.version if served else 0))

    def _config(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return of_version(served, lambda one: extensions.model_config(one.signature, **one.facts))

    def _index(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        return document(extensions.repository_index(self.model, served.version if served else None))

    def _metrics(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        lag_s = max(log_lags_s(self.store, now=now_ms()).values(), default=0.0)
        text = self.meters.text(served.version if served else None, self.log.dropped, lag_s)
        return Response(200, text, ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),))

    def _docs(self, served: Served | None, _scope: Scope, _receive: Receive) -> Response:
        from lemnis.engine.deploy.openapi import openapi_document

        return document(openapi_document(self.model, served.signature if served else None))

    def direct(self, path: str, headers: Headers) -> Head | None:
        """Return what `answer` needs of a POST before its body; None for what has to come through ASGI."""
        if path not in self._current.ways or self.guard.refusal(headers, needs=scope_of("POST", path)) is not None:
            return None
        try:
            return head_of(path, headers)
        except BadInput:
            return None

    def answer(self, head: Head, body: bytes, began: int) -> Response | None:
        """Return the answer to a small request for predictions at once; None for what has to come through ASGI.

        Args:
            head: As `direct` returned it, of this request or of an earlier one with the same headers.
            body: The whole of it.
            began: When the request began, by `perf_counter_ns`.
        """
        way = self._current.ways.get(head.path)
        if way is None or is_slow(body):
            return None
        try:
            outcome = outcome_of(way, head, body)
            self.log.add(self.log.frame(self._counted(outcome, began)))
        except Exception:  # the HTTP border, as in `__call__`
            traceback.print_exc()
            return error_response(500, FAILED)
        return outcome.response

    async def _predict(self, _served: Served | None, scope: Scope, receive: Receive) -> Response:
        """Read, predict, answer and log one request, whatever its dialect."""
        way = self._current.ways.get(scope["path"])
        if way is None:
            return error_response(503, NOT_READY)
        began, slow = time.perf_counter_ns(), False
        try:
            head = head_of(scope["path"], scope["headers"])
            body = await read_body(receive)
        except BadInput as refused:
            outcome = refusal_of(way, way.served, refused)
        else:
            slow, ask = is_slow(body), partial(outcome_of, way, head, body)
            outcome = await asyncio.to_thread(ask, threaded=True) if slow else ask()
        entry = self._counted(outcome, began)
        self.log.add(await asyncio.to_thread(self.log.frame, entry) if slow else self.log.frame(entry))
        return outcome.response

    def _counted(self, outcome: Outcome, began: int) -> Entry[Any]:
        """Count a request, and return it as it is logged."""
        elapsed = (time.perf_counter_ns() - began) // 1000
        done, status = outcome.done, outcome.response.status
        rows = len(done.scores) if done else 0
        self.meters.count(status, rows, elapsed)
        facts = (now_ms(), outcome.served.version, rows, elapsed, status, outcome.error[:300])
        if done is None:
            return Entry(*facts, faults=outcome.faults or [])
        asked = done.asked
        faults = unknown_columns(asked.more, outcome.served.signature) if asked.more else []
        return Entry(*facts, asked.sent, done.scores, asked.keys, asked.event_times, faults)

    async def _feedback(self, served: Served | None, _scope: Scope, receive: Receive) -> Response:
        if served is None:
            return error_response(503, NOT_READY)
        try:
            pairs = protocol.parse_feedback(await read_body(receive))
            actuals = [(key, target_value(actual, served.signature)) for key, actual in pairs]
        except BadInput as refused:
            return error_response(413 if isinstance(refused, TooLarge) else 400, sentence(refused))
        await asyncio.to_thread(record_actuals, self.store, self.endpoint, actuals, now=now_ms())
        self.meters.actuals += len(actuals)
        return document({"accepted": len(actuals)})


def scope_of(method: str, path: str) -> TokenScope:
    """Return what a token has to be good for to ask this."""
    if method in ("GET", "HEAD") or path == "/v2/repository/index":
        return "read"
    return "serve" if path.endswith("/infer") or path in ("/invocations", "/feedback") else "admin"


def refusing(reason: str) -> Handler:
    """Return a handler that refuses."""
    return lambda _served, _scope, _receive: error_response(400, reason)


def of_version(served: Served | None, told: Callable[[Served], Any]) -> Response:
    """Return what is told of the version that answers, or that there is none. Any: what msgspec can encode."""
    return error_response(503, NOT_READY) if served is None else document(told(served))


def telling(content: Any) -> Handler:
    """Return a handler that always says the same. Any: what msgspec can encode."""
    return lambda _served, _scope, _receive: document(content)


def unknown(method: str, path: str, routes: Routes, *, ready: bool) -> Response:
    """Say why no route fits: another method, no version yet, or no such path."""
    if "sharedmemory/" in path:
        return error_response(400, extensions.MEMORY)
    allowed = sorted({known for known, route in routes if route == path})
    if allowed:
        return error_response(405, f"{method} is not for this path.", (b"allow", ", ".join(allowed).encode()))
    if not ready and path.startswith("/v2/models/"):
        return error_response(503, NOT_READY)
    return error_response(404, "There is nothing at this path; GET /docs lists what there is.")


def infer(request: Request) -> Done:
    """Answer a v2 inference request."""
    served = request.served
    asked = protocol.parse_infer(request.body, served.signature, request.header_length)
    scores = scores_of(request, asked)
    answered = protocol.infer_answer(
        asked, scores, served.signature, model=served.model, version=served.version, why=why_of(request, asked, scores)
    )
    return Done(asked, scores, answer_response(answered))


def invoke(request: Request) -> Done:
    """Answer a request to /invocations."""
    served = request.served
    asked = invocations.parse_invocation(request.body, request.content_type, served.signature)
    scores = scores_of(request, asked)
    body = invocations.invocation_answer(
        scores, served.signature, model=served.model, version=served.version, why=why_of(request, asked, scores)
    )
    return Done(asked, scores, Response(200, body))


def outcome_of(way: Way, head: Head, body: bytes, *, threaded: bool = False) -> Outcome:
    """Return what comes of a request for predictions whose body is there; `threaded`: beside the server's thread."""
    served = way.served
    try:
        if way.chooser is not None:
            served = way.chooser.choose(served, head.headers, body)
        done = way.work(Request(served, body, head.content_type, head.header_length, threaded))
    except LemnisError as failed:
        misfit = isinstance(failed, BadInput) and not isinstance(failed, TooLarge)
        faults = faults_of_request(head, body, served.signature) if misfit else []
        return refusal_of(way, served, failed)._replace(faults=faults)
    return Outcome(served, named(done.response, way, served), done)


def refusal_of(way: Way, served: Served, error: LemnisError) -> Outcome:
    """Return what comes of a request that can't be answered."""
    status = 413 if isinstance(error, TooLarge) else 400 if isinstance(error, BadInput) else 500
    said = sentence(error)
    return Outcome(served, named(error_response(status, said), way, served), error=said)


def named(response: Response, way: Way, served: Served) -> Response:
    """Return a response that names its version where a split chooses one."""
    if way.chooser is None:
        return response
    return response._replace(headers=(*response.headers, (b"x-lemnis-version", str(served.version).encode())))


def scores_of(request: Request, asked: Asked) -> list[list[float]]:
    """Return the scores of a request's rows; the single-row call belongs to the server's thread, so to small bodies."""
    predictor = request.served.predictor
    if isinstance(asked.encoded, list) and not request.threaded:
        return [predictor.one(asked.encoded)]
    return predictor.many(asked.matrix).tolist()


def why_of(request: Request, asked: Asked, scores: list[list[float]]) -> list[list[Reason]]:
    """Return the reasons of each row, where they are asked for."""
    return reasons_of(request.served.predictor, asked.matrix, scores, asked.reasons) if asked.reasons else []


def is_slow(body: bytes) -> bool:
    """Say whether a request is answered in a thread: it is large, or may ask for reasons, milliseconds a row."""
    return len(body) > BESIDE_BYTES or REASONS in body
