"""A moment as a person types it, in their own zone: `2026-11-01 03:00`, `yesterday 3:00`, `14:30`, `2h ago`. Pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from lemnis.engine.errors import BadInput

AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\w*(?:\s+ago)?")
SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
CLOCK = re.compile(r"(?:(today|yesterday)\s*)?(?:(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
EXAMPLES = "2026-11-01 03:00, yesterday 3:00, 14:30 or 2h ago"


def moment_ms(text: str, now_ms: int, zone: tzinfo | None = None) -> int:
    """Return the moment that a text means, epoch ms; without a zone of its own it is of `zone`, else of this machine.

    Raises:
        BadInput: It is no time.
    """
    said = " ".join(text.lower().split())
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    ago, clock = AGO.fullmatch(said), CLOCK.fullmatch(said)
    try:
        if ago is not None:
            then = now - timedelta(seconds=float(ago[1]) * SECONDS[ago[2]])
        elif clock is not None and said:
            day = now - timedelta(days=clock[1] == "yesterday")
            hour, minute, second = (int(part or 0) for part in clock.groups()[1:])
            then = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
        else:
            then = datetime.fromisoformat(text.strip())
        then = then if then.tzinfo or zone is None else then.replace(tzinfo=zone)
        return round(then.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise BadInput(f"{text!r} is no time.", f"Write for example {EXAMPLES}.") from None


def moment_text(ms: int) -> str:
    """Return a moment (epoch ms) as ISO 8601 in UTC, exact, so that `moment_ms` gives it again."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
