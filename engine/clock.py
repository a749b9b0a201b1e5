"""The only place that asks for the time: epoch milliseconds for facts, monotonic seconds for durations."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path


def now_ms() -> int:
    """Return the wall-clock time in milliseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Return seconds of the monotonic clock: only differences inside one process mean anything."""
    return time.monotonic()


def boottime_s() -> float:
    """Return seconds of the clock that goes on while the machine sleeps; the monotonic one where there is none."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class AwakeClock:
    """Seconds that a process which looks again and again was awake: what it slept through is not counted.

    A suspended machine, a paused container and a stopped process leave a gap between two looks. Whoever waits for
    another process by this clock grants it the rest of its time afterwards, as both slept.
    """

    def __init__(self, clock: Callable[[], float] = boottime_s, *, longest_s: float = 5.0) -> None:
        """Begin at 0. Of a gap between two looks at most `longest_s` count."""
        self._clock, self._longest = clock, longest_s
        self._seen, self._awake = clock(), 0.0

    def look(self) -> float:
        """Count the time since the last look; return how many seconds of it were slept through."""
        now = self._clock()
        gap, self._seen = max(now - self._seen, 0.0), now
        counted = min(gap, self._longest)
        self._awake += counted
        return gap - counted

    def __call__(self) -> float:
        """Return the seconds awake until the last look."""
        return self._awake


def iso_utc(ms: int) -> str:
    """Return a time as ISO 8601 in UTC with a trailing Z, to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_ms(text: str) -> int:
    """Return epoch milliseconds of an ISO 8601 date or date-time; a time without a zone is UTC.

    Raises:
        ValueError: The text is not a date.
    """
    when = datetime.fromisoformat(text)
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def boot_id() -> str:
    """Return the kernel's id of this boot; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
