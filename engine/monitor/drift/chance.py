"""What chance alone brings about: tails of the Kolmogorov and chi-square laws, and many tests at once. Pure."""

import math
from collections.abc import Sequence

LONGEST = 1_000  # terms of a series; some dozens are enough


def kolmogorov_survival(x: float) -> float:
    """Return the chance that Kolmogorov's statistic, distance times root of rows, is above x.

    Source: Kolmogorov (1933); the series and, for small x, its other form.
    """
    if x <= 0:
        return 1.0
    if x < 1.18:
        terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, 5))
        return min(max(1 - math.sqrt(2 * math.pi) / x * sum(terms), 0.0), 1.0)
    return min(2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 5)), 1.0)


def chi_square_survival(x: float, freedom: int) -> float:
    """Return the chance that a chi-square with this freedom is above x.

    Source: the regularised incomplete gamma function, by its series or Lentz's continued fraction.
    """
    a, z = freedom / 2, x / 2
    if z <= 0:
        return 1.0
    front = math.exp(a * math.log(z) - z - math.lgamma(a))
    if z < a + 1:
        term = total = 1 / a
        for k in range(1, LONGEST):
            term *= z / (a + k)
            total += term
            if term < total * 1e-15:
                break
        return max(1 - front * total, 0.0)
    b = z + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for k in range(1, LONGEST):
        b += 2
        d = 1 / (b - k * (k - a) * d)
        c = b - k * (k - a) / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that, of what is at most q, a share of at most q on average is chance.

    Never below the p-value, in its order.

    Source: Benjamini and Hochberg (1995).
    """
    tests = len(p_values)
    adjusted = [0.0] * tests
    least = 1.0
    order = sorted(range(tests), key=lambda place: -p_values[place])
    for rank, place in zip(range(tests, 0, -1), order, strict=True):
        least = min(least, p_values[place] * tests / rank)
        adjusted[place] = least
    return adjusted
