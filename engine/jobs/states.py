"""The states of a job and of a service, and how long a service that dies waits. Pure."""

from typing import Literal, TypeAlias

JobState: TypeAlias = Literal["queued", "preparing", "running", "finished", "failed", "cancelled", "lost"]
ServiceState: TypeAlias = Literal["starting", "up", "backing off", "failed", "down"]

ENDED: frozenset[JobState] = frozenset({"finished", "failed", "cancelled", "lost"})
LIVE: frozenset[JobState] = frozenset({"preparing", "running"})

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
GIVE_UP_AFTER = 5  # quick deaths in a row; a minute up forgets them
STEADY_S = 60.0


def back_off_seconds(deaths: int) -> float:
    """Return how long to wait before restart number `deaths` (1 is the first), from 1 s to 60 s."""
    return BACK_OFF_S[min(max(deaths, 1), len(BACK_OFF_S)) - 1]
