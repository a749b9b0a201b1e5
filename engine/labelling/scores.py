"""What makes a row worth a label: an unsure model, two models that differ, bins that moved. Pure."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


def entropy(probabilities: Numbers) -> Numbers:
    """Return the entropy of each row's class probabilities as a share of the largest possible, in [0, 1], shape (n,).

    Args:
        probabilities: Shape (n, k), k at least 2, each row summing to 1.

    Source: Shannon (1948); uncertainty sampling as in Settles (2009), "Active learning literature survey", 3.1.
    """
    held = np.clip(probabilities, 1e-15, 1.0)
    return np.clip(-(held * np.log(held)).sum(axis=1) / np.log(probabilities.shape[1]), 0.0, 1.0)


def margin(probabilities: Numbers) -> Numbers:
    """Return 1 minus the lead of the likeliest class over the next, in [0, 1], shape (n,): 1 is a tie.

    Args:
        probabilities: Shape (n, k), k at least 2, each row summing to 1.

    Source: Scheffer, Decomain and Wrobel (2001), "Active hidden Markov models for information extraction".
    """
    best = np.partition(probabilities, -2, axis=1)[:, -2:]
    return 1.0 - (best[:, 1] - best[:, 0])


def disagreement(one: Numbers, two: Numbers) -> Numbers:
    """Return the total variation between two models' class probabilities, in [0, 1], shape (n,).

    Args:
        one: Probabilities of the first model, shape (n, k).
        two: Those of the second, the classes in the same order.

    Raises:
        ValueError: The shapes differ.
    """
    if one.shape != two.shape:
        raise ValueError(f"need two equal tables of probabilities, got {one.shape} and {two.shape}")
    return 0.5 * np.abs(one - two).sum(axis=1)


def moved(reference: Numbers, current: Numbers) -> Numbers:
    """Return each bin's part of the population stability index where it holds more rows than before, else 0.

    Args:
        reference: Rows per bin before, shape (k,); one half is added to every bin, so that no part is infinite.
        current: Rows per bin now.
    """
    p = (reference + 0.5) / (reference.sum() + 0.5 * reference.size)
    q = (current + 0.5) / (current.sum() + 0.5 * current.size)
    return np.where(q > p, (q - p) * np.log(q / p), 0.0)


def label_issues(probabilities: Numbers, given: Places) -> tuple[Places, Places, Numbers]:
    """Return the rows whose given label is probably wrong, the class each should have, and how sure that is.

    A row is an issue when another class than the given one is above its threshold and is the likeliest of those that
    are; the threshold of a class is the mean probability of that class over the rows that are labelled with it. The
    rows come most certain first, by the lead of the other class over the given one.

    Args:
        probabilities: Out-of-fold class probabilities, shape (n, k): no row's own label was seen by its model.
        given: Given classes as places 0 … k - 1, shape (n,).

    Returns:
        Places of rows, classes as places, and leads in (-1, 1]; all of shape (issues,).

    Source: Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels", the
    confident joint (3.1) and its off-diagonal ranked by normalized margin (3.2).
    """
    classes = probabilities.shape[1]
    thresholds = np.full(classes, np.inf)
    for place in range(classes):
        own = given == place
        if own.any():
            thresholds[place] = probabilities[own, place].mean()
    confident = np.where(probabilities >= thresholds - 1e-12, probabilities, -np.inf)
    likely = confident.argmax(axis=1)
    best = confident.max(axis=1)
    found = np.flatnonzero(np.isfinite(best) & (likely != given))
    leads = probabilities[found, likely[found]] - probabilities[found, given[found]]
    order = np.argsort(-leads, kind="stable")
    return found[order], likely[found][order], leads[order]
