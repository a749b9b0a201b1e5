"""What a rollout tells: an endpoint's workers, its events, and the split between two versions, as frozen records."""

from typing import Literal, TypeAlias

from msgspec import Struct

Measure: TypeAlias = Literal["errors", "latency", "drift"]
Mode: TypeAlias = Literal["canary", "shadow"]
SplitState: TypeAlias = Literal["running", "stopped", "aborted", "promoted"]
EventKind: TypeAlias = Literal["swap", "drill", "refuse", "split", "share", "stop", "abort", "promoted"]


class Arm(Struct, frozen=True):
    """The answers of one version for one measure.

    Attributes:
        n: How many.
        total: Their sum; each lies in [0, 1].
    """

    n: int = 0
    total: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean, None before the first answer."""
        return self.total / self.n if self.n else None


class Bound(Struct, frozen=True, kw_only=True):
    """How much worse a challenger may be in one measure.

    Attributes:
        allowed: By how much its mean may exceed the champion's.
        both_sides: It may fall short of it by no more either.
    """

    allowed: float
    both_sides: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Where the test of one measure stands.

    Attributes:
        evidence: Natural logarithm of the e-value against "no worse than allowed"; at or below 0 there is none.
        needed: The evidence at which the split is aborted: ln(1/α).
        judged: False for a measure that this split can't judge; `why` says the reason.
    """

    measure: Measure
    champion: Arm
    challenger: Arm
    allowed: float
    evidence: float
    needed: float
    judged: bool = True
    why: str = ""

    @property
    def share(self) -> float:
        """How much of the needed evidence there is, 0 to 1."""
        return min(1.0, max(0.0, self.evidence / self.needed)) if self.judged else 0.0

    @property
    def worse(self) -> bool:
        """Whether the challenger is shown to be worse than allowed."""
        return self.judged and self.evidence >= self.needed


ALPHA = 0.05
BOUNDS: dict[Measure, Bound] = {
    "errors": Bound(allowed=0.01),
    "latency": Bound(allowed=0.05),
    "drift": Bound(allowed=0.1, both_sides=True),
}
MEANING: dict[Measure, str] = {
    "errors": "share of requests that failed or were refused",
    "latency": "share of requests slower than the champion's p95",
    "drift": "mean rank of the scores among the champion's",
}


class Worker(Struct, frozen=True, kw_only=True):
    """One process of an endpoint.

    Attributes:
        live: Its process is up, as far as the supervisor knows.
        version: What it answers with; None before it was ready.
        standby: The version before, loaded still, None if there is none; a rollback to it loads nothing.
        swap_ms: From the move of the alias to the first answer of the new version, None before there was one.
        drill: What was wrong when the standby was asked its golden rows; empty for nothing.
        drill_ms: What that took; None before there was a standby.
        challenger: The version it splits requests with.
    """

    number: int
    pid: int
    live: bool
    ready: bool
    version: int | None
    standby: int | None
    why: str
    swap_ms: float | None
    drill: str
    drill_ms: float | None
    challenger: int | None
    changed_at: int


class EndpointEvent(Struct, frozen=True, kw_only=True):
    """One step of an endpoint.

    Attributes:
        worker: Whose step it was; None for the whole endpoint.
        took_ms: How long it took, None where that says nothing.
    """

    id: int
    endpoint: str
    at: int
    kind: EventKind
    worker: int | None
    version: int | None
    who: str
    why: str
    took_ms: float | None


class Reference(Struct, frozen=True, kw_only=True):
    """What the champion was like before anything was compared with it; frozen, so that the test stays valid.

    Attributes:
        slow_us: Its 95th percentile of latency, microseconds; None while too little was asked of it.
        scores: Quantiles of its scores, ascending; empty while there are too few.
    """

    slow_us: int | None = None
    scores: list[float] = []


class Split(Struct, frozen=True, kw_only=True):
    """Requests that are answered by two versions, or by one while the other answers for comparison alone.

    Attributes:
        mode: `canary`: the challenger answers `percent` of the requests. `shadow`: the champion answers all of them,
            and the challenger scores `percent` of them afterwards.
        champion, challenger: Versions.
        alias: The challenger's when the split began.
        key: What a request is told apart by, see `sticky.request_key`; empty for the usual ones.
        alpha: Most chance of a false abort, of all measures together and however long the split runs.
        standings: Of each measure: now, or at the end.
        skipped: Requests that a shadow left out because too many waited.
    """

    id: int
    endpoint: str
    mode: Mode
    champion: int
    challenger: int
    alias: str
    percent: float
    key: str
    alpha: float
    bounds: dict[Measure, Bound]
    reference: Reference
    state: SplitState
    why: str
    who: str
    started_at: int
    ended_at: int | None
    standings: list[Standing] = []
    skipped: int = 0

    @property
    def share(self) -> float:
        """The challenger's share of the requests, 0 to 1."""
        return self.percent / 100

    @property
    def salt(self) -> str:
        """What makes its keys fall independently of another split's."""
        return f"{self.endpoint}/{self.id}"
