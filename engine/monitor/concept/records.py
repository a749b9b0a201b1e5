"""What is kept of a version's concept: figures with their intervals, and the baseline they are judged against. Pure."""

import math
from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.config import Value
from lemnis.engine.models.kinds import Task

Level: TypeAlias = Literal["stable", "warning", "drift", "better"]
State: TypeAlias = Literal["stable", "warning", "drift"]
Detector: TypeAlias = Literal["ADWIN", "Page-Hinkley", "DDM", "concept"]
MONEY = "value_per_1000"
ANSWERS = ("true_positive", "false_positive", "false_negative", "true_negative")
Z = 1.959963984540054  # standard errors on each side of a 95 % interval


class Figure(msgspec.Struct, frozen=True):
    """One figure with its 95 % interval; no ends where nobody can say."""

    value: float
    low: float | None = None
    high: float | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one window's rows (or of the held-out ones).

    Attributes:
        rows: Rows they are taken from.
        found: Figures by name: roc_auc, log_loss, brier, accuracy; mean_absolute_error, rmse.
        counts: Share of rows by answer, as ANSWERS; empty where the model answers no yes-or-no question.
        covariance: Of these shares, row by row, so that money under any value matrix has its interval; empty where
            nobody can say.
        blocks: What the intervals take together: days or rows.
    """

    rows: int = 0
    found: dict[str, Figure] = {}
    counts: list[float] = []
    covariance: list[float] = []
    blocks: str = "rows"

    def named(self, metric: str, value: Value) -> Figure | None:
        """Return a figure by name, money for 1,000 rows among them; None where there is no such figure."""
        return self.money(value) if metric == MONEY else self.found.get(metric)

    def money(self, value: Value) -> Figure | None:
        """Return what 1,000 rows are worth under a value matrix; None where there are no answers to count."""
        if not self.counts:
            return None
        worth: list[float] = [getattr(value, name) for name in ANSWERS]
        mean = sum(share * one for share, one in zip(self.counts, worth, strict=True))
        if not self.covariance:
            return Figure(1000 * mean)
        pairs = (one * two for one in worth for two in worth)
        variance = sum(part * pair for part, pair in zip(self.covariance, pairs, strict=True))
        reach = 1000 * Z * math.sqrt(max(variance, 0.0))
        return Figure(1000 * mean, 1000 * mean - reach, 1000 * mean + reach)


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """How far truth was from expectation on the held-out rows: variances for one row, days taken together.

    A window of n rows is expected to be off by sqrt(effect * own / n + variance / rows). `own` is the variance of the
    window's rows by themselves, as far as the estimate knows them; `effect` is how many times that the held-out rows
    varied, because rows of one day go together. The second part is what the map is in doubt by itself.

    Attributes:
        rows: Held-out rows.
        variance: By figure, of the held-out rows.
        effect: By figure, at least 1 for a yes-or-no model.
        counts: Covariance of the shares by answer, row by row.
        calibration_error: Expected calibration error of the map on rows it was not fitted on.
    """

    rows: int
    variance: dict[str, float]
    effect: dict[str, float]
    counts: list[float] = []
    calibration_error: float = 0.0

    def error(self, name: str, own: float, rows: int) -> float:
        """Return the standard error of an estimate of so many rows; NaN where it is not known."""
        if name not in self.variance:
            return math.nan
        return math.sqrt(self.effect[name] * own / max(rows, 1) + self.variance[name] / max(self.rows, 1))


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """What losses are compared with: those of the held-out rows.

    Attributes:
        mean, deviation: Of the loss, which is 0 for a right answer and 1 for a wrong one; of a number's distance in
            its own unit.
        miss: Distance from which a number counts as missed; top: the one that counts as 1. Both 1 for classes.
        effect: How much more the mean of many rows varies than if they had nothing in common, at least 1.
    """

    mean: float
    deviation: float
    miss: float = 1.0
    top: float = 1.0
    effect: float = 1.0


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What one model version did on the rows held out of training.

    Attributes:
        held_out: The part of the split they are.
        figures: Of these rows.
        points: Calibration map of a yes-or-no model, fitted on all of them; classes: of each class of several.
        doubt: How far off an estimate made so is; None where none can be made, and `why` says so.
        scale: Of its losses there, for the detectors on the stream of errors.
        error_model: SHA-256 of the model of its absolute errors, for a model of a number.
    """

    task: Task
    threshold: float = 0.5
    held_out: str = ""
    figures: Figures = Figures()
    points: list[list[float]] = []
    classes: list[list[list[float]]] = []
    doubt: Doubt | None = None
    why: str = ""
    scale: Scale | None = None
    error_model: str = ""


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: of a single detector, or of all together (`concept`).

    Attributes:
        level: warning, drift; better where losses fell; stable where a warning was not followed by a drift.
        event_at: Event time of the row it was found at, epoch ms; row: the row's number in the stream, from 1.
        before, after: Mean losses of ADWIN's two parts; None of the others.
    """

    detector: Detector
    level: Level
    event_at: int
    row: int
    before: float | None = None
    after: float | None = None


class Concept(msgspec.Struct, frozen=True, kw_only=True):
    """What the detectors on one version's stream of losses say.

    Attributes:
        state: Of all together.
        rows: Labelled rows that were taken, up to `event_at`, in order of event time.
        waits_ms: How far labels may come out of order without the stream having to be taken up again.
        late: Labels that came later and were taken in order after all; left_out: that came too late for that.
        detections: The latest ones, in order.
    """

    state: State
    rows: int
    event_at: int
    waits_ms: int
    late: int
    left_out: int
    detections: list[Detection]

    @property
    def since(self) -> int | None:
        """Event time at which the state was found; None for a stream that was never anything but stable."""
        found = [one for one in self.detections if one.detector == "concept" and one.level == self.state]
        return found[-1].event_at if found else None
