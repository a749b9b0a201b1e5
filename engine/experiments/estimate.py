"""How long trainings will take, told from earlier ones. Pure."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct


class Past(Struct, frozen=True):
    """A training that is done.

    Attributes:
        rows: Of its dataset version.
        fit_s: Seconds that were spent on the rounds.
        seconds: From its start to its end, reading and scoring included.
    """

    algorithm: str
    version_id: str
    rows: int
    rounds: int
    fit_s: float
    seconds: float


class Expected(Struct, frozen=True):
    """How long one training is expected to take, and how many earlier ones say so."""

    seconds: float
    basis: int


def expected_time(past: Sequence[Past], algorithm: str, version_id: str, rows: int, rounds: int) -> Expected | None:
    """Return the time of a training from the most alike earlier ones; None if there is none to go by.

    The median time per row and round, times rows and rounds, and the median of the rest per row. Most alike are those
    of the same algorithm on the same version, then those of the same algorithm. How large the trees are is left aside.
    """
    alike = [one for one in past if one.algorithm == algorithm and one.rows > 0 and one.rounds > 0]
    alike = [one for one in alike if one.version_id == version_id] or alike
    if not alike:
        return None
    each = median(one.fit_s / one.rows / one.rounds for one in alike)
    beside = median(max(0.0, one.seconds - one.fit_s) / one.rows for one in alike)
    return Expected(rows * (each * rounds + beside), len(alike))


def time_at_once(seconds: Sequence[float], at_once: int) -> float:
    """Return how long trainings take when so many run at once, each started as soon as one before it ends."""
    lanes = [0.0] * max(1, at_once)
    for each in seconds:
        lanes[lanes.index(min(lanes))] += each
    return max(lanes)
