"""How much a column asks to be looked at, and why. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from lemnis.engine.explore.profile import Profile

Order: TypeAlias = Literal["interest", "missing", "association", "drift", "notes", "name", "position"]
ORDERS: tuple[Order, ...] = ("interest", "missing", "association", "drift", "notes", "name", "position")

LEAST_MISSING = 0.01  # share; less is no reason
LEAST_ASSOCIATION = 0.01
LEAST_DRIFT = 0.1  # PSI; the usual border between none and some
PER_CALL, PER_NOTE = 0.5, 0.1  # of a point, for a note that asks to act, and one that does not


class Reason(NamedTuple):
    """One reason in a few words; `act` if a person should do something."""

    words: str
    act: bool


class Interest(NamedTuple):
    """A score from 0 to 4, a point at most from each of missing, association, drift and notes, and what it is from."""

    score: float
    reasons: list[Reason]


def interest(profile: Profile) -> Interest:
    """Return how interesting a column is.

    One point each for: missing half of its rows, telling a quarter of the target, drift of PSI 0.25, two notes that ask
    to act; less for less, none for what is below its least figure. What asks to act comes first, then the strongest.
    """
    from lemnis.engine.explore.notes import DRIFTED, MISSING

    findings = profile.findings
    told, drifted = findings.association or 0.0, findings.drift or 0.0
    much, moved = any(note.word == "tells too much" for note in profile.notes), drifted >= DRIFTED
    parts = [
        (
            part_of(profile.missing_share, LEAST_MISSING, 0.5),
            Reason(f"missing {profile.missing_share:.0%}", profile.missing_share >= MISSING),
        ),
        (part_of(told, LEAST_ASSOCIATION, 0.25), Reason(f"tells {told:.0%} of the target", much)),
        (part_of(drifted, LEAST_DRIFT, DRIFTED), Reason(f"drift {drifted:.2f}", moved)),
    ]
    said = {"missing", "drifted", "tells too much"}  # by their figures already
    notes = [note for note in profile.notes if note.word not in said]
    calls = [note.word for note in notes if note.act]
    others = [note.word for note in notes if not note.act]
    worth = min(1.0, PER_CALL * len(calls) + PER_NOTE * len(others))
    score = sum(score for score, _ in parts) + worth
    parts += [(min(1.0, PER_CALL * len(calls)), Reason(", ".join(calls), True))] if calls else []
    parts += [(PER_NOTE * len(others), Reason(", ".join(others), False))] if others else []
    held = [part for part in parts if part[0] > 0]
    return Interest(score, [reason for _, reason in sorted(held, key=lambda part: (not part[1].act, -part[0]))])


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
            "notes": sum(100 if note.act else 1 for note in profile.notes),
        }
        name = profile.name.casefold() if order == "name" else ""
        return -figures.get(order, 0.0), name, profile.position

    return sorted(profiles, key=key)
