"""Traffic: how much is sent to the terminal, in how many pictures, and how long it takes to answer."""

import math
from collections import deque

SLOW_S = 0.080  # a round trip from which a link counts as slow
ASKED_AGAIN = 2  # a slow first answer may be the start's own doing
LEAST_RARE, MOST_RARE = 3, 10  # times more rarely than near the engine


class Traffic:
    """Counts what is written in the last seconds, and keeps the best round trip.

    Attributes:
        round_trip_s: The shortest time the terminal took to answer; None before it did.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self.round_trip_s: float | None = None
        self._written: deque[tuple[float, int, bool]] = deque()
        self._asked_s: float | None = None
        self._answers = 0

    def wrote(self, now_s: float, size: int, *, picture: bool) -> None:
        """Count a piece of output of so many bytes."""
        self._written.append((now_s, size, picture))
        self._forget(now_s)

    def asked(self, now_s: float) -> None:
        """Remember when the terminal was asked."""
        self._asked_s = now_s

    def answered(self, now_s: float) -> bool:
        """Take the answer's time; returns whether to ask once more before the link is called slow."""
        if self._asked_s is None:
            return False
        took, self._asked_s = now_s - self._asked_s, None
        self.round_trip_s = took if self.round_trip_s is None else min(took, self.round_trip_s)
        self._answers += 1
        return self.slow and self._answers <= ASKED_AGAIN

    @property
    def slow(self) -> bool:
        """Whether the terminal is far away."""
        return self.round_trip_s is not None and self.round_trip_s > SLOW_S

    def rates(self, now_s: float) -> tuple[float, float]:
        """Return bytes and pictures a second over the last seconds."""
        self._forget(now_s)
        size = sum(size for _, size, _ in self._written)
        return size / self.seconds, sum(picture for *_, picture in self._written) / self.seconds

    def _forget(self, now_s: float) -> None:
        while self._written and self._written[0][0] < now_s - self.seconds:
            self._written.popleft()


def rarer(round_trip_s: float | None) -> int:
    """Return how many times more rarely things are read again on a slow link: by its round trip, 3 to 10 times."""
    return min(MOST_RARE, max(LEAST_RARE, math.ceil((round_trip_s or 0.0) / SLOW_S)))
