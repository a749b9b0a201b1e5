"""What is known of retrainings, as records: what was decided, what it learnt from, and how the challenger did."""

from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.retraining.policy import Decision

Start: TypeAlias = Literal["full", "continue", "refit"]
Outcome: TypeAlias = Literal["", "challenger", "promoted"]
StepState: TypeAlias = Literal["not started", "working", "ready", "attention"]
StudyKind: TypeAlias = Literal["curve", "warm", "backtest"]
Said: TypeAlias = Literal["queued", "waits", "declined", "challenger", "promoted", "kept"]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a challenger is trained.

    Attributes:
        window: Which rows it learns from, as `config.parse_window` reads it.
        start: `full`: from nothing; `continue`: new trees on top of the champion's; `refit`: the champion's trees with
            leaves fitted to the new rows.
    """

    window: str = "all"
    start: Start = "full"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of champion and challenger on the same rows.

    Attributes:
        low, high: 95 % interval of the difference; p: two-sided. None where there is no test.
        verdict: `better`, `worse`, `higher`, `lower`, `indistinguishable`, `identical`; empty without a test.
    """

    metric: str
    champion: float | None
    challenger: float | None
    delta: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: str = ""


class Retrained(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger beside the champion, on rows that neither has learnt from.

    Attributes:
        part: First day and the day after the last of these rows; rows: how many have a target.
        blocks: What the intervals draw together: days or rows.
        gates: `pass`, `fail`, `not enough data`, `not evaluated` or `no gates`, of the challenger.
    """

    run_id: int
    dataset: str
    champion_version: int
    challenger_version: int
    part: tuple[str, str]
    rows: int
    blocks: str
    currency: str
    figures: list[Figure]
    gates: str = "not evaluated"

    @property
    def main(self) -> Figure | None:
        """The measure that is told first."""
        return self.figures[0] if self.figures else None

    @property
    def words(self) -> str:
        """The main measure of both: ``auc 0.71 → 0.74 (better)``."""
        main = self.main
        if main is None or main.champion is None or main.challenger is None:
            return "not compared with the champion"
        return f"{main.metric} {main.champion:.4g} → {main.challenger:.4g} ({main.verdict or 'no test'})"


class Retraining(msgspec.Struct, frozen=True, kw_only=True):
    """One retraining from its cause to its outcome.

    Attributes:
        cause: Every cause is trained for once.
        policy: In force when it was decided; who: `policy`, or a person.
        state, doing: Of its job, and what that does or why it ended.
        outcome: `challenger` or `promoted`; empty before.
    """

    id: int
    cause: str
    kind: Literal["alert", "stale", "person"]
    endpoint: str
    model: str
    reason: str
    policy: str
    who: str
    way: Way
    job_id: int | None
    run_id: int | None
    champion_version: int | None
    challenger_version: int | None
    found: Retrained | None
    outcome: Outcome
    created_at: int
    state: str = "queued"
    doing: str = ""
    progress: float | None = None

    @property
    def live(self) -> bool:
        """It waits or runs."""
        return self.state in ("queued", "preparing", "running")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One decision or step: who, when and why."""

    id: int
    endpoint: str
    cause: str
    at: int
    who: str
    what: Said
    why: str


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy would do now about one cause.

    Attributes:
        since: When the cause arose, epoch ms.
    """

    cause: str
    endpoint: str
    reason: str
    since: int
    decision: Decision


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the loop.

    Attributes:
        why: What is so, in a sentence.
        since: When it came to this, epoch ms; None where it has no time.
        blocker: What it waits for; empty where nothing is in its way.
        key, command: What moves it on, in the loop's screen and in a shell; empty where nothing does.
    """

    name: str
    state: StepState
    why: str
    since: int | None = None
    blocker: str = ""
    key: str = ""
    command: str = ""


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """The loop of one endpoint now.

    Attributes:
        version: That it serves.
        challenger: That may follow it; None without one.
        run_id: Of the challenger.
        last: The newest retraining; None before the first.
        queue: What the policy would do now.
    """

    endpoint: str
    model: str
    version: int | None
    challenger: int | None
    run_id: int | None
    policy: str
    steps: list[Step]
    last: Retraining | None
    queue: list[Queued]


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is tried.

    Attributes:
        name: For people: ``last:90d``, ``continue`` or ``2013-07``.
        window: Which rows it learns from.
        start: `full`, `continue` or `refit`.
        until: Where these rows end, epoch ms.
        judged: Start and end of the rows that judge it, epoch ms.
        validated: Start and end of the rows that end its training early; None where its rounds are fixed.
    """

    name: str
    window: str
    start: Literal["full", "continue", "refit"] = "full"
    until: int
    judged: tuple[int, int]
    validated: tuple[int, int] | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one try, beside the champion on the same rows.

    Attributes:
        learnt: Rows it learnt from; judged: rows that judged it.
        rounds: Rounds of trees it has.
        cpu_seconds: Processor time of its training, all threads; seconds: of the clock.
        why: Why there are no figures; empty where there are.
    """

    name: str
    learnt: int
    judged: int
    rounds: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    figures: list[Figure] = []
    why: str = ""

    @property
    def main(self) -> Figure | None:
        """The measure that is told first."""
        return self.figures[0] if self.figures else None


class Mean(msgspec.Struct, frozen=True, kw_only=True):
    """The mean gain of a measure over several spans, with its 95 % interval.

    Attributes:
        low, high: By Student's t over the spans, each counted as one observation; of a single span its own interval.
        money: What all its judged rows together would have brought, None where no value is declared.
    """

    metric: str
    spans: int
    gain: float
    low: float | None
    high: float | None
    better: int
    money: float | None


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """A study: what is tried, in order, and what came of it so far.

    Attributes:
        state, doing, progress: Of its job.
    """

    id: int
    kind: StudyKind
    endpoint: str
    model: str
    champion_version: int
    plan: list[Try]
    points: list[Point]
    who: str
    job_id: int | None
    created_at: int
    state: str
    doing: str
    progress: float | None

    @property
    def mean(self) -> Mean | None:
        """The mean gain over the tries of a backtest; None for another study, or before the first."""
        from lemnis.engine.monitor.retraining.studied import mean_gain

        return mean_gain(self.points) if self.kind == "backtest" else None

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all trainings so far."""
        return sum(point.cpu_seconds for point in self.points)
