"""What the Features room hands out: a column's worth, a ranking's conditions, a chosen set."""

from msgspec import Struct


class FeatureScore(Struct, frozen=True, kw_only=True):
    """One candidate column of one dataset version.

    Attributes:
        kind: numeric, categorical, boolean; or time, which is never a feature.
        missing: Share of the rows without a value, 0..1.
        gain: Total gain of its splits in the ranking model; None if it was left out of it.
        gain_share: Its share of all gain, 0..1.
        permutation: What shuffling it costs the model's score on later rows, mean of the repeats.
        permutation_deviation: Standard deviation of that over the repeats.
        association: With the target, 0..1, by `method`.
        single: Score of a model of this column alone on later rows.
        leakage: Why it is suspected to know the answer; empty if it is not.
        leakage_score: 0..1.
    """

    name: str
    kind: str
    missing: float
    gain: float | None = None
    gain_share: float | None = None
    splits: int | None = None
    permutation: float | None = None
    permutation_deviation: float | None = None
    association: float | None = None
    method: str = ""
    single: float | None = None
    leakage: str = ""
    leakage_score: float = 0.0


class Pair(Struct, frozen=True, kw_only=True):
    """How strongly two columns go together: Cramér's V over quantile bins and categories, 0..1."""

    first: str
    second: str
    association: float


class Ranking(Struct, frozen=True, kw_only=True):
    """How and when a version's columns were ranked.

    Attributes:
        skill: Name of the score that single, permutation and leakage are measured in.
        score: Of the ranking model on the later rows.
    """

    version_id: str
    skill: str
    score: float
    train_rows: int
    judged_rows: int
    rounds: int
    repeats: int
    seed: int
    elapsed_ms: int
    computed_at: int


class FeatureSet(Struct, frozen=True, kw_only=True):
    """A chosen list of columns; choosing again under the same name is a new event, the old ones stay."""

    name: str
    features: list[str]
    why: str = ""
    who: str = ""
    at: int | None = None
    revision: int = 0
