"""Guesses that a number came in another unit, from the quantiles of before and after. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEAST = 30  # values on either side; fewer say nothing of a distribution
FAR = 1.0  # ranges of the middle half: from this distance on a column has moved so far that a unit is asked for
CLOSE = 0.3  # how near the converted values must come
MILD_CLOSE = 0.1  # of a conversion that moves values by less than a factor of MILD, which drift could do too
MILD = 2.5
NEAR = 0.1  # conversions this close are told apart by nobody
BETTER = 4.0  # how much nearer than without a conversion


class Conversion(NamedTuple):
    """What turns the usual values into those that came: usual × factor + offset."""

    words: str
    factor: float
    offset: float = 0.0


KNOWN = (
    *(Conversion(f"{factor:,} times as large", factor) for factor in (10, 100, 1_000, 10_000, 1_000_000)),
    *(Conversion(f"1/{factor:,} of what it was", 1 / factor) for factor in (10, 100, 1_000, 10_000, 1_000_000)),
    Conversion("°F instead of °C", 1.8, 32.0),
    Conversion("°C instead of °F", 1 / 1.8, -32 / 1.8),
    Conversion("K instead of °C", 1.0, 273.15),
    Conversion("°C instead of K", 1.0, -273.15),
    Conversion("K instead of °F", 1 / 1.8, 273.15 - 32 / 1.8),
    Conversion("kilometres instead of miles", 1.609344),
    Conversion("miles instead of kilometres", 1 / 1.609344),
    Conversion("metres instead of feet", 0.3048),
    Conversion("feet instead of metres", 1 / 0.3048),
    Conversion("centimetres instead of inches", 2.54),
    Conversion("inches instead of centimetres", 1 / 2.54),
    Conversion("kilograms instead of pounds", 0.45359237),
    Conversion("pounds instead of kilograms", 1 / 0.45359237),
    Conversion("m/s instead of mph", 0.44704),
    Conversion("mph instead of m/s", 1 / 0.44704),
    Conversion("km/h instead of m/s", 3.6),
    Conversion("m/s instead of km/h", 1 / 3.6),
    Conversion("hPa instead of inHg", 33.8639),
    Conversion("inHg instead of hPa", 1 / 33.8639),
    Conversion("seconds instead of minutes, or minutes of hours", 60.0),
    Conversion("minutes instead of seconds, or hours of minutes", 1 / 60),
    Conversion("seconds instead of hours", 3_600.0),
    Conversion("hours instead of seconds", 1 / 3_600),
    Conversion("hours instead of days", 24.0),
    Conversion("days instead of hours", 1 / 24),
)


class UnitGuess(NamedTuple):
    """A conversion; how far the values are from it, and from no conversion, in ranges of the middle half.

    `others` explain the values nearly as well, which the words tell.
    """

    conversion: Conversion
    distance: float
    unconverted: float
    others: tuple[Conversion, ...] = ()

    @property
    def words(self) -> str:
        if not self.others:
            return self.conversion.words
        named = " or ".join(one.words for one in (self.conversion, *self.others)[:3])
        return f"about × {self.conversion.factor:.2g}: {named}"


def distance_of(usual: Sequence[float], came: Sequence[float], conversion: Conversion) -> float:
    """Return the mean distance of quantiles after a conversion, in ranges of the converted middle half.

    The outermost quantiles are left out: one wild value must not hide a unit.

    Args:
        usual: Quantiles at equal steps, ascending, at least five.
        came: As `usual`, of the values that came.
        conversion: Applied to `usual`.
    """
    expected = np.asarray(usual, float)[1:-1] * conversion.factor + conversion.offset
    seen = np.asarray(came, float)[1:-1]
    middle = len(expected) // 4
    spread = abs(float(expected[-1 - middle] - expected[middle])) or abs(float(expected[-1] - expected[0]))
    return float(np.abs(seen - expected).mean()) / (spread or 1.0)


def guess_unit(usual: Sequence[float], came: Sequence[float]) -> UnitGuess | None:
    """Return the conversion that explains values which have moved far; None where none does, or they have not.

    Args:
        usual: Quantiles at equal steps, ascending; empty for none.
        came: As `usual`, of the values that came.
    """
    if len(usual) < 5 or len(came) != len(usual) or came[0] == came[-1]:
        return None
    same = Conversion("", 1.0)
    away = max(distance_of(usual, came, same), distance_of(came, usual, same))  # whichever spread is the narrower
    if away < FAR:
        return None
    best = min(KNOWN, key=lambda one: distance_of(usual, came, one))
    distance = distance_of(usual, came, best)
    mild = 1 / MILD < best.factor < MILD
    if distance > (MILD_CLOSE if mild else CLOSE) or distance * BETTER > away:
        return None
    others = [one for one in KNOWN if one is not best and distance_of(usual, came, one) <= max(2 * distance, NEAR)]
    return UnitGuess(best, distance, away, tuple(others))
