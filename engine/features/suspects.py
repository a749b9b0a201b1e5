"""Columns that give themselves away only beside others: what lifts the others' model by a jump is taken out."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.errors import BadInput
from lemnis.engine.features.importance import Sample, Worth, score_of, worth
from lemnis.engine.features.leakage import LIMITS, Evidence, suspicion
from lemnis.engine.features.measuring import ROUNDS

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

SEED = 1
MOST_EXPLAINED = 8  # suspects for which it is measured what adding them gives


def suspect(context: "JobContext", sample: Sample, evidence: list[Evidence]) -> tuple[list[Evidence], list[int]]:
    """Judge every column until no column that is left lifts the model by a jump.

    Returns:
        The evidence with what was measured, and the places of the columns that are not suspected.

    Raises:
        BadInput: Every column is suspected.
    """
    task = sample.signature.task
    evidence = list(evidence)
    options = {"rounds": ROUNDS, "seed": SEED, "threads": context.cores}

    def clean() -> list[int]:
        found = [place for place, one in enumerate(evidence) if not suspicion(one, task).why]
        if not found:
            raise BadInput("Every column is suspected to know the answer.", "Offer columns known beforehand.")
        return found

    def measured() -> Worth:
        return worth(
            sample,
            clean(),
            repeats=1,
            told=lambda share: context.progress(0.15 + 0.05 * share, "looking for columns that know the answer"),
            **options,
        )

    found = measured()
    while lifted := jumping(sample, clean(), found, options):
        for place, (without, along) in lifted.items():
            evidence[place] = msgspec.structs.replace(evidence[place], without=without, along=along)
        found = measured()
    places = clean()
    for place in [place for place in range(len(evidence)) if place not in places][:MOST_EXPLAINED]:
        if evidence[place].along is None:
            context.progress(0.2, f"what {sample.signature.names[place]} would add")
            along = score_of(sample, [*places, place], **options)
            evidence[place] = msgspec.structs.replace(evidence[place], without=found.score, along=along)
    return evidence, places


def jumping(
    sample: Sample, places: list[int], measured: Worth, options: dict[str, Any]
) -> dict[int, tuple[float, float]]:
    """Return columns that each alone lift the model of the weaker columns by a jump, with both scores.

    The strong columns are taken out together, as two leaks that say the same hide each other one at a time. Any: the
    keywords of `score_of`.
    """
    limits = LIMITS[sample.signature.task]
    order = sorted(range(len(places)), key=lambda at: -measured.permutation[at])
    strong = [places[at] for at in order if measured.permutation[at] >= limits.jump][:MOST_EXPLAINED]
    if not strong or measured.score < limits.single:
        return {}
    weak = [place for place in places if place not in strong]
    without = score_of(sample, weak, **options)
    lifted = {place: (without, score_of(sample, [*weak, place], **options)) for place in strong}
    return {
        place: scores
        for place, scores in lifted.items()
        if suspicion(Evidence(without=scores[0], along=scores[1]), sample.signature.task).why
    }
