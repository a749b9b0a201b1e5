"""Leakage: does a column know the answer, or only its own rows? Rules that each say why in a sentence. Pure."""

import math
from collections.abc import Sequence

from msgspec import Struct

KNOWN_AFTER = 0.9  # share of the rows without the column that also lack the target …
FOLLOWS_TARGET = 0.5  # … and share of the rows without a target that also lack the column
FEWEST_ROWS = 30  # rows without a target before their pattern says anything
LATER = 0.5  # share of the rows whose source is dated after the decision
NEARLY_ALL, HASH_LIKE = 0.95, 0.5  # share of different values from which a column names rows, or may be a hash
RISING = 0.999  # rank correlation with the order of the rows from which a column is a clock …
FEWEST_STEPS = 50  # … if it has so many values
FEWEST_KNOWN = 200  # known values before their number says anything
MEMORISED = 0.10  # how much better a column does on the rows it learned from


class Limits(Struct, frozen=True, kw_only=True):
    """From where a column is too good to be known beforehand.

    Attributes:
        skill: Name of the score of a prediction.
        single: The score of a model of this column alone, or of a model that it lifted.
        margin: How far that must lie above the best column that is not suspected.
        jump: What adding the column gives to a model of other columns.
    """

    skill: str
    single: float
    margin: float
    jump: float


LIMITS = {
    "binary": Limits(skill="ROC AUC", single=0.85, margin=0.08, jump=0.10),
    "multiclass": Limits(skill="ROC AUC", single=0.85, margin=0.08, jump=0.10),
    "regression": Limits(skill="R²", single=0.80, margin=0.20, jump=0.25),
}


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known of one column beside the target.

    Attributes:
        declared: It stands in `features.after`.
        missing: Rows without a value.
        target_missing: Rows without a target.
        both_missing: Rows with neither.
        single: Score of a model of this column alone on rows it has not seen, mean of the folds; None if not measured.
        learned: The same on the rows that it learned from.
        best_other: The best such score among the columns that no other rule suspects.
        without, along: Score of a model without this column and along with it; None if not measured.
        source, stamp, time: Its source, that source's time column and the dataset's; empty if there is none.
        later: Share of the rows in which the stamp lies after the dataset's time; `lag_s` by how much in half of them.
        known, distinct: Rows with a value, and how many different values they have.
        whole: Its values are text or whole numbers: a measurement with a fraction is different in each row anyway.
        hash_like: Its values are texts of one length that look drawn by lot.
        rising: Rank correlation with the order of the rows, -1..1.
    """

    declared: bool = False
    missing: int = 0
    target_missing: int = 0
    both_missing: int = 0
    single: float | None = None
    best_other: float = 0.5
    without: float | None = None
    along: float | None = None
    learned: float | None = None
    source: str = ""
    stamp: str = ""
    time: str = ""
    later: float = 0.0
    lag_s: float = 0.0
    known: int = 0
    distinct: int = 0
    whole: bool = False
    hash_like: bool = False
    rising: float = 0.0


class Suspicion(Struct, frozen=True, kw_only=True):
    """A judgement: `why` is empty for a column that may be used; `score` is 0 (none) to 1 (certain)."""

    score: float
    why: str


def suspicion(evidence: Evidence, task: str) -> Suspicion:
    """Say whether a column knows the answer; all rules that speak are named, the strongest gives the score.

    Args:
        evidence: What is known of the column.
        task: binary, multiclass or regression.
    """
    limits = LIMITS[task]
    rules = (
        declared(evidence), known_after(evidence), travels(evidence), alone(evidence, limits), jump(evidence, limits),
    )  # fmt: skip
    return together(rules)


def doubt(evidence: Evidence) -> Suspicion:
    """Say whether a column knows its rows instead of the problem: it may be used, but a model learns it by heart."""
    return together((names_rows(evidence), rises(evidence), memorised(evidence)))


def together(rules: Sequence[Suspicion]) -> Suspicion:
    """Return the judgement of several rules: every reason, the strongest first."""
    found = sorted((judged for judged in rules if judged.why), key=lambda judged: -judged.score)
    if not found:
        return NOTHING
    return Suspicion(score=found[0].score, why=" ".join(judged.why for judged in found))


NOTHING = Suspicion(score=0.0, why="")


def declared(evidence: Evidence) -> Suspicion:
    """The problem's owner says that it is known only after the decision."""
    if not evidence.declared:
        return NOTHING
    return Suspicion(score=1.0, why="Declared in features.after: known only after the decision.")


