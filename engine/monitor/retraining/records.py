"""What is known of retrainings, as records: what was decided, what it learnt from, and how the challenger did."""

from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.retraining.policy import Decision

Start: TypeAlias = Literal["full", "continue", "refit"]
Outcome: TypeAlias = Literal["", "challenger", "promoted"]
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
