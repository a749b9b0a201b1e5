"""When a distance is drift: large enough, no chance, and lasting; of a feature and of a window, in words. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from lemnis.engine.monitor.records import Verdict

IMPORTANT_SHARE = 0.05  # a feature with at least this share of the model's gain is important
SIGNIFICANT = 0.01  # of the features suspected in a window, the share that may be chance
LOOKED_AT, NEEDED = 3, 2  # a feature drifts when it is suspected in this window and in so many of the last in all


class Suspicion(msgspec.Struct, frozen=True):
    """What one window says of one feature: p adjusted over all features, and whether it is suspected."""

    p_adjusted: float
    suspected: bool


def suspicions(found: Sequence[tuple[float, float, float]]) -> list[Suspicion]:
    """Return which features of a window are suspected: an effect of at least its threshold that is not chance.

    Args:
        found: Effect, threshold and p-value of each feature.
    """
    from lemnis.engine.monitor.drift.chance import benjamini_hochberg

    adjusted = benjamini_hochberg([p for _, _, p in found])
    return [
        Suspicion(p, effect >= threshold and p <= SIGNIFICANT)
        for (effect, threshold, _), p in zip(found, adjusted, strict=True)
    ]


def drifting(suspected: Sequence[bool]) -> bool:
    """Say whether a suspicion lasts: the newest window has it, and NEEDED of the last LOOKED_AT.

    Args:
        suspected: Of one feature, window by window, the newest last.
    """
    return bool(suspected) and suspected[-1] and sum(suspected[-LOOKED_AT:]) >= NEEDED


def feature_verdict(suspected: Sequence[bool], *, rows: int, min_rows: int) -> Verdict:
    """Return the verdict of one feature; the first suspicion is `watch`, never `drift`.

    Args:
        suspected: Window by window, this one last.
        rows: Rows of the window.
        min_rows: Below it nothing is said.
    """
    if rows == 0:
        return "no data"
    if rows < min_rows:
        return "insufficient"
    return "drift" if drifting(suspected) else "watch" if suspected[-1] else "ok"


def window_verdict(features: Iterable[tuple[str, Verdict, float]], rows: int, min_rows: int) -> tuple[Verdict, str]:
    """Return the verdict of a window and why.

    An important feature that drifts makes the window drift; drift that only touches features the model hardly uses
    makes it watch, as does an important feature to watch.

    Args:
        features: Name, verdict and share of the model's gain (0 to 1) of each feature, the prediction included.
        rows: Rows of the window.
        min_rows: Below it nothing is said.
    """
    if rows == 0:
        return "no data", "no rows in this window"
    if rows < min_rows:
        return "insufficient", f"{rows:,} rows, {min_rows:,} are needed"
    found = sorted(features, key=lambda entry: -entry[2])
    drifted = [name for name, verdict, _ in found if verdict == "drift"]
    important = [name for name, verdict, share in found if verdict == "drift" and share >= IMPORTANT_SHARE]
    watched = [name for name, verdict, share in found if verdict == "watch" and share >= IMPORTANT_SHARE]
    if important:
        return "drift", f"{listed(important)} drifted"
    if watched:
        return "watch", f"{listed(watched)} moved for the first time in {LOOKED_AT} windows"
    if drifted:
        return "watch", f"{listed(drifted)} drifted; the model hardly uses {'it' if len(drifted) == 1 else 'them'}"
    return "ok", "no feature moved beyond its threshold"


def moved_order(verdict: Verdict, importance: float | None, times_bound: float) -> tuple[int, float]:
    """Return by what features are ordered, ascending, so that what moved most comes first wherever it is told.

    What makes a window's verdict stands before the rest, as `window_verdict` weighs it: drift of an important feature,
    one to watch, drift of one that is hardly used; among these the one farthest beyond its own bound.

    Args:
        verdict: Of the feature.
        importance: Its share of the model's gain, 0 to 1; None for the prediction.
        times_bound: Its deciding score, in bounds from which it is suspected.
    """
    important = importance is None or importance >= IMPORTANT_SHARE
    weighs = {"drift": 3 if important else 1, "watch": 2 if important else 0}.get(verdict, 0)
    return -weighs, -times_bound


def listed(names: list[str], most: int = 3) -> str:
    """Return names as a phrase: ``a, b, c and 4 more``."""
    if len(names) <= most:
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def rule_in_words(
    *,
    score: str,
    floor: float,
    chance: float,
    rows: int,
    past: tuple[int, int] | None,
    alarms: str,
    against: str = "",
) -> str:
    """Return the sentence that says when this feature counts as drifted, and where the numbers come from.

    Args:
        score: The deciding score's name.
        floor: The declared least effect.
        chance: What chance alone stays below in 99 % of windows of this size.
        rows: Of this window.
        past: Windows of the training rows that chance was measured in and the largest size of them; None when there
            were too few rows and independent rows are assumed.
        alarms: How often the rule alarmed on past windows, as `alarms_in_words` has it.
        against: Which training rows the window is compared with, and why; empty where nothing is said of it.
    """
    source = (
        f"measured in {past[0]:,} past windows of up to {past[1]:,} consecutive training rows"
        if past
        else "for independent rows; there are too few training rows to measure it"
    )
    return (
        f"Suspected when the {score} distance is at least {max(floor, chance):.3f} and p, adjusted over the features, "
        f"at most {SIGNIFICANT:g}: drift when that is so in {NEEDED} of {LOOKED_AT} windows, this one included; watch "
        f"before. The bound is the larger of effect = {floor:g} of [monitor] and {chance:.3f}, below which 99 % of "
        f"windows of {rows:,} rows stay by chance, {source}. It {alarms}."
    ) + (f" Compared with {against}." if against else "")


def alarms_in_words(alarmed: int | None, runs: int | None) -> str:
    """Return how often the rule alarmed on runs of past windows, where nothing had changed."""
    if alarmed is None or not runs:
        return "could not be tried on past windows"
    return f"alarmed in {alarmed} of {runs} runs of past windows"
