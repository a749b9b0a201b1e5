"""An alert's way from pending over firing and acknowledged to resolved, as a function of the windows. Pure."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["pending", "firing", "acknowledged", "resolved"]

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


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the windows together say: settled ones are counted, the last open one only raises suspicion.

    Attributes:
        breaches: Settled windows in a row, up to the latest, that break the rule.
        clears: Settled windows in a row, up to the latest, that keep it.
        suspected: The newest window that can say something breaks the rule, settled or not.
        window: The one that speaks for the rule: the newest, or the newest settled one when only that breaks it.
        value: Of that window.
        last_settled: The newest settled window.
    """

    breaches: int
    clears: int
    suspected: bool
    window: Place | None
    value: float | None
    last_settled: Place | None


class Step(msgspec.Struct, frozen=True):
    """One change of state and the sentence that says why."""

    state: State
    why: str


def breaks(value: float, *, above: float | None, below: float | None) -> bool:
    """Say whether a value breaks the rule; a value on the bound keeps it."""
    return (above is not None and value > above) or (below is not None and value < below)


def weigh(readings: Sequence[Reading], *, above: float | None, below: float | None, after: Place | None) -> Evidence:
    """Sum up the windows for one rule.

    Args:
        readings: One per window, in any order; those without a value are passed over.
        above: The upper bound, or None.
        below: The lower bound, or None; one of the two is set.
        after: Only later windows count; None counts all. Set it to the window an alert was resolved in, so that the
            windows which were resolved don't raise it again.
    """
    told = sorted(
        (reading for reading in readings if reading.value is not None and (after is None or reading.window > after)),
        key=lambda reading: reading.window,
    )
    verdicts = [breaks(reading.value or 0.0, above=above, below=below) for reading in told]
    settled = [verdict for verdict, reading in zip(verdicts, told, strict=True) if reading.settled]
    run = 0
    for verdict in reversed(settled):
        if verdict != settled[-1]:
            break
        run += 1
    suspected, broken = bool(verdicts and verdicts[-1]), bool(settled and settled[-1])
    last_settled = next((reading for reading in reversed(told) if reading.settled), None)
    speaks = last_settled if broken and not suspected else told[-1] if told else None
    return Evidence(
        breaches=run if broken else 0,
        clears=0 if broken else run,
        suspected=suspected,
        value=speaks.value if speaks else None,
        window=speaks.window if speaks else None,
        last_settled=last_settled.window if last_settled else None,
    )


def steps(state: State | None, evidence: Evidence, windows: int, *, opened: Place | None = None) -> list[Step]:
    """Return the changes of state that follow, in order; an empty list when nothing changes.

    Without an open alert (`state` is None or resolved) the first breach makes it pending, also in a window that still
    receives rows. `windows` settled windows in a row make it fire, as many make a firing or acknowledged one resolved.
    A pending one is dropped by the first window settled since `opened` that keeps the rule, not before: a value that
    crosses its bound to and fro inside one window makes one alert.
    """
    changes: list[Step] = []
    current = None if state == "resolved" else state
    if current is None and (evidence.suspected or evidence.breaches):
        current = "pending"
        changes.append(Step("pending", "the newest window breaks the rule"))
    if current == "pending" and evidence.breaches >= windows:
        changes.append(Step("firing", in_a_row(evidence.breaches, "breaks", "break")))
    elif state == "pending" and evidence.clears and settled_since(opened, evidence) and not evidence.suspected:
        changes.append(Step("resolved", "the window closed within the bound before the alert fired"))
    elif current in ("firing", "acknowledged") and evidence.clears >= windows:
        changes.append(Step("resolved", in_a_row(evidence.clears, "keeps", "keep")))
    return changes


def settled_since(opened: Place | None, evidence: Evidence) -> bool:
    """Say whether a window that is not older than `opened` has settled."""
    return evidence.last_settled is not None and (opened is None or evidence.last_settled >= opened)


def in_a_row(count: int, one: str, many: str) -> str:
    """Return ``2 windows in a row break the rule``."""
    return f"1 window {one} the rule" if count == 1 else f"{count} windows in a row {many} the rule"
