"""How far labellers agree beyond chance: Cohen's kappa of a pair, Krippendorff's alpha of all. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import NormalDist

from msgspec import Struct

Z = NormalDist().inv_cdf(0.975)  # of a two-sided interval of 95 %


class Agreement(Struct, frozen=True, kw_only=True):
    """One coefficient with its interval.

    Attributes:
        value: 1 for full agreement, 0 for what chance gives, below 0 for less; None where it is not defined: no row in
            common, or one class alone.
        low, high: The 95 % interval, cut at -1 and 1; None where it is not defined.
        n: Rows it is measured over.
        agreed: Of these, rows where all say the same.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    agreed: int


class Pair(Struct, frozen=True, kw_only=True):
    """Two labellers: their kappa and how often the one said `a` where the other said `b`, as {a: {b: rows}}."""

    first: str
    second: str
    kappa: Agreement
    confusion: dict[str, dict[str, int]]


def cohen_kappa(pairs: Iterable[tuple[str, str]]) -> Agreement:
    """Return Cohen's kappa of two labellers over the rows both labelled, with its 95 % interval.

    Args:
        pairs: What the first and the second said of each row.

    Source: Cohen (1960), "A coefficient of agreement for nominal scales"; the standard error that holds where kappa is
    not 0 is that of Fleiss, Cohen and Everitt (1969), "Large sample standard errors of kappa and weighted kappa".
    """
    cells = Counter(pairs)
    n = sum(cells.values())
    agreed = sum(rows for (a, b), rows in cells.items() if a == b)
    if n == 0:
        return Agreement(value=None, low=None, high=None, n=0, agreed=0)
    first, second = Counter[str](), Counter[str]()
    for (a, b), rows in cells.items():
        first[a] += rows
        second[b] += rows
    observed = agreed / n
    expected = sum(first[name] * second[name] for name in first) / n**2
    if expected == 1:
        return Agreement(value=None, low=None, high=None, n=n, agreed=agreed)
    kappa = (observed - expected) / (1 - expected)
    spread = 0.0
    for (a, b), rows in cells.items():
        if a == b:
            spread += rows / n * ((1 - expected) - (first[a] + second[a]) / n * (1 - observed)) ** 2
        else:
            spread += rows / n * (1 - observed) ** 2 * ((second[a] + first[b]) / n) ** 2
    spread -= (observed * expected - 2 * expected + observed) ** 2
    error = math.sqrt(max(0.0, spread) / n) / (1 - expected) ** 2
    return _with_interval(kappa, error, n, agreed)


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> Agreement:
    """Return Krippendorff's alpha for nominal data over the rows that at least two people labelled.

    Any number of people may have labelled a row, each row any of them. The interval is that of the delete-one
    jackknife over the rows.

    Args:
        units: Per row what its labellers said.

    Source: Krippendorff (2011), "Computing Krippendorff's alpha-reliability", the coincidences of nominal data;
    Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 11, for the jackknife.
    """
    tallies = [Counter(unit) for unit in units if len(unit) > 1]
    n, agreed = len(tallies), sum(len(tally) == 1 for tally in tallies)
    totals = Counter[str]()
    matched = 0.0  # the diagonal of the coincidences
    for tally in tallies:
        totals.update(tally)
        matched += _matched(tally)
    squares, values = sum(count**2 for count in totals.values()), sum(totals.values())
    alpha = _alpha(matched, values, squares)
    if alpha is None or n < 2:
        return Agreement(value=alpha, low=None, high=None, n=n, agreed=agreed)
    left_out: list[float] = []
    for tally in tallies:
        rest = squares + sum(count * (count - 2 * totals[name]) for name, count in tally.items())
        without = _alpha(matched - _matched(tally), values - sum(tally.values()), rest)
        if without is None:  # one row alone holds the second class
            return Agreement(value=alpha, low=None, high=None, n=n, agreed=agreed)
        left_out.append(without)
    mean = sum(left_out) / n
    error = math.sqrt((n - 1) / n * sum((value - mean) ** 2 for value in left_out))
    return _with_interval(alpha, error, n, agreed)


def pairwise(said: Mapping[str, Mapping[str, str]]) -> list[Pair]:
    """Return every pair of labellers that have rows in common, the least agreeing first.

    Args:
        said: Per labeller the class of each row by its key.
    """
    found: list[Pair] = []
    for one, two in combinations(sorted(said), 2):
        common = sorted(said[one].keys() & said[two].keys())
        if not common:
            continue
        confusion: dict[str, dict[str, int]] = {}
        for key in common:
            line = confusion.setdefault(said[one][key], {})
            line[said[two][key]] = line.get(said[two][key], 0) + 1
        kappa = cohen_kappa((said[one][key], said[two][key]) for key in common)
        found.append(Pair(first=one, second=two, kappa=kappa, confusion=confusion))
    return sorted(found, key=lambda pair: (pair.kappa.value is None, pair.kappa.value or 0.0))


def wilson_interval(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `hits` in `n` > 0 draws.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _matched(tally: Counter[str]) -> float:
    """Return what one row adds to the diagonal of the coincidences."""
    people = sum(tally.values())
    return sum(count * (count - 1) for count in tally.values()) / (people - 1)


def _alpha(matched: float, values: int, squares: int) -> float | None:
    """Return alpha of a coincidence matrix by its diagonal, its sum and the sum of its squared margins."""
    unlike = values * values - squares
    if values < 2 or unlike <= 0:
        return None
    return 1 - (values - 1) * (values - matched) / unlike


def _with_interval(value: float, error: float, n: int, agreed: int) -> Agreement:
    low, high = max(-1.0, value - Z * error), min(1.0, value + Z * error)
    return Agreement(value=value, low=low, high=high, n=n, agreed=agreed)
