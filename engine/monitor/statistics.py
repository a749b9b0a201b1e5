"""How far a measured figure may be off by chance. Pure."""

import math


def auc_standard_error(auc: float, positives: int, negatives: int) -> float:
    """Return the standard error of a ROC AUC; NaN without both classes.

    Source: Hanley and McNeil (1982).
    """
    if positives < 1 or negatives < 1:
        return math.nan
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc)
    variance += (positives - 1) * (both_positive - auc**2) + (negatives - 1) * (both_negative - auc**2)
    return math.sqrt(max(variance, 0.0) / (positives * negatives))