def known_after(evidence: Evidence) -> Suspicion:
    """It is missing where the target is missing and hardly elsewhere, so both come from the same later event."""
    if evidence.target_missing < FEWEST_ROWS or not evidence.missing:
        return NOTHING
    exact = evidence.both_missing / evidence.missing
    covered = evidence.both_missing / evidence.target_missing
    if exact < KNOWN_AFTER or covered < FOLLOWS_TARGET:
        return NOTHING
    why = (
        f"Missing in {covered:.0%} of the {evidence.target_missing:,} rows without a target and almost nowhere else "
        f"({evidence.missing - evidence.both_missing:,} rows): it becomes known when the target does."
    )
    return Suspicion(score=round(math.sqrt(exact * covered), 3), why=why)


def alone(evidence: Evidence, limits: Limits) -> Suspicion:
    """On its own it tells the answer far better than any honest column."""
    single = evidence.single
    if single is None or single < limits.single or single - evidence.best_other < limits.margin:
        return NOTHING
    why = (
        f"Alone it reaches {limits.skill} {single:.3f}; the best column that is not suspected reaches "
        f"{evidence.best_other:.3f}."
    )
    return Suspicion(score=round(0.5 + 0.5 * (single - limits.single) / (1 - limits.single), 3), why=why)


def jump(evidence: Evidence, limits: Limits) -> Suspicion:
    """Adding it makes a model of other columns far better at once, and suspiciously good."""
    if evidence.without is None or evidence.along is None:
        return NOTHING
    if evidence.along - evidence.without < limits.jump or evidence.along < limits.single:
        return NOTHING
    gained = evidence.along - evidence.without
    why = f"Adding it lifts the model's {limits.skill} from {evidence.without:.3f} to {evidence.along:.3f}."
    return Suspicion(score=round(min(1.0, 0.5 + gained), 3), why=why)


def travels(evidence: Evidence) -> Suspicion:
    """Its source carries a time, and that time lies after the decision."""
    if evidence.later < LATER:
        return NOTHING
    why = (
        f"It comes from {evidence.source}, whose {evidence.stamp} lies after {evidence.time} in {evidence.later:.0%} "
        f"of the rows, in half of them by {span(evidence.lag_s)} or more: it is not known yet when the model decides."
    )
    return Suspicion(score=round(evidence.later, 3), why=why)


def span(seconds: float) -> str:
    """Return a length of time in words."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def names_rows(evidence: Evidence) -> Suspicion:
    """Nearly every row has a value of its own, so it names rows."""
    if evidence.known < FEWEST_KNOWN or not evidence.whole:
        return NOTHING
    share = evidence.distinct / evidence.known
    if share < (HASH_LIKE if evidence.hash_like else NEARLY_ALL):
        return NOTHING
    looks = " and they look drawn by lot, as a hash does" if evidence.hash_like else ""
    why = (
        f"Like an identifier: {evidence.distinct:,} of {evidence.known:,} known values are different{looks}; "
        "what a model learns of one row says nothing of another."
    )
    return Suspicion(score=round(share, 3), why=why)


def rises(evidence: Evidence) -> Suspicion:
    """It rises or falls with the rows, so it is a clock whose later values no model has seen."""
    if evidence.known < FEWEST_KNOWN or evidence.distinct < FEWEST_STEPS or abs(evidence.rising) < RISING:
        return NOTHING
    goes = "rises" if evidence.rising > 0 else "falls"
    why = (
        f"Like a counter: it {goes} with the order of the rows (rank correlation {evidence.rising:.3f}), so a later "
        "row has a value that no training row had."
    )
    return Suspicion(score=round(abs(evidence.rising), 3), why=why)


def memorised(evidence: Evidence) -> Suspicion:
    """It does far better on the rows that it learned from than on others."""
    if evidence.learned is None or evidence.single is None or evidence.learned - evidence.single < MEMORISED:
        return NOTHING
    why = (
        f"Alone it scores {evidence.learned:.3f} on the rows it learned from and {evidence.single:.3f} on others: what "
        "it says does not last."
    )
    return Suspicion(score=round(min(1.0, 0.5 + evidence.learned - evidence.single), 3), why=why)
