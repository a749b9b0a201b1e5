"""What a rule would have done: its way through the windows there were, as the watch would have gone it. Pure."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.monitor.alerting.states import RAISED, Bound, Place, Reading, State, steps, weigh

MONTH_DAYS = 30.0


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One time the rule would have fired.

    Attributes:
        began: Start of the first window that broke the rule, epoch ms; fired: of the one that made it fire.
        ended: Start of the window that resolved it; None where it fires still.
        worst: The value farthest beyond the bound.
        windows: How many windows broke the rule.
        flapped: It would have been held as flapping.
    """

    began: int
    fired: int
    ended: int | None
    worst: float
    windows: int
    flapped: bool


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have done on one endpoint.

    Attributes:
        days: Time from the first window that was looked at to the end of the last; 0 without any.
        windows: Complete windows that could say something; silent: those that could not (too few rows or labels).
        firings: Oldest first.
    """

    endpoint: str
    days: float
    windows: int
    silent: int
    firings: list[Firing]

    @property
    def per_month(self) -> float | None:
        """Firings in 30 days at this rate; None without a day of windows."""
        return len(self.firings) * MONTH_DAYS / self.days if self.days >= 1 else None


class Course:
    """Walks a rule over windows, one after the other, and keeps each time it fires."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.firings: list[Firing] = []
        self._state: State | None = None
        self._after: Place | None = None
        self._opened: Place | None = None
        self._recent: list[Reading] = []

    def take(self, reading: Reading) -> None:
        """Let one more complete window speak."""
        longest = max(self.bound.windows, self.bound.keep, self.bound.flap_windows) + 1
        self._recent = [*self._recent[-longest:], reading]
        evidence = weigh(self._recent, self.bound, after=self._after)
        for step in steps(self._state, evidence, self.bound, opened=self._opened):
            if step.state == "pending":
                self._opened, self._after = reading.window, None
            elif step.state == "firing":
                opened = self._opened or reading.window
                self.firings.append(
                    Firing(
                        began=opened[0], fired=reading.window[0], ended=None, worst=reading.value or 0.0,
                        windows=evidence.breaches - bool(evidence.suspected), flapped=evidence.flaps,
                    )
                )  # fmt: skip
            elif step.state == "resolved":
                self._after = reading.window
                if self._state in RAISED:
                    self.firings[-1] = msgspec.structs.replace(self.firings[-1], ended=reading.window[0])
            self._state = step.state
        if self._state in RAISED:
            self.firings[-1] = grown(self.firings[-1], reading, evidence.suspected, evidence.flaps, self.bound)


def grown(firing: Firing, reading: Reading, broken: bool, flaps: bool, bound: Bound) -> Firing:
    """Return a firing with one more window of it."""
    value = reading.value or 0.0
    worst = max(firing.worst, value) if bound.above is not None else min(firing.worst, value)
    windows = firing.windows + int(broken)
    return msgspec.structs.replace(firing, worst=worst, windows=windows, flapped=firing.flapped or flaps)


def rehearse(bound: Bound, readings: Sequence[Reading], *, endpoint: str, width_ms: int) -> Rehearsal:
    """Return what a rule would have done.

    Args:
        bound: What the rule asks.
        readings: One per window, in any order; those that are not settled are left out, as those still change.
        endpoint: Whose windows they are.
        width_ms: How long a window lasts.
    """
    settled = sorted((reading for reading in readings if reading.settled), key=lambda reading: reading.window)
    course = Course(bound)
    for reading in settled:
        if reading.value is not None:
            course.take(reading)
    told = sum(reading.value is not None for reading in settled)
    span = settled[-1].window[0] + width_ms - settled[0].window[0] if settled else 0
    return Rehearsal(
        endpoint=endpoint, days=span / 86_400_000, windows=told, silent=len(settled) - told, firings=course.firings
    )
