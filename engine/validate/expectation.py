"""How many rows a table should have by what it had before: a robust interval, and the rule it came from. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from msgspec import Struct

STEPS = 5  # increments below which nothing is said
SAME_DAYS = 6  # earlier deliveries on the same weekday, or
SAME_MONTHS = 5  # in the same month of the year, that make a rule of their own
GROWING = 0.9  # share of increments that are not negative, from which a table counts as one that only grows
LEAST = 0.005  # of the expected rows: no interval is narrower to either side
SCALE = 1.4826  # of the median absolute deviation, to estimate a standard deviation
# Two-sided 99.8 % points of Student's t by degrees of freedom: with few points a spread is poorly known.
QUANTILES = {4: 7.17, 5: 5.89, 6: 5.21, 7: 4.79, 8: 4.50, 9: 4.30, 10: 4.14, 12: 3.93, 15: 3.73, 20: 3.55, 30: 3.39}


class Past(Struct, frozen=True, kw_only=True):
    """What a table held at a time (epoch ms)."""

    at: int
    rows: int


class Expectation(Struct, frozen=True, kw_only=True):
    """The rows that are expected.

    Attributes:
        low, high: The interval, both ends included; empty (0 and -1) when `points` are too few.
        points: How many earlier points it came from.
        rule: How, in words; or what is missing.
    """

    low: int = 0
    high: int = -1
    points: int
    rule: str

    @property
    def known(self) -> bool:
        """Whether there was history enough."""
        return self.high >= self.low


def expected_rows(past: Sequence[Past], at: int) -> Expectation:
    """Return how many rows a table should have at `at` (epoch ms).

    By deliveries on the same weekday, else in the same month, where there are enough of them; else the last number of
    rows and a usual increment. A table that only grows is judged by its increments in each case. The interval is the
    median ± t · 1.4826 · MAD · √(1 + 1/n): about one alarm in 500 for increments that are normal and independent.

    Args:
        past: What it held before, oldest first.
        at: When it was delivered.

    Source: prediction interval of one new observation, with median and MAD in place of mean and deviation
    (Leys et al., 2013, Journal of Experimental Social Psychology 49).
    """
    steps = [after.rows - before.rows for before, after in pairwise(past)]
    if len(steps) < STEPS:
        return Expectation(
            points=len(past), rule=f"{len(past)} earlier of the {STEPS + 1} that a learned interval needs"
        )
    growing = sum(step >= 0 for step in steps) >= GROWING * len(steps)
    seasons: tuple[tuple[str, Callable[[datetime], int], int], ...] = (
        ("%A", datetime.weekday, SAME_DAYS),
        ("%B", lambda day: day.month, SAME_MONTHS),
    )
    today = _day(at)
    for form, season, enough in seasons:
        if len({season(_day(point.at)) for point in past}) == 1:
            continue  # every delivery has this season: it tells nothing apart
        same = [place for place, point in enumerate(past) if place and season(_day(point.at)) == season(today)]
        if len(same) >= max(enough, STEPS if growing else 0):
            word = f"on a {today:{form}}" if form == "%A" else f"in {today:{form}}"
            if growing:
                return _interval([steps[place - 1] for place in same], past[-1].rows, f"increments {word}")
            return _interval([past[place].rows for place in same], 0, f"deliveries {word}")
    return _interval(steps, past[-1].rows, "increments")


def _interval(values: list[int], start: int, what: str) -> Expectation:
    """Return the prediction interval of the next value, added to `start`."""
    middle = median(values)
    spread = SCALE * median([abs(value - middle) for value in values])
    free = max(4, min(30, len(values) - 1))
    quantile = QUANTILES[max(known for known in QUANTILES if known <= free)]
    expected = start + middle
    reach = max(quantile * spread * (1 + 1 / len(values)) ** 0.5, LEAST * abs(expected))
    sign = "+" if start and middle >= 0 else ""
    return Expectation(
        low=max(0, round(expected - reach)),
        high=max(0, round(expected + reach)),
        points=len(values),
        rule=f"median of {len(values)} earlier {what} {sign}{middle:,.0f}, ± {reach:,.0f}",
    )


def _day(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
