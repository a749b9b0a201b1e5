"""Gates: the problem's success criteria, judged on the bound of what was measured, never on luck. Pure."""

import math
from typing import Literal, TypeAlias

from msgspec import Struct

MOST_ROWS = 1e9  # more than that to decide is no answer

Verdict: TypeAlias = Literal["pass", "fail", "not enough data"]


class Gate(Struct, frozen=True, kw_only=True):
    """One criterion and what the model made of it.

    Attributes:
        part: The rows it was judged on: train, validation, test.
        rule: As written, e.g. ``>= 0.70``.
        observed: What was measured; None if it was not.
        low, high: Its 95 % interval; None where it has none.
        why: The verdict in a sentence.
        rows_needed: About how many rows would decide; None where that has no answer.
    """

    metric: str
    part: str
    rule: str
    observed: float | None
    low: float | None = None
    high: float | None = None
    verdict: Verdict
    why: str
    rows_needed: int | None = None


def judge(
    metric: str,
    part: str,
    *,
    least: float | None,
    most: float | None,
    observed: float | None,
    interval: tuple[float, float] | None,
    rows: int,
    reason: str = "",
) -> Gate:
    """Judge one criterion.

    It passes when the whole interval keeps the rule, fails when the whole interval breaks it, and needs more data in
    between. A measure without an interval (a size, a speed) is judged by itself.

    Args:
        metric: Name of the measure.
        part: The rows it was measured on.
        least: The smallest value that is allowed; exactly one of `least` and `most` is given.
        most: The largest.
        observed: What was measured; None or NaN if it was not.
        interval: Low and high bound of 95 %.
        rows: Rows that were measured.
        reason: Why there is no measure, as a sentence.
    """
    bound = least if least is not None else most
    if bound is None:
        raise ValueError("a criterion has a bound")
    sign = 1 if least is not None else -1
    rule = f"{'>=' if sign > 0 else '<='} {bound:g}"
    if observed is None or math.isnan(observed):
        why = reason or f"{metric} could not be measured on the {part} rows."
        return Gate(metric=metric, part=part, rule=rule, observed=None, verdict="not enough data", why=why)
    low, high = interval or (observed, observed)
    worst, best = (low, high) if sign > 0 else (high, low)
    needed: int | None = None
    verdict: Verdict = "not enough data"
    if sign * (worst - bound) >= 0:
        verdict, why = "pass", f"{said(worst, 'unfavourable', interval)} keeps {rule}."
    elif sign * (best - bound) < 0:
        verdict, why = "fail", f"{said(best, 'favourable', interval)} breaks {rule}."
    else:
        keeps = sign * (observed - bound) >= 0
        needed = rows_that_decide(abs((worst if keeps else best) - observed), abs(observed - bound), rows)
        why = undecided(observed, "keeps" if keeps else "breaks", rule, (low, high), needed)
    ends = interval or (None, None)
    return Gate(
        metric=metric, part=part, rule=rule, observed=observed, low=ends[0], high=ends[1], verdict=verdict, why=why,
        rows_needed=needed,
    )  # fmt: skip


def undecided(observed: float, side: str, rule: str, interval: tuple[float, float], needed: int | None) -> str:
    """Say why more rows are needed, and how many if that can be said."""
    more = f"; about {needed:,} rows would decide" if needed else ""
    ends = f"{interval[0]:.4g} to {interval[1]:.4g}"
    return f"{observed:.4g} {side} {rule}, but its 95 % interval {ends} holds both sides{more}."


def said(value: float, end: str, interval: tuple[float, float] | None) -> str:
    """Name the number a verdict rests on."""
    return f"Even the {end} end of its 95 % interval, {value:.4g}," if interval else f"{value:.4g}"


def rows_that_decide(half_width: float, distance: float, rows: int) -> int | None:
    """Return about how many rows shrink an interval's half width to a distance; None when they are too many to say."""
    if half_width >= distance * math.sqrt(MOST_ROWS / max(1, rows)):
        return None
    return math.ceil(rows * (half_width / distance) ** 2)
