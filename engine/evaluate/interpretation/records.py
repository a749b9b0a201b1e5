"""What interpreting hands out: contributions of a sample as histograms, dependence curves, and interactions."""

from typing import Literal

from msgspec import Struct

Tone = Literal["low", "middle", "high", ""]


class Level(Struct, frozen=True, kw_only=True):
    """The rows whose value of a feature is of one kind, and what that value added to their raw score.

    Attributes:
        name: ``low, up to 9``, a category, ``missing``.
        tone: Where on the feature's own scale these values lie; empty for categories and missing values.
        mean: Mean contribution; None without rows.
        counts: Rows by bin of their contribution, from left to right.
    """

    name: str
    tone: Tone
    rows: int
    mean: float | None
    counts: list[int]


class Swarm(Struct, frozen=True, kw_only=True):
    """The contributions of one feature over a sample of rows: a beeswarm as histograms, one a level."""

    feature: str
    mean_absolute: float
    levels: list[Level]

    @property
    def extremes(self) -> tuple[Level, Level] | None:
        """The levels of low and of high values; of categories those that add least and most; None of fewer than 2."""
        known = [level for level in self.levels if level.mean is not None and level.name != "missing"]
        toned = {level.tone: level for level in known if level.tone}
        if "low" in toned and "high" in toned:
            return toned["low"], toned["high"]
        ordered = sorted(known, key=lambda level: level.mean or 0.0)
        return (ordered[0], ordered[-1]) if len(ordered) > 1 else None


class SwarmOutput(Struct, frozen=True, kw_only=True):
    """The swarms of one answer, the feature with the largest mean |contribution| first.

    Attributes:
        answer: The class they push towards; empty for regression.
        edge: The bins share −edge to +edge evenly; the outermost hold what lies beyond.
    """

    answer: str
    edge: float
    swarms: list[Swarm]


class Contributions(Struct, frozen=True, kw_only=True):
    """Global contributions: `rows` of a part, drawn with a seed, and how far each feature pushed each answer."""

    part: str
    rows: int
    outputs: list[SwarmOutput]


class Dependence(Struct, frozen=True, kw_only=True):
    """What the model answers when one feature is set to each of a few values in every row of a sample.

    Attributes:
        names: The values as text; ``missing`` for none.
        values: As numbers; None for a category or a missing value.
        mean: Partial dependence: mean answer at each value, one list an output.
        low, high: 10th and 90th percentile of the single rows' answers (individual conditional expectation).
        centred_low, centred_high: The same of each row's change from its answer at the first value.
        rows: Rows of the sample with each category; for numbers in equally wide bins from the first value to the last.
    """

    feature: str
    names: list[str]
    values: list[float | None]
    mean: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]
    centred_low: list[list[float]]
    centred_high: list[list[float]]
    rows: list[int]


class Dependences(Struct, frozen=True, kw_only=True):
    """Partial dependence and ICE of the features that matter most, over `rows` of a part.

    Attributes:
        answers: The class of each output; one empty text for regression.
    """

    part: str
    rows: int
    answers: list[str]
    features: list[Dependence]


class Interaction(Struct, frozen=True, kw_only=True):
    """How much of two features' joint effect is more than the sum of the two.

    Attributes:
        strength: Root mean square of that part, in raw score.
        share: Friedman's H, 0..1: the root of that part's share of the joint effect; None where there is no effect.
    """

    first: str
    second: str
    strength: float
    share: float | None


class Interactions(Struct, frozen=True, kw_only=True):
    """The interactions of the features that matter most, strongest first.

    Attributes:
        rows: Rows of the sample: each pair was asked about rows times rows.
        features: Which were tried with each other.
        note: Why nothing was computed; empty if it was.
    """

    rows: int
    features: list[str]
    pairs: list[Interaction]
    note: str = ""


class Condition(Struct, frozen=True, kw_only=True):
    """What most rows of a failure type have in common in one feature.

    Attributes:
        low, high: 10th and 90th percentile of a number.
        categories: Those that most rows have; or nothing.
        missing: Most rows have no value.
        tone: Where these values lie among all held-out rows.
    """

    feature: str
    low: float | None = None
    high: float | None = None
    categories: list[str] = []
    missing: bool = False
    tone: Tone = ""

    @property
    def words(self) -> str:
        """``hour 17–21 (high)``, ``carrier EV`` or ``wind missing``."""
        if self.missing:
            return f"{self.feature} missing"
        if self.categories:
            return f"{self.feature} {' or '.join(self.categories)}"
        span = f"{self.low:.4g}" if self.low == self.high else f"{self.low:.4g}–{self.high:.4g}"
        return f"{self.feature} {span}{f' ({self.tone})' if self.tone in ('low', 'high') else ''}"


class Failed(Struct, frozen=True, kw_only=True):
    """One row that the model got wrong; `loss` is the larger the worse it was wrong."""

    key: str
    row: int
    loss: float
    said: str
    actual: str


class FailureType(Struct, frozen=True, kw_only=True):
    """Errors that the same features led to.

    Attributes:
        kind: missed, false alarm, wrong class, too low, too high.
        conditions: Of the features that push most towards the wrong answer, strongest first.
        share: Of all errors.
        count: Estimated errors of this type among all held-out rows.
        fits: Share of the held-out rows that meet all conditions; `fits_wrong` is the share of these that are errors.
        centre: Mean signature by feature; `radius` is how far most of the type lie from it.
        rows: Those of the sample, worst first.
    """

    kind: str
    conditions: list[Condition]
    share: float
    count: int
    fits: float
    fits_wrong: float
    centre: dict[str, float]
    radius: float
    rows: list[Failed]

    @property
    def name(self) -> str:
        """The kind and what its rows have in common."""
        return f"{self.kind}: {', '.join(one.words for one in self.conditions) or 'nothing in common'}"


class Followed(Struct, frozen=True, kw_only=True):
    """How many errors of an earlier run's type there were, and are; per 1,000 rows where the rows differ."""

    name: str
    before: int
    now: int


class Followup(Struct, frozen=True, kw_only=True):
    """The types of an earlier run among the errors of this one.

    Attributes:
        same_rows: Both were judged on the same rows.
        unlike: Errors now that are like none of them.
    """

    run_id: int
    run_name: str
    errors: int
    rows: int
    same_rows: bool
    types: list[Followed]
    unlike: int


class Failures(Struct, frozen=True, kw_only=True):
    """The failure types of a run on its last held-out part, most errors first.

    Attributes:
        rows, errors: Held-out rows, and those that are errors by `rule`.
        sampled: Errors whose contributions were clustered.
        sample: Fingerprint of the rows that were judged.
        followups: Earlier runs' types in this run, newest first.
        note: Why there is none; empty if there are some.
    """

    part: str
    rows: int
    errors: int
    sampled: int
    rule: str
    sample: str
    types: list[FailureType]
    followups: list[Followup] = []
    note: str = ""
