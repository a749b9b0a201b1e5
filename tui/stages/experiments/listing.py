"""Which runs are listed: what was asked, all their numbers in order, and reading the few that are on screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from lemnis.engine.experiments import ExperimentsRoom, Run, Shelf
from lemnis.tui.widgets.windows import PAGE

FIRST = 50  # runs read before all numbers are known: as many as a screen has lines


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants listed."""

    query: str = ""
    sort: str = ""
    descending: bool = True
    shelf: Shelf = "active"


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer: the numbers of all runs in order, or of the first alone, and some of the runs.

    Attributes:
        numbers: All of them; None while only the first runs are known.
        everything: How many runs the shelf has, whatever is asked; None while that is not known.
        offset: Where `runs` begin.
    """

    asked: Asked
    runs: list[Run]
    numbers: list[int] | None = None
    everything: int | None = None
    offset: int = 0

    @property
    def total(self) -> int:
        """How many runs are known to be listed."""
        return len(self.runs) if self.numbers is None else len(self.numbers)

    def place(self, run_id: int) -> int | None:
        """Return where a run stands, None if it is not listed."""
        if self.numbers is None:
            return next((place for place, run in enumerate(self.runs) if run.id == run_id), None)
        try:
            return self.numbers.index(run_id)
        except ValueError:
            return None


def first_of(room: ExperimentsRoom, asked: Asked) -> Listing:
    """Return the first runs at once; if these are all, then all is known."""
    runs = room.page(asked.query, asked.sort, asked.descending, FIRST, shelf=asked.shelf)
    if len(runs) == FIRST:
        return Listing(asked, runs)
    everything = room.count(shelf=asked.shelf) if asked.query else len(runs)
    return Listing(asked, runs, [run.id for run in runs], everything)


def all_of(room: ExperimentsRoom, asked: Asked, around: int) -> Listing:
    """Return the numbers of all runs, and the pages of runs around one of them, by default the first."""
    numbers = room.numbers(asked.query, asked.sort, asked.descending, shelf=asked.shelf)
    everything = room.count(shelf=asked.shelf) if asked.query else len(numbers)
    listing = Listing(asked, [], numbers, everything)
    begin = (listing.place(around) or 0) // PAGE * PAGE if around else 0
    return Listing(asked, room.runs(numbers[begin : begin + PAGE]), numbers, everything, begin)


def part_of(room: ExperimentsRoom, numbers: Sequence[int], offset: int, limit: int) -> list[Run]:
    """Return some of the listed runs."""
    return room.runs(numbers[offset : offset + limit])
