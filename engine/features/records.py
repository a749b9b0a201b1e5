"""What the Features room hands out: a column's worth, a ranking's conditions, how columns go together, chosen sets."""

from msgspec import Struct

# By the key that people type, what each measure is called.
MEASURES = {
    "kind": "by the pair's kinds",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "cramers_v": "Cramér's V",
    "ratio": "correlation ratio",
    "information": "mutual information",
}


class Spread(Struct, frozen=True, kw_only=True):
    """One importance of one column over all models.

    Attributes:
        mean, deviation, low, high: Of its values; the deviation is the sample's, 0 for one value.
        rank: Its place by the mean, 1 the most important.
        rank_low, rank_high: Its best and its worst place among the models.
        values: One a model: all seeds of the first fold, then of the second …
    """

    mean: float
    deviation: float = 0.0
    low: float = 0.0
    high: float = 0.0
    rank: int = 0
    rank_low: int = 0
    rank_high: int = 0
    values: list[float] = []


class FeatureScore(Struct, frozen=True, kw_only=True):
    """One candidate column of one dataset version.

    Attributes:
        kind: numeric, categorical, boolean; or time, which is never a feature.
        missing: Share of the sampled rows without a value, 0..1.
        importance: Spread over folds and seeds by ``gain`` and ``split`` (share of the model's, 0..1),
            ``permutation`` (loss of the score on later rows when shuffled) and ``shap`` (mean |contribution|, in units
            of the raw score); empty if the column was left out of the models.
        unstable: Why its importance is not settled; empty if it is.
        association: With the target, 0..1, by `method`.
        single: Score of a model of this column alone on rows it has not seen, mean of the folds.
        single_folds: The same in each fold.
        learned: The same on the rows it learned from.
        leakage: Why it is suspected to know the answer; empty if it is not.
        leakage_score: 0..1.
        doubt: Why it knows its rows rather than the problem (an identifier, a counter); it stays in the models.
        group: Number of the group of columns that say the same, 0 for none.
        representative: It is worth most in its group, or has none.
    """

    name: str
    kind: str
    missing: float
    importance: dict[str, Spread] = {}
    unstable: str = ""
    association: float | None = None
    method: str = ""
    single: float | None = None
    single_folds: list[float] = []
    learned: float | None = None
    leakage: str = ""
    leakage_score: float = 0.0
    doubt: str = ""
    group: int = 0
    representative: bool = True

    def mean(self, measure: str) -> float | None:
        """Return the mean of one importance, None if the column was left out."""
        found = self.importance.get(measure)
        return None if found is None else found.mean


class Pair(Struct, frozen=True, kw_only=True):
    """How strongly two columns go together by one measure."""

    first: str
    second: str
    association: float
    measure: str = ""


class Matrix(Struct, frozen=True, kw_only=True):
    """How strongly every two columns of a version go together.

    Attributes:
        names: Columns, the target last if there is one.
        numbers: Which of them are amounts.
        order: Places of the columns so that those that go together are neighbours; the target first.
        groups: By column the number of its group, 0 for none.
        values: By measure all values row by row, NaN where the measure does not suit the pair.
        rows: Rows of the sample; `total` of the version.
    """

    version_id: str
    names: list[str]
    numbers: list[bool]
    target: str
    order: list[int]
    groups: list[int]
    values: dict[str, list[float]]
    rows: int
    total: int
    elapsed_ms: int
    computed_at: int

    def value(self, measure: str, first: int, second: int) -> float:
        """Return the value of one pair by their places in `names`, NaN where it is not defined."""
        return self.values[measure][first * len(self.names) + second]


class Box(Struct, frozen=True, kw_only=True):
    """A number in one category: its 5 %, 25 %, 50 %, 75 % and 95 % quantiles."""

    name: str
    rows: int
    quantiles: list[float]


class PairDetail(Struct, frozen=True, kw_only=True):
    """Two columns side by side.

    Attributes:
        measure: What suits their kinds; `measures` has all of them, None where one does not suit.
        rows: In which both are known; `missing` the other sampled ones.
        grid: Of two numbers the rows in each cell, from the top; `across` and `up` are the ends of the axes.
        lines, columns, counts: Of two categories how often they meet; the last of each sums the rest.
        boxes: Of a number and a category.
    """

    first: str
    second: str
    measure: str
    measures: dict[str, float | None]
    rows: int
    missing: int
    grid: list[list[int]] = []
    across: list[float] = []
    up: list[float] = []
    lines: list[str] = []
    columns: list[str] = []
    counts: list[list[int]] = []
    boxes: list[Box] = []


class Ranking(Struct, frozen=True, kw_only=True):
    """How and when a version's columns were ranked.

    Attributes:
        skill: Name of the score that single, permutation and leakage are measured in.
        score: Of the ranking models on the rows that judge them, mean over folds and seeds.
        scores: The same of each model: all seeds of the first fold, then of the second …
        folds: What each fold's judging rows are called.
        blocked: ``time`` if each fold is judged by later rows than it learned from, else ``rows``.
        agreement: Kendall's W by importance: 1 if all models put the columns in one order.
        sample_rows: Rows that were read, with or without a target.
        train_rows, judged_rows: Of the largest fold.
        reused: Models that an earlier, interrupted ranking had finished.
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
    scores: list[float] = []
    folds: list[str] = []
    seeds: int = 1
    blocked: str = ""
    agreement: dict[str, float] = {}
    sample_rows: int = 0
    reused: int = 0


class SetNote(Struct, frozen=True, kw_only=True):
    """A remark on one revision of a set, made after it was chosen."""

    note: str
    who: str
    at: int


class FeatureSet(Struct, frozen=True, kw_only=True):
    """A chosen list of columns; choosing again under the same name is a new event, the old ones stay.

    Attributes:
        why, who, at: Why it was chosen, by whom, when (epoch ms; None for a set that is only declared).
        revision: Number of the choice, rising over all sets; 0 for a set that is only declared.
        renamed_from: The name it had before, if this choice gave it another one.
        notes: Oldest first.
    """

    name: str
    features: list[str]
    why: str = ""
    who: str = ""
    at: int | None = None
    revision: int = 0
    renamed_from: str = ""
    notes: list[SetNote] = []

    @property
    def reference(self) -> str:
        """What names this very choice: ``default@3``; only the name for a set that is only declared."""
        return f"{self.name}@{self.revision}" if self.revision else self.name


class SetDiff(Struct, frozen=True, kw_only=True):
    """How two sets differ; each list is in the order of the set it comes from."""

    first: str
    second: str
    added: list[str]
    removed: list[str]
    kept: list[str]
