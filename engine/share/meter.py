"""How far a transfer is: bytes of all bytes, and the time that is left."""

from lemnis.engine.clock import monotonic_s
from lemnis.engine.jobs.context import JobContext

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Meter:
    """Counts moved bytes into a job's progress; called with a number of bytes it may raise Cancelled."""

    def __init__(self, context: JobContext, total: int, doing: str) -> None:
        """Start at nothing of `total` bytes; `doing` is what is done, for people."""
        self.context, self.total, self.doing = context, total, doing
        self.moved = self.held = 0
        self._began = monotonic_s()

    def __call__(self, count: int) -> None:
        """Take note of bytes that were moved.

        Raises:
            Cancelled: The job was asked to stop; what was moved stays, and the next attempt goes on from there.
        """
        self.moved += count
        share = min(1.0, self.moved / self.total) if self.total else 1.0
        self.context.progress(share, f"{self.doing}, {size_text(self.moved)} of {size_text(self.total)}{self._left()}")

    def had(self, count: int) -> None:
        """Take note of bytes that were there already."""
        self.held += count
        self(count)

    def _left(self) -> str:
        seconds, moved = monotonic_s() - self._began, self.moved - self.held
        if seconds < 1 or moved <= 0:
            return ""
        left = seconds / moved * max(0, self.total - self.moved)
        return f", {left:.0f} s left" if left < 120 else f", {left / 60:.0f} min left"


def size_text(count: float) -> str:
    """Return a number of bytes for people: ``12.3 MiB``."""
    place = 0
    while count >= 1024 and place < len(UNITS) - 1:
        count, place = count / 1024, place + 1
    return f"{count:,.0f} {UNITS[place]}" if place == 0 else f"{count:,.1f} {UNITS[place]}"
