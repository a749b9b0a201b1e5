"""How much a column asks to be looked at, and why. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from lemnis.engine.explore.notes import DRIFTED
from lemnis.engine.explore.profile import Profile

Order: TypeAlias = Literal["interest", "position", "missing", "association", "drift", "notes", "name"]
ORDERS: tuple[Order, ...] = ("interest", "position", "missing", "association", "drift", "notes", "name")

LEAST_MISSING = 0.01  # share; less is no reason
LEAST_ASSOCIATION = 0.01
LEAST_DRIFT = 0.1  # PSI; the usual border between none and some
PER_NOTE, MOST_NOTES = 0.25, 4


class Interest(NamedTuple):
    """A score from 0 to 4, a point at most from each of missing, association, drift and notes, and what it is from."""

    score: float
    reasons: list[str]


def interest(profile: Profile) -> Interest:
    """Return how interesting a column is.

    One point each for: missing half of its rows, telling a quarter of the target, drift of PSI 0.25, four notes;
    less for less, none for what is below its least figure. The reasons come strongest first.
    """
    findings = profile.findings
    parts = [
        (part_of(profile.missing_share, LEAST_MISSING, 0.5), f"missing {profile.missing_share:.0%}"),
        (
            part_of(findings.association or 0.0, LEAST_ASSOCIATION, 0.25),
            f"tells {findings.association or 0.0:.0%} of the target",
        ),
        (part_of(findings.drift or 0.0, LEAST_DRIFT, DRIFTED), f"drift {findings.drift or 0.0:.2f}"),
    ]
    quiet = {"missing", "drifted"}  # said by their figures already
    notes = [note.word for note in profile.notes if note.word not in quiet]
    parts.append((PER_NOTE * min(MOST_NOTES, len(notes)), ", ".join(notes)))
    strongest = sorted((part for part in parts if part[0] > 0), key=lambda part: -part[0])
    return Interest(sum(score for score, _ in parts), [reason for _, reason in strongest])


def part_of(value: float, least: float, full: float) -> float:
    """Return 0 below `least`, else the value as a share of `full`, at most 1."""
    return 0.0 if value < least else min(1.0, value / full)


def in_order(profiles: Sequence[Profile], order: Order) -> list[Profile]:
    """Return profiles in an order, the largest figure first; equal ones in the order of the columns."""

    def key(profile: Profile) -> tuple[float, str, int]:
        figures: dict[Order, float] = {
            "interest": interest(profile).score,
            "missing": profile.missing_share,
            "association": profile.findings.association or 0.0,
            "drift": profile.findings.drift or 0.0,
            "notes": len(profile.notes),
        }
        name = profile.name.casefold() if order == "name" else ""
        return -figures.get(order, 0.0), name, profile.position

    return sorted(profiles, key=key)
