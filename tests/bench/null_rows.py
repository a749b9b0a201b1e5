"""Rows of 20 features in which nothing drifts: normal, heavy-tailed, discrete and categorical, alone or following on.

NumPy alone, so that a peer's environment makes the very same rows.
"""

from statistics import NormalDist

import numpy as np

NORMAL, HEAVY, DISCRETE, CATEGORICAL = range(0, 6), range(6, 10), range(10, 14), range(14, 20)
FEATURES = 20
NAMES = [f"f{place:02}" for place in range(FEATURES)]
MONDAY, HOUR_MS = 1_735_516_800_000, 3_600_000  # 2024-12-30, epoch ms
WINDOW_SEED = 7_000  # of the first windows in which nothing drifts
AT_ONCE = 500_000  # rows of windows that are made together
STICKY = 0.9  # AR(1): a row's correlation with the row before it


def normal_rows(chance, windows, rows, sticky):
    """Return standard normal numbers, shape (windows, rows, 20), each row correlated by `sticky` with the last."""
    noise = chance.standard_normal((windows, rows, FEATURES))
    if sticky:
        scale = np.sqrt(1 - sticky * sticky)
        for row in range(1, rows):
            noise[:, row] = sticky * noise[:, row - 1] + scale * noise[:, row]
    return noise


def null_windows(seed, windows, rows, sticky=0.0, shift=0.0):
    """Return windows of rows, shape (windows, rows, 20); `shift` moves the first feature by so many sd."""
    chance = np.random.default_rng(seed)
    found = normal_rows(chance, windows, rows, sticky)
    found[..., 0] += shift
    for place in HEAVY:
        column = found[..., place]
        found[..., place] = np.exp(1.5 * column) if place % 2 else column**3
    for place in DISCRETE:  # Poisson-like counts: few values, many ties
        found[..., place] = np.floor(np.exp(0.5 * found[..., place] + (place - 9) * 0.4))
    for place in CATEGORICAL:
        found[..., place] = np.searchsorted(RANKS[place], found[..., place])
    return found


def streamed_windows(seed, windows, rows, sticky=0.0):
    """Yield windows of rows, shape (rows, 20); whoever asks for fewer gets the first of the same."""
    together = max(1, AT_ONCE // rows)
    for first in range(0, windows, together):
        yield from null_windows((seed, first), together, rows, sticky)[: windows - first]


def hourly(weeks, rows):
    """Return moments, epoch ms, of so many rows in each hour of some weeks from a Monday on."""
    return MONDAY + np.arange(weeks * 168 * rows) * HOUR_MS // rows


def rows_of_hours(moments, seed, shift=0.0):
    """Return load, noise and channel at some moments: load and channel follow the hour, and weekends have less load."""
    chance = np.random.default_rng(seed)
    hour = (moments - MONDAY) // HOUR_MS % 168
    noise = chance.standard_normal((2, len(hour)))
    load = 1.5 * np.sin(2 * np.pi * (hour % 24) / 24) - 1.0 * (hour >= 120) + noise[0] + shift
    channel = chance.random(len(hour)) < 0.2 + 0.6 * (hour % 24 < 12)
    return np.column_stack([load, noise[1], channel])


def ranks_of(kinds):
    """Return the standard normal quantiles that cut off so many kinds, each rarer than the one before."""
    weights = 1 / np.arange(1, kinds + 1)
    return np.array([NormalDist().inv_cdf(float(level)) for level in np.cumsum(weights / weights.sum())[:-1]])


RANKS = {place: ranks_of(2 + 3 * (place - CATEGORICAL[0])) for place in CATEGORICAL}
