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
