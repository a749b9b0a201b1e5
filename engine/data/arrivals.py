"""The acquisition plan against what arrived: rows expected and held, and what is late by its cadence. Pure."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.config import CADENCES, Acquisition
from lemnis.engine.data.snapshots import Snapshot

DAY_MS = 86_400_000
SHORT = 0.95  # of the rows that were expected; below it the arrival counts as short

# waiting: nothing arrived yet; late: the next arrival is overdue; short: fewer rows than expected; arrived: neither.
State: TypeAlias = Literal["waiting", "late", "short", "arrived"]


class Arrival(Struct, frozen=True, kw_only=True):
    """One source of the plan and what came of it.

    Attributes:
        expected_rows: 0 when the plan names no number.
        rows: Rows of the newest snapshot; None when nothing arrived.
        arrived_at: When its content was first seen, epoch ms.
        due_at: When the next content is due by the cadence; None without one, or before the first arrival.
        why: The state in words.
    """

    source: str
    cadence: str
    expected_rows: int
    owner: str
    note: str
    rows: int | None
    arrived_at: int | None
    due_at: int | None
    state: State
    why: str

    @property
    def share(self) -> float | None:
        """Rows that arrived per row expected; None when either is unknown."""
        return self.rows / self.expected_rows if self.rows is not None and self.expected_rows else None


def arrivals(plan: list[Acquisition], snapshots: Mapping[str, Snapshot], now: int) -> list[Arrival]:
    """Return every line of the plan with what arrived.

    Args:
        plan: The acquisition plan.
        snapshots: What each source held at its last sync.
        now: Epoch ms.
    """
    return [_arrival(line, snapshots.get(line.source), now) for line in plan]


def _arrival(line: Acquisition, snapshot: Snapshot | None, now: int) -> Arrival:
    period = CADENCES.get(line.cadence.strip().lower())
    due = snapshot.created_at + period if snapshot and period else None
    state, why = _judged(line, snapshot, due, now)
    return Arrival(
        source=line.source,
        cadence=line.cadence,
        expected_rows=line.expected_rows,
        owner=line.owner,
        note=line.note,
        rows=snapshot.rows if snapshot else None,
        arrived_at=snapshot.created_at if snapshot else None,
        due_at=due,
        state=state,
        why=why,
    )


def _judged(line: Acquisition, snapshot: Snapshot | None, due: int | None, now: int) -> tuple[State, str]:
    if snapshot is None:
        return "waiting", "nothing arrived yet"
    if due is not None and now > due:
        days = (now - due) / DAY_MS
        return "late", f"overdue by {days:.0f} days" if days >= 2 else f"overdue by {days * 24:.0f} hours"
    if line.expected_rows and snapshot.rows < SHORT * line.expected_rows:
        return "short", f"{line.expected_rows - snapshot.rows:,} rows fewer than expected"
    return "arrived", "as planned" if line.expected_rows else "arrived"
