"""Windows of event time: which hour, day, week or month (in UTC) a moment belongs to. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

Width: TypeAlias = Literal["hour", "day", "week", "month"]
HOUR_MS = 3_600_000


def span_of(ms: int, width: Width) -> tuple[int, int]:
    """Return start and end of the window that holds a moment, epoch ms; weeks start on Monday, the end is outside."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    start = moment.replace(minute=0, second=0, microsecond=0)
    if width == "hour":
        return as_ms(start), as_ms(start + timedelta(hours=1))
    start = start.replace(hour=0)
    if width == "day":
        return as_ms(start), as_ms(start + timedelta(days=1))
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
