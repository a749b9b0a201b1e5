"""Distances between two distributions over the same bins, and how large they get by chance. Pure NumPy."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

CONFIDENCE = 0.999  # of 1,000 comparisons without drift, one exceeds the noise by chance
FLOOR = 1e-6  # the share an empty bin counts as, so that the logarithm is finite
PSEUDO_COUNT = 0.5  # Jeffreys' prior: half a row is added to every bin


def smoothed_shares(counts: Numbers) -> Numbers:
    """Return the share of rows per bin after adding half a row to every bin, shape (k,), summing to 1.

    The half row (Jeffreys' prior) keeps a bin that one side never saw from dominating the distance; it moves a share
    by at most ``k / 2 / rows``.

    Args:
        counts: Rows per bin, shape (k,), each at least 0.

    Raises:
        ValueError: A count is negative or NaN, or there is no bin.
    """
    if counts.size == 0 or not (counts >= 0).all():
        raise ValueError("need one count per bin, none negative")
    raised = counts + PSEUDO_COUNT
    return raised / raised.sum()


def population_stability_index(p: Numbers, q: Numbers) -> float:
    """Return the PSI between reference shares `p` and current shares `q`, in nats.

    At least 0, symmetric, unchanged when bins are reordered, and 0 exactly when p and q agree above FLOOR.

    Args:
        p: Share of rows per bin, shape (k,), each in [0, 1], summing to 1.
        q: As `p`, over the same bins.

    Raises:
        ValueError: The shapes differ, or a share is NaN or outside [0, 1].

    Source: the Jeffreys divergence, sum((q - p) ln(q / p)); empty bins use FLOOR.
    """
    refuse_shares(p, q)
    p, q = np.maximum(p, FLOOR), np.maximum(q, FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def jensen_shannon_distance(p: Numbers, q: Numbers) -> float:
    """Return the Jensen–Shannon distance: 0 for equal shares, 1 for shares without a common bin.

    Symmetric, unchanged when bins are reordered, and a metric: it obeys the triangle inequality.

    Args:
        p: Share of rows per bin, shape (k,), each in [0, 1], summing to 1.
        q: As `p`, over the same bins.

    Raises:
        ValueError: The shapes differ, or a share is NaN or outside [0, 1].

    Source: Endres and Schindelin (2003): the square root of the divergence in bits.
    """
    refuse_shares(p, q)
    middle = (p + q) / 2
    divergence = (entropy_against(p, middle) + entropy_against(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def entropy_against(p: Numbers, q: Numbers) -> float:
    """Return the relative entropy of `p` to `q` in bits; bins that are empty in `p` count nothing."""
    held = p > 0
    return float(np.sum(p[held] * np.log2(p[held] / q[held])))


def refuse_shares(p: Numbers, q: Numbers) -> None:
    """Raise ValueError unless both are lists of shares over the same bins."""
    if p.shape != q.shape or not all(bool(((s >= 0) & (s <= 1)).all()) for s in (p, q)):
        raise ValueError(f"need two equal lists of shares, got {p.shape}, {q.shape}")


def psi_noise(bins: int, reference_rows: int, rows: int, confidence: float) -> float:
    """Return the PSI that two samples of one distribution stay below with this confidence.

    Without drift, ``PSI · nm / (n + m)`` follows a chi-square with ``bins - 1`` degrees of freedom, so the PSI of a
    small window is large by chance alone: 0.14 for 10 bins and 200 rows at 99.9 %.

    Args:
        bins: Bins that both sides were counted in.
        reference_rows: Rows of the reference, n.
        rows: Rows of the window, m.
        confidence: In (0, 1).

    Source: Yurdakul and Naranjo (2020), "Statistical properties of the population stability index".
    """
    if bins < 2 or reference_rows < 1 or rows < 1:
        return 0.0
    return chi_square_quantile(confidence, bins - 1) * (1 / reference_rows + 1 / rows)


def chi_square_quantile(confidence: float, freedom: int) -> float:
    """Return the chi-square quantile; within 2 % of the exact one for confidences of 0.95 to 0.999.

    Args:
        confidence: In (0, 1).
        freedom: Degrees of freedom, at least 1.

    Source: Wilson and Hilferty (1931); the first two degrees have closed forms.
    """
    if freedom == 1:
        return NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    if freedom == 2:
        return -2 * math.log(1 - confidence)
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + NormalDist().inv_cdf(confidence) * math.sqrt(spread)) ** 3


def quantile_edges(values: Numbers, bins: int) -> Numbers:
    """Return the inner edges that cut `values` into at most `bins` bins of equal weight, shape (at most bins - 1,).

    Edges are distinct and lie above the smallest value, so that no bin of the reference is empty by construction;
    a column of few distinct values gets fewer bins.

    Args:
        values: Finite numbers, shape (n,); may be empty.
        bins: At least 2.
    """
    if values.size == 0:
        return np.empty(0)
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="higher")
    edges = np.unique(edges)
    return edges[edges > values.min()]


def edge_labels(edges: Sequence[float]) -> list[str]:
    """Return one short name per bin between inner edges, the outer ones open: ``< 1``, ``1 – 2``, ``≥ 2``."""
    if not len(edges):
        return ["any"]
    inner = [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)]
    return [f"< {edges[0]:.4g}", *inner, f"≥ {edges[-1]:.4g}"]
