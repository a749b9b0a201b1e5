"""The only place that asks for the time: epoch milliseconds for facts, monotonic seconds for durations."""

import time
from datetime import UTC, datetime
from pathlib import Path


def now_ms() -> int:
    """Return the wall-clock time in milliseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Return seconds of the monotonic clock: only differences inside one process mean anything."""
    return time.monotonic()


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
