"""Windows of event time: which minute, hour, day, week or month (in UTC) a moment belongs to. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

Tier: TypeAlias = Literal["minute", "hour", "day"]
Width: TypeAlias = Literal["minute", "hour", "day", "week", "month"]

TIERS: tuple[Tier, ...] = get_args(Tier)
WIDTHS: tuple[Width, ...] = get_args(Width)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
TIER_MS: dict[Tier, int] = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}


def tier_of(width: Width) -> Tier:
    """Return the widest kept counts that a window of this width is the sum of: weeks and months are made of days."""
    return width if width in TIER_MS else "day"  # pyright: ignore[reportReturnType]  # narrowed by the test


def span_of(ms: int, width: Width) -> tuple[int, int]:
    """Return start and end of the window that holds a moment, epoch ms; weeks start on Monday, the end is outside."""
    if width in TIER_MS:
        return ms - ms % TIER_MS[width], ms - ms % TIER_MS[width] + TIER_MS[width]
    start = datetime.fromtimestamp(ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if width == "week":
        start -= timedelta(days=start.weekday())
        return as_ms(start), as_ms(start + timedelta(days=7))
    start = start.replace(day=1)
    return as_ms(start), as_ms((start + timedelta(days=32)).replace(day=1))


def as_ms(moment: datetime) -> int:
    """Return a moment as epoch milliseconds."""
    return round(moment.timestamp() * 1000)


class Spans:
    """Finds the window of many moments; rows near each other in time cost a comparison each."""

    def __init__(self, width: Width) -> None:
        self.width: Width = width
        self._last = (1, 0)

    def start(self, ms: int) -> int:
        """Return the start of the window that holds a moment."""
        if not self._last[0] <= ms < self._last[1]:
            self._last = span_of(ms, self.width)
        return self._last[0]
