"""Which column that is gone came back under which new name: by how alike the names and the values are. Pure."""

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.monitor.schema.records import Profile
from lemnis.engine.monitor.schema.units import UnitGuess, guess_unit

Numbers = NDArray[np.float64]

LEAST = 20  # values from which a distribution is compared; fewer are only asked whether they could be the column's
SURE = 0.62  # of the mean of both likenesses, from which a pair is called a rename
ALIKE = 0.9  # … or of the values alone, with names at least somewhat alike
SOMEWHAT = 0.25


class Rename(NamedTuple):
    """A pair, how alike names and values are (0 to 1; None where there are too few values), and the unit it came in."""

    was: Profile
    now: Profile
    names: float
    values: float | None
    unit: UnitGuess | None = None

    @property
    def score(self) -> float:
        return self.names if self.values is None else (self.names + self.values) / 2

    @property
    def evidence(self) -> str:
        """What the guess rests on, in words."""
        named = f"names {self.names:.0%} alike"
        if self.values is None:
            return f"{named}; too few values to compare"
        unit = f", taken as {self.unit.words}" if self.unit else ""
        return f"{named}, distributions {self.values:.0%} alike over {self.now.present:,} values{unit}"


def name_likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0 to 1: letters and digits alone, whatever their case and order of words."""
    split = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower() for name in (one, other)]
    words = [sorted(re.findall(r"[a-z]+|[0-9]+", name)) for name in split]
    plain = ["".join(re.findall(r"[a-z0-9]", name.lower())) for name in (one, other)]
    if plain[0] == plain[1] or words[0] == words[1]:
        return 1.0
    if not plain[0] or not plain[1]:
        return 0.0
    ordered = difflib.SequenceMatcher(None, plain[0], plain[1]).ratio()
    shorter, longer = sorted(plain, key=len)
    held = len(shorter) >= 3 and (longer.startswith(shorter) or longer.endswith(shorter))
    return max(ordered, 0.8 if held else 0.0)


def value_likeness(was: Profile, now: Profile) -> float | None:
    """Return how alike two distributions are, 0 to 1: of numbers 1 − KS, of texts the shares they have in common.

    None where too few values are known to say anything but that they are of one type; 0 where they are not.
    """
    if now.holds == "nothing" or was.holds == "nothing":
        return None
    if now.holds != was.holds:
        return 0.0
    if now.present < LEAST or was.present < LEAST:
        return None
    if was.quantiles and now.quantiles:
        return 1.0 - quantile_ks(was.quantiles, now.quantiles)
    if was.codes and now.codes:
        before, after = sum(was.codes.values()), sum(now.codes.values())
        shared = sum(min(rows / before, now.codes.get(code, 0) / after) for code, rows in was.codes.items())
        if was.whole:
            return shared
        known = sum(code in was.codes for code in now.codes) / len(now.codes)
        return max(shared, known)
    return None


def quantile_ks(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the largest difference of two cumulated distributions, each known by its quantiles at equal steps.

    It is off by a step at most where many values are equal, by less elsewhere.
    """
    first, second = np.asarray(one, float), np.asarray(other, float)
    at = np.concatenate([first, second])
    pairs = zip(cumulated(at, first), cumulated(at, second), strict=True)
    return float(max(np.abs(mine - theirs).max() for mine, theirs in pairs))


def cumulated(at: Numbers, quantiles: Numbers) -> tuple[Numbers, Numbers]:
    """Return the shares below each value, and up to and with it; between two quantiles they rise evenly."""
    steps = len(quantiles) - 1
    low = np.searchsorted(quantiles, at, side="left")
    up = np.searchsorted(quantiles, at, side="right")
    place = np.clip(up, 1, steps)
    left, right = quantiles[place - 1], quantiles[place]
    part = np.where(right > left, np.clip((at - left) / np.where(right > left, right - left, 1.0), 0.0, 1.0), 0.0)
    smooth = np.where(up == 0, 0.0, np.where(up > steps, 1.0, (place - 1 + part) / steps))
    tied = up - low > 1  # several quantiles are this very value: a jump
    return np.where(tied, low / (steps + 1), smooth), np.where(tied, up / (steps + 1), smooth)


def find_renames(gone: Sequence[Profile], fresh: Sequence[Profile]) -> list[Rename]:
    """Return the pairs that are a rename, the surest first; each column is in one pair at most.

    Args:
        gone: Columns that are no longer there.
        fresh: Columns that were not there before.
    """
    pairs = [pair for was in gone for now in fresh if is_rename(pair := paired(was, now))]
    found: list[Rename] = []
    for pair in sorted(pairs, key=lambda one: -one.score):
        if all(pair.was.name != one.was.name and pair.now.name != one.now.name for one in found):
            found.append(pair)
    return found


def paired(was: Profile, now: Profile) -> Rename:
    """Return how alike two columns are, in another unit where that explains the values."""
    names, values = name_likeness(was.name, now.name), value_likeness(was, now)
    if values is not None and values < ALIKE and was.holds == now.holds == "number":
        unit = guess_unit(was.quantiles, now.quantiles)
        if unit is not None:
            converted = [value * unit.conversion.factor + unit.conversion.offset for value in was.quantiles]
            return Rename(was, now, names, 1.0 - quantile_ks(sorted(converted), now.quantiles), unit)
    return Rename(was, now, names, values)


def is_rename(pair: Rename) -> bool:
    """Say whether a pair is alike enough; names must say more where the values can't."""
    if pair.values is None:
        return pair.names >= 0.75
    return pair.values >= 0.5 and (pair.score >= SURE or (pair.values >= ALIKE and pair.names >= SOMEWHAT))
