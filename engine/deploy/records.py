"""What the deploy room tells: model versions, alias events and endpoints, as frozen records."""

from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from lemnis.engine.deploy.rollout.records import Split, Worker

Verdict: TypeAlias = Literal["pass", "fail", "not enough data", "not evaluated", "no gates"]
AliasKind: TypeAlias = Literal["promote", "rollback", "withdraw"]
EndpointState: TypeAlias = Literal["starting", "ready", "degraded", "backing off", "failed", "down", "unknown"]
TokenScope: TypeAlias = Literal["read", "serve", "admin"]  # each is good for what stands before it too
SCOPES: tuple[TokenScope, ...] = get_args(TokenScope)
Cell: TypeAlias = Any  # what JSON can hold
Answers: TypeAlias = list[list[float]]


class Golden(Struct, frozen=True, kw_only=True):
    """Rows as a request would send them, and the scores recorded for each when the model was registered."""

    rows: list[dict[str, Cell]]
    answers: Answers

    def save(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def load(cls, text: str) -> "Golden":
        return msgspec.json.decode(text, type=cls)


class ModelFile(Struct, frozen=True):
    """The file of a version.

    Attributes:
        boxed: What read it in the model box when it gave its golden answers there; empty before there were such notes.
    """

    path: Path
    sha256: str
    boxed: str = ""


class ModelVersion(Struct, frozen=True, kw_only=True):
    """One registered model file.

    Attributes:
        calibration: What makes its probabilities better before they are answered: isotonic, platt, temperature or
            nothing.
        verdict: What the gates of its run say now.
        aliases: The aliases that point here now.
        golden_rows: How many rows with recorded answers every process must reproduce before it serves.
    """

    model: str
    version: int
    run_id: int
    run_name: str
    sha256: str
    path: Path
    bytes: int
    threshold: float | None
    golden_rows: int
    verdict: Verdict
    aliases: list[str]
    who: str
    why: str
    created_at: int
    calibration: str = ""


class Candidate(Struct, frozen=True, kw_only=True):
    """A run that could become the next version of a model."""

    run_id: int
    run_name: str
    model: str


class AliasEvent(Struct, frozen=True, kw_only=True):
    """One move of an alias; `version` None: it was taken away.

    Attributes:
        evidence: Verdict, gates and metrics at that moment. Any: metrics differ by task.
        forced: It was moved although the gates did not pass.
    """

    id: int
    model: str
    alias: str
    kind: AliasKind
    version: int | None
    previous: int | None
    forced: bool
    who: str
    why: str
    at: int
    evidence: dict[str, Any]


class Model(Struct, frozen=True, kw_only=True):
    """A name with versions; `aliases` maps each alias in force to its version."""

    name: str
    versions: int
    latest: int
    aliases: dict[str, int]
    created_at: int


class Endpoint(Struct, frozen=True, kw_only=True):
    """One model server.

    Attributes:
        state: `degraded` answers, but not with the version its alias names; of a past moment it may be `unknown`.
            `why` says the reason.
        version: What the process answers with now; None before it was ever ready.
        wanted_version: What its alias names.
        requests, errors, rows: Of the log; `log_lag_s` is how long its oldest answered request waits that is not in it.
        dropped: Requests that were answered and will never be in it.
        p50_ms, p99_ms: Of the latest requests, None when there were none in the last minutes.
        per_second: Requests a second, one number per ten seconds, oldest first; the last span is still filling.
        p50_by_span, p99_by_span: Milliseconds in the same spans, None where nothing was asked.
        workers: Its processes by number, `wanted_workers` when all have said something.
        split: The one that runs, or ran last.
    """

    name: str
    url: str
    state: EndpointState
    why: str
    model: str
    alias: str
    version: int | None
    wanted_version: int | None
    host: str
    port: int
    pid: int | None
    restarts: int
    requests: int
    errors: int
    rows: int
    dropped: int
    p50_ms: float | None
    p99_ms: float | None
    last_at: int | None
    per_second: list[float]
    p50_by_span: list[float | None]
    p99_by_span: list[float | None]
    created_at: int
    wanted_workers: int = 1
    workers: list[Worker] = []
    split: Split | None = None
    log_lag_s: float = 0.0


class Traffic(Struct, frozen=True, kw_only=True):
    """What one endpoint was asked; see Endpoint."""

    requests: int = 0
    errors: int = 0
    rows: int = 0
    dropped: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    last_at: int | None = None
    per_second: list[float] = []
    p50_by_span: list[float | None] = []
    p99_by_span: list[float | None] = []
