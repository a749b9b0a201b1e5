"""An alert's way from pending over firing, taken or held, to resolved, as a function of windows and holds. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["pending", "firing", "acknowledged", "silenced", "inhibited", "flapping", "resolved"]
Condition: TypeAlias = Literal["ok", "no data", "insufficient"]  # of a rule that raises nothing
RAISED: tuple[State, ...] = ("firing", "acknowledged", "silenced", "inhibited", "flapping")  # fired and not resolved

Place: TypeAlias = tuple[int, int]  # a window's start and the model version it was served by; larger is later


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one window says about one rule.

    Attributes:
        window: Where the window stands in time.
        value: The metric, or None when the window can't say (too few rows or labels).
        settled: No more rows (or labels, for a metric that needs them) are expected.
    """

    window: Place
    value: float | None
    settled: bool


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule asks: the bound (one of the two is set), and how many windows in a row raise and end an alert.

    Attributes:
        flap_changes, flap_windows: More changes of the verdict in so many settled windows are flapping.
    """

    above: float | None = None
    below: float | None = None
    windows: int = 1
    keep: int = 1
    flap_changes: int = 3
    flap_windows: int = 8


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the windows together say: settled ones are counted, the last open one only raises suspicion.

    Attributes:
        breaches: Settled windows in a row, up to the latest, that break the rule.
        clears: Settled windows in a row, up to the latest, that keep it.
        flaps: The verdict changes too often, also over windows that were resolved.
        suspected: The newest window that can say something breaks the rule, settled or not.
        window: The one that speaks for the rule: the newest, or the newest settled one when only that breaks it.
        value: Of that window.
        last_settled: The newest settled window.
    """

    breaches: int
    clears: int
    flaps: bool
    suspected: bool
    window: Place | None
    value: float | None
    last_settled: Place | None

    @property
    def broken(self) -> bool:
        """The window that speaks breaks the rule."""
        return self.suspected or self.breaches > 0


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a raised alert from asking for somebody; everything empty: nothing.

    Attributes:
        silence: The silence in force, in words.
        inhibitor: The rule whose alert explains it.
        taken: Who has acknowledged it, in words, while that is in force.
    """

    silence: str = ""
    inhibitor: str = ""
    taken: str = ""
    flaps: bool = False


class Step(msgspec.Struct, frozen=True):
    """One change of state and the sentence that says why."""

    state: State
    why: str


def breaks(value: float, bound: Bound) -> bool:
    """Say whether a value breaks the rule; a value on the bound keeps it."""
    return (bound.above is not None and value > bound.above) or (bound.below is not None and value < bound.below)


def weigh(readings: Sequence[Reading], bound: Bound, *, after: Place | None) -> Evidence:
    """Sum up the windows for one rule.

    Args:
        readings: One per window, in any order; those without a value are passed over.
        bound: What the rule asks.
        after: Only later windows count; None counts all. Set it to the window an alert was resolved in, so that the
            windows which were resolved don't raise it again.
    """
    known = sorted((reading for reading in readings if reading.value is not None), key=lambda reading: reading.window)
    told = [reading for reading in known if after is None or reading.window > after]
    verdicts = [breaks(reading.value or 0.0, bound) for reading in told]
    settled = [verdict for verdict, reading in zip(verdicts, told, strict=True) if reading.settled]
    run = 0
    for verdict in reversed(settled):
        if verdict != settled[-1]:
            break
        run += 1
    suspected, broken = bool(verdicts and verdicts[-1]), bool(settled and settled[-1])
    last_settled = next((reading for reading in reversed(told) if reading.settled), None)
    speaks = last_settled if broken and not suspected else told[-1] if told else None
    lately = [breaks(r.value or 0.0, bound) for r in known if r.settled][-bound.flap_windows :]
    return Evidence(
        breaches=run if broken else 0,
        clears=0 if broken else run,
        flaps=sum(one != next_ for one, next_ in pairwise(lately)) > bound.flap_changes,
        suspected=suspected,
        value=speaks.value if speaks else None,
        window=speaks.window if speaks else None,
        last_settled=last_settled.window if last_settled else None,
    )


def steps(state: State | None, evidence: Evidence, bound: Bound, *, opened: Place | None = None) -> list[Step]:
    """Return the changes of state that the windows ask for, in order; an empty list when nothing changes.

    Without an open alert (`state` is None or resolved) the first breach makes it pending, also in a window that still
    receives rows. `windows` settled windows in a row raise it; a raised one is resolved by `keep` in a row that keep
    the rule, unless it flaps. A pending one is dropped by the first window settled since `opened` that keeps the rule,
    not before: a value that crosses its bound to and fro inside one window makes one alert.
    """
    changes: list[Step] = []
    current = None if state == "resolved" else state
    if current is None and (evidence.suspected or evidence.breaches):
        current = "pending"
        changes.append(Step("pending", "the newest window breaks the rule"))
    if current == "pending" and evidence.breaches >= bound.windows:
        changes.append(Step("firing", in_a_row(evidence.breaches, "breaks", "break")))
    elif state == "pending" and evidence.clears and settled_since(opened, evidence) and not evidence.suspected:
        changes.append(Step("resolved", "the window closed within the bound before the alert fired"))
    elif current in RAISED and evidence.clears >= bound.keep and not evidence.flaps:
        changes.append(Step("resolved", in_a_row(evidence.clears, "keeps", "keep")))
    return changes


def held(state: State, holds: Holds) -> Step | None:
    """Return how a raised alert changes because of what holds it or no longer does; None when it stays as it is.

    A silence goes before an inhibition, that before an acknowledgement, that before flapping.
    """
    if state not in RAISED:
        return None
    wanted = Step("firing", ENDED.get(state, "it fires"))
    if holds.silence:
        wanted = Step("silenced", holds.silence)
    elif holds.inhibitor:
        wanted = Step("inhibited", f"{holds.inhibitor} fires, which explains it")
    elif holds.taken:
        wanted = Step("acknowledged", f"still {holds.taken}")
    elif holds.flaps:
        wanted = Step("flapping", "its windows break and keep the rule by turns: it is held and told once")
    return None if wanted.state == state else wanted


ENDED: dict[State, str] = {
    "acknowledged": "the acknowledgement ended and it still fires",
    "silenced": "the silence ended and it still fires",
    "inhibited": "what explained it is over and it still fires",
    "flapping": "its windows agree again",
}


def settled_since(opened: Place | None, evidence: Evidence) -> bool:
    """Say whether a window that is not older than `opened` has settled."""
    return evidence.last_settled is not None and (opened is None or evidence.last_settled >= opened)


def in_a_row(count: int, one: str, many: str) -> str:
    """Return ``2 windows in a row break the rule``."""
    return f"1 window {one} the rule" if count == 1 else f"{count} windows in a row {many} the rule"
