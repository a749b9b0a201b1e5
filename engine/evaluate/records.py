"""What the Evaluate room hands out: evaluations of a run's parts, importances, and explanations of single rows."""

from msgspec import Struct

from lemnis.engine.models.kinds import Method

Point = list[float]
LEVEL = 0.05


class PairedTest(Struct, frozen=True, kw_only=True):
    """One measure of a model and of the baseline on the same rows.

    Attributes:
        delta: value - base; None where one is not defined.
        better: Whether the difference is for the better; None where it is neither.
        low, high: 95 % interval of the difference; p: two-sided, for this test alone. None where there is no test.
        method: DeLong, paired bootstrap or infinitesimal jackknife; empty where there is no test.
        adjusted: p after Holm's correction over the runs that are compared by this measure.
    """

    metric: str
    base: float | None
    value: float | None
    delta: float | None
    better: bool | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    method: str = ""
    adjusted: float | None = None

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``higher``, ``lower``, ``indistinguishable``, ``identical``; empty without a test."""
        if self.adjusted is None or self.delta is None:
            return ""
        if not self.delta and self.low == self.high:
            return "identical"
        if self.adjusted >= LEVEL:
            return "indistinguishable"
        words = {True: "better", False: "worse", None: "higher" if self.delta > 0 else "lower"}
        return words[self.better]


class Pair(Struct, frozen=True, kw_only=True):
    """A run against a baseline.

    Attributes:
        rows: How many were scored by both, of `of` that have a target.
        blocks: What was drawn together: days or rows; `block_count` of them.
        tests: Every measure, the task's first measure first.
    """

    run_id: int
    baseline_id: int
    part: str
    rows: int
    of: int
    blocks: str
    block_count: int
    tests: list[PairedTest]
    at: int = 0


class Significance(Struct, frozen=True, kw_only=True):
    """What can be said of runs against the baseline, the first of them.

    Attributes:
        part: The held-out rows: validation or test; empty while it is not known which there are.
        parts: The parts that the baseline was scored on.
        pairs: By run; with p adjusted over all pairs here.
        refused: By run, why it can't be tested against the baseline.
        missing: Runs that could be tested but were not yet.
        warning: What a reader must know of several tests; empty for one run.
    """

    baseline_id: int
    part: str
    parts: list[str]
    pairs: dict[int, Pair]
    refused: dict[int, str]
    missing: list[int]
    warning: str


class Month(Struct, frozen=True, kw_only=True):
    """The model on the rows of one calendar month (UTC).

    Attributes:
        name: ``2013-07``.
        part: The part of the split these rows lie in; empty for rows after all parts.
        positive_share: Share of positives, 0..1; the mean for regression.
        metrics: Measures by name, None where not defined.
    """

    name: str
    rows: int
    part: str
    positive_share: float
    metrics: dict[str, float | None]


class Speed(Struct, frozen=True, kw_only=True):
    """How fast the model answers on this machine, measured; a request's row is read, encoded and predicted.

    Attributes:
        latency_p50_ms, latency_p99_ms: One row at a time on one thread, milliseconds.
        rows_per_s: Rows of a table at once on `batch_cores` threads.
        load_ms: Reading the model file and building the model.
    """

    latency_p50_ms: float
    latency_p99_ms: float
    latency_calls: int
    rows_per_s: float
    batch_rows: int
    batch_cores: int
    model_bytes: int
    load_ms: float


class Baseline(Struct, frozen=True, kw_only=True):
    """What a model must beat on the same rows.

    Attributes:
        name: constant, last value, champion.
        words: What it answers, for people.
        why: Why there is none; empty where there is.
        warning: What a reader must know of its measures.
        rows: How many were judged.
        tests: Every measure: `base` of the baseline, `value` of the model, their difference and its interval; p is
            adjusted over the baselines.
    """

    name: str
    words: str = ""
    why: str = ""
    warning: str = ""
    rows: int = 0
    tests: list[PairedTest] = []


class Bin(Struct, frozen=True, kw_only=True):
    """Rows that were told about the same probability.

    Attributes:
        said: Mean probability.
        was: Share of positives; `low` and `high` its 95 % interval.
    """

    said: float
    was: float
    rows: int
    low: float
    high: float


class Reliability(Struct, frozen=True, kw_only=True):
    """What probabilities are worth: bins of equally many rows, and the Brier score taken apart.

    Attributes:
        ece: Mean |said - was| over the bins, by rows.
        off, apart, spread: Brier score = off (bins away from the diagonal) - apart (bins away from the mean) + spread
            (of the target itself), up to what differs within a bin.
    """

    bins: list[Bin]
    ece: float
    brier: float
    off: float
    apart: float
    spread: float


class CalibrationMap(Struct, frozen=True, kw_only=True):
    """A map of probabilities: what it would change on rows that neither model nor map has seen.

    Attributes:
        method: isotonic, platt; of several classes temperature, isotonic.
        rows: Validation rows it was fitted on.
        points, classes: As `ProbabilityMap` has them.
        tests: `base` is the model as it is, `value` with the map; p is for each test alone.
        wins: Brier score and log loss get better with their whole interval: only then it is worth it.
    """

    method: Method
    rows: int
    points: list[Point]
    tests: list[PairedTest]
    wins: bool
    classes: list[list[Point]] = []


class Calibration(Struct, frozen=True, kw_only=True):
    """How far a model's probabilities can be believed, on one part; `why` says why no map was fitted.

    Attributes:
        reliability: Of the probability of yes; of several classes of the class that was answered, right or wrong.
        classes: Of several classes each one against all others.
    """

    part: str
    blocks: str
    reliability: Reliability
    maps: list[CalibrationMap] = []
    why: str = ""
    classes: dict[str, Reliability] = {}


class Evaluation(Struct, frozen=True, kw_only=True):
    """A run's model on one part of a dataset version.

    Attributes:
        rows: Rows with a target that were measured; a bounded sample of a large training part.
        metrics: Measures by name, None where not defined.
        intervals: 95 % interval by measure, drawn over `blocks` (days or rows).
        roc: [false positive rate, true positive rate]; pr: [recall, precision].
        calibration: [mean probability, share of positives, rows] by bin.
        sweep: [threshold, TP, FP, FN, TN, money per 1,000 rows], thresholds rising.
        confusion: By name for two classes.
        labels, matrix: Classes and [actual][answer] counts for several classes.
        threshold: From which a probability is answered with yes; `best_threshold` is the one that earns most.
        days: UTC days that have rows; None without a time column.
        worst_month: Name of the month with the poorest first metric; months, speed, baselines and what is `calibrated`
            are on the last part only.
    """

    run_id: int
    version_id: str
    part: str
    rows: int
    metrics: dict[str, float | None]
    created_at: int
    intervals: dict[str, list[float]] = {}
    blocks: str = ""
    roc: list[Point] = []
    pr: list[Point] = []
    calibration: list[Point] = []
    sweep: list[Point] = []
    confusion: dict[str, float] = {}
    labels: list[str] = []
    matrix: list[list[int]] = []
    threshold: float | None = None
    best_threshold: float | None = None
    currency: str = ""
    speed: Speed | None = None
    months: list[Month] = []
    worst_month: str = ""
    days: int | None = None
    baselines: list[Baseline] = []
    calibrated: Calibration | None = None


class Importance(Struct, frozen=True, kw_only=True):
    """What a feature does in a run's model: gain and splits in training, mean |contribution| on later rows."""

    feature: str
    gain: float
    splits: int
    contribution: float | None


class Contribution(Struct, frozen=True, kw_only=True):
    """What one feature's value adds to the raw score of one row; `value` is the value as text, empty if missing."""

    feature: str
    value: str
    amount: float


class Explanation(Struct, frozen=True, kw_only=True):
    """Why the model answers one row as it does: `bias` and all contributions sum to the raw score.

    Attributes:
        key: The row's key, or #number in the version.
        kind: Why it was picked: missed, false alarm, right, far off, asked.
        score: The probability of `answer`, or the predicted number.
        raw: The model's score before it is turned into a probability (log odds for two classes).
        answer: The class that is explained; empty for regression.
        actual: The true answer as text; empty if unknown.
        contributions: Largest effect first.
    """

    run_id: int
    version_id: str
    key: str
    row: int
    kind: str
    score: float
    raw: float
    bias: float
    answer: str
    actual: str
    contributions: list[Contribution]
