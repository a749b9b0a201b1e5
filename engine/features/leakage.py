"""Leakage: does a column know the answer? Rules that each say why in a sentence. Pure."""

import math

from msgspec import Struct

KNOWN_AFTER = 0.9  # share of the rows without the column that also lack the target …
FOLLOWS_TARGET = 0.5  # … and share of the rows without a target that also lack the column
FEWEST_ROWS = 30  # rows without a target before their pattern says anything


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
        single: Score of a model of this column alone on later rows; None if not measured.
        best_other: The best such score among the columns that no other rule suspects.
        without, along: Score of a model without this column and along with it; None if not measured.
    """

    declared: bool = False
    missing: int = 0
    target_missing: int = 0
    both_missing: int = 0
    single: float | None = None
    best_other: float = 0.5
    without: float | None = None
    along: float | None = None


class Suspicion(Struct, frozen=True, kw_only=True):
    """A judgement: `why` is empty for a column that may be used; `score` is 0 (none) to 1 (certain)."""

    score: float
    why: str


def suspicion(evidence: Evidence, task: str) -> Suspicion:
    """Judge one column by every rule; all rules that speak are named, the strongest gives the score.

    Args:
        evidence: What is known of the column.
        task: binary, multiclass or regression.
    """
    limits = LIMITS[task]
    found = [
        judged
        for judged in (declared(evidence), known_after(evidence), alone(evidence, limits), jump(evidence, limits))
        if judged.why
    ]
    if not found:
        return Suspicion(score=0.0, why="")
    found.sort(key=lambda judged: -judged.score)
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
