"""What the monitor knows, as records: windows with their features, the watch, replays."""

import math
from typing import Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["ok", "watch", "drift", "insufficient", "no data"]
Method: TypeAlias = Literal["kolmogorov_smirnov", "jensen_shannon"]
METHOD_NAMES: dict[Method, str] = {"kolmogorov_smirnov": "KS", "jensen_shannon": "JS"}
PREDICTION = "prediction"  # the name under which the model's answer is listed among the features


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The rows one model version answered in one span of event time.

    Attributes:
        starts, ends: Epoch ms of event time; `ends` is not in the window.
        false_alarms: Runs of three past windows, of `null_runs` with `null_rows` rows a window, in which this rule
            alarmed although they are training rows; None where there are too few of these.
        duplicates: Further rows of a key that was counted before; they are in no figure.
        late: Rows that came after the window had closed; they are counted, and the window was judged again.
        labelled: Rows whose true answer is known.
        max_psi: Largest PSI of a feature; important_psi: of a feature with at least 5 % of the model's gain;
            weighted_psi: mean over the features, weighted by their gain.
        skew: Largest move of the share of an answer or of a feature's value that is no chance, in shares of 1; 0
            without one, None of too few rows. `skewed` names it.
        missing_rise: Largest rise of a feature's missing share over the reference, in shares of 1.
        prediction_mean: Mean score; predicted_share: rows at or above the model's threshold; label_share: positives
            among the labelled rows. `reference_mean` and `reference_share` (of positives) are the held-out rows'.
        roc_auc_error: Standard error of the ROC AUC.
        value_per_1000: Money by the problem's value matrix, for 1,000 labelled rows.
        reference_auc, reference_log_loss: Of the model's held-out rows.
        closed: No more rows are expected; labels_settled: nor labels.
    """

    id: int
    endpoint: str
    model: str
    version: int
    starts: int
    ends: int
    rows: int
    duplicates: int
    labelled: int
    verdict: Verdict
    why: str
    false_alarms: int | None
    null_runs: int | None
    null_rows: int | None
    max_psi: float | None
    important_psi: float | None
    weighted_psi: float | None
    missing_rise: float | None
    prediction_psi: float | None
    prediction_mean: float | None
    predicted_share: float | None
    label_share: float | None
    reference_mean: float | None
    reference_share: float | None
    roc_auc: float | None
    roc_auc_error: float | None
    log_loss: float | None
    brier: float | None
    value_per_1000: float | None
    mean_absolute_error: float | None
    reference_auc: float | None
    reference_log_loss: float | None
    schema_changes: list[str]
    closed: bool
    labels_settled: bool
    computed_at: int
    late: int = 0
    skew: float | None = None
    skewed: str = ""

    @property
    def drift(self) -> float:
        """The verdict as a number that an alert rule can bound: 0 is ok, 0.5 to watch, 1 drift."""
        return {"drift": 1.0, "watch": 0.5}.get(self.verdict, 0.0)

    @property
    def labelled_share(self) -> float:
        """Share of the rows whose true answer is known, 0 to 1."""
        return self.labelled / self.rows if self.rows else 0.0


class Bins(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's distribution: shares per bin of the reference and of the window, each summing to 1."""

    labels: list[str]
    reference: list[float]
    current: list[float]


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far one feature (or the prediction) of a window is from the reference.

    Attributes:
        method: The score that decides, which `score` is; threshold: from which it is suspected; `rule` says it.
        psi: In nats. jensen_shannon: 0 to 1. kolmogorov_smirnov: of a number, 0 to 1. chi_square: of a category, the
            statistic. wasserstein: of a number, in standard deviations of the reference.
        p: Chance of such a score without drift; p_adjusted: over all features (Benjamini–Hochberg).
        suspected: This window alone says so; a suspicion that lasts is drift.
        importance: Share of the model's gain, 0 to 1; None for the prediction.
    """

    window_id: int
    feature: str
    kind: Literal["numeric", "categorical", "prediction"]
    method: Method
    score: float
    psi: float
    jensen_shannon: float
    kolmogorov_smirnov: float | None
    chi_square: float | None
    wasserstein: float | None
    p: float
    p_adjusted: float
    suspected: bool
    threshold: float
    rule: str
    verdict: Verdict
    importance: float | None
    missing_share: float | None
    reference_missing_share: float | None
    bins: Bins

    @property
    def times_bound(self) -> float:
        """The deciding score in bounds: from 1 on it is far enough to be suspected."""
        return in_bounds(self.score, self.threshold)


def in_bounds(score: float, threshold: float) -> float:
    """Return a score in units of its bound, at least 0; infinite beyond a bound of nothing."""
    return score / threshold if threshold > 0 else (math.inf if score > 0 else 0.0)


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """How far the watch has come with one model version of one endpoint.

    Attributes:
        rows: Rows in its windows.
        labelled: Of them with a known answer.
        newest_event: Event time of its newest row, epoch ms; 0 before the first.
        misdated: Rows whose event time can't be true (before 1970, or later than their arrival); they are in no window.
        arrived_at: When the watch last saw a new row or label.
        problem: Why its rows can't be judged; empty when they can.
    """

    endpoint: str
    model: str
    version: int
    rows: int
    labelled: int
    newest_event: int
    newest_label_event: int
    arrived_at: int
    problem: str
    misdated: int = 0


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that is queued or under way: its job, how far it is (0 to 1) and what it says."""

    job_id: int
    endpoint: str
    state: str
    progress: float | None
    text: str
