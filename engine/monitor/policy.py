"""When a distance is drift: the verdict of a feature and of a window, with the rule in words. Pure."""

from collections.abc import Iterable

from lemnis.engine.distances import CONFIDENCE, psi_noise
from lemnis.engine.monitor.records import Verdict

IMPORTANT_SHARE = 0.05  # a feature with at least this share of the model's gain is important


def drift_threshold(bound: float, bins: int, reference_rows: int, rows: int) -> float:
    """Return the PSI from which a feature counts: the declared bound, or the sampling noise where that is larger."""
    return max(bound, psi_noise(bins, reference_rows, rows, CONFIDENCE))


def feature_verdict(psi: float, *, watch: float, drift: float, rows: int, min_rows: int) -> Verdict:
    """Return the verdict of one feature.

    Args:
        psi: Population stability index against the reference.
        watch: Threshold of `watch`, noise included.
        drift: Threshold of `drift`, noise included.
        rows: Rows of the window.
        min_rows: Below it nothing is said.
    """
    if rows == 0:
        return "no data"
    if rows < min_rows:
        return "insufficient"
    return "drift" if psi >= drift else "watch" if psi >= watch else "ok"


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
    if drifted:
        return "watch", f"{listed(drifted)} drifted; the model hardly uses {'it' if len(drifted) == 1 else 'them'}"
    if watched:
        return "watch", f"{listed(watched)} moved"
    return "ok", "no feature moved beyond its threshold"


def listed(names: list[str], most: int = 3) -> str:
    """Return names as a phrase: ``a, b, c and 4 more``."""
    if len(names) <= most:
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def rule_in_words(*, bound: float, threshold: float, bins: int, reference_rows: int, rows: int) -> str:
    """Return the sentence that says when this feature counts as drifted, and where the number comes from."""
    noise = psi_noise(bins, reference_rows, rows, CONFIDENCE)
    source = f"psi_drift = {bound:g} of [monitor]" if threshold <= bound else "the sampling noise, which is larger"
    return (
        f"Drift when the PSI is at least {threshold:.3f}: {source}. "
        f"Without drift, {rows:,} rows in {bins} bins against {reference_rows:,} stay below {noise:.3f} "
        f"in {CONFIDENCE:.1%} of windows (chi-square with {bins - 1} degrees of freedom)."
    )
