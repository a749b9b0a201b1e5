"""What the Experiments room hands out of grids and groups of runs."""

from collections.abc import Sequence

from msgspec import Struct

from lemnis.engine.experiments.estimate import Expected, time_at_once
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.jobs.states import JobState


class Grid(Struct, frozen=True, kw_only=True):
    """What is to be varied; every combination is one run.

    Attributes:
        versions: Dataset versions by number or id prefix; empty for the latest.
        algorithms: Empty for the preset's.
        values: By name of a setting or parameter, in the order given.
    """

    preset: str | None = None
    versions: list[str] = []
    algorithms: list[str] = []
    values: dict[str, list[Value]] = {}
    features: str | None = None


class Cell(Struct, frozen=True, kw_only=True):
    """One run of a grid.

    Attributes:
        name: What it differs in from the others, in words.
        left_out: What of the preset and the grid its algorithm has no use for.
        same_as: A run with the same conditions that is finished or on its way; None if there is none.
        expected: How long it will take; None if no earlier run tells.
    """

    name: str
    version: str
    algorithm: str
    params: dict[str, str]
    left_out: list[str]
    same_as: int | None
    same_state: str
    expected: Expected | None


class Plan(Struct, frozen=True, kw_only=True):
    """What a grid would start.

    Attributes:
        combinations: Of all values; more than there are cells where two came to the same run.
        at_once: How many the pool can train at once.
        basis: How many earlier runs say so.
    """

    cells: list[Cell]
    combinations: int
    at_once: int
    basis: int

    @property
    def new(self) -> list[Cell]:
        """The cells that no run has the conditions of."""
        return [cell for cell in self.cells if cell.same_as is None]

    @property
    def seconds(self) -> float | None:
        """How long the new cells will take, so many at once; None if no earlier run tells."""
        return self.time_of(self.new)

    def time_of(self, cells: Sequence[Cell]) -> float | None:
        """Return how long some of the cells will take, so many at once; None if no earlier run tells."""
        known = [cell.expected.seconds for cell in cells if cell.expected is not None]
        return time_at_once(known, self.at_once) if len(known) == len(cells) else None


class Started(Struct, frozen=True, kw_only=True):
    """A grid that was queued: its group, its runs, and the runs that had the conditions of the cells left out."""

    group: str
    run_ids: list[int]
    same: list[int]


class RunGroup(Struct, frozen=True, kw_only=True):
    """The runs of one value.

    Attributes:
        value: What they have in common; empty where they have nothing.
        label: The value for people: of data its name and number.
        runs: How many there are; `states` by their state.
        best, best_run: The best value of the metric that was asked for, and the run that has it; None without one.
        newest: The number of the newest.
    """

    value: str
    label: str
    runs: int
    states: dict[JobState, int]
    newest: int
    best: float | None = None
    best_run: int | None = None
