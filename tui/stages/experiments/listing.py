"""Which runs are listed: what was asked, all their numbers in order, and reading the few that are on screen."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from msgspec import Struct, field

from lemnis.engine.experiments import ExperimentsRoom, Run, RunGroup, Shelf
from lemnis.tui.language import _
from lemnis.tui.widgets.windows import PAGE

KEY = "group:"  # how the key of a group's line begins; that of a run is its number
FIRST = 50  # runs read before all numbers are known: as many as a screen has lines


class Asked(Struct, frozen=True):
    """What a person wants listed.

    Attributes:
        group: What the runs are grouped by; empty for one list. `opened` are the values of the unfolded groups.
    """

    query: str = ""
    sort: str = ""
    descending: bool = True
    shelf: Shelf = "active"
    group: str = ""
    opened: frozenset[str] = frozenset()


class Layout(Struct, frozen=True):
    """Which columns are shown.

    Attributes:
        columns: Their names from left to right; empty for those that suit the runs that are listed.
        frozen: So many at the left stay where they are.
    """

    columns: tuple[str, ...] = ()
    frozen: int = 0


class Lines(Struct, frozen=True):
    """The lines of a list in groups: one for each group, and below those that are unfolded their runs.

    Attributes:
        by: What the runs are grouped by.
        metric: What the best of a group is chosen by; empty for none.
        opened: The numbers of the runs of each unfolded group, in order.
        offset, read: Where the lines begin that were read at once, and the runs among them.
    """

    by: str
    metric: str
    groups: list[RunGroup]
    opened: Mapping[str, Sequence[int]]
    offset: int = 0
    read: Sequence[Run] = ()
    starts: list[int] = field(default_factory=list[int])

    @property
    def total(self) -> int:
        """How many lines there are."""
        return len(self.groups) + sum(map(len, self.opened.values()))

    @property
    def runs(self) -> int:
        """How many runs are in all groups."""
        return sum(group.runs for group in self.groups)

    @property
    def words(self) -> str:
        """Return in how many groups the runs are: `` in 3 groups by preset``."""
        by = _("sweep or grid") if self.by == "group" else self.by
        many = len(self.groups)
        said = _("in 1 group by {by}") if many == 1 else _("in {groups:,} groups by {by}")
        return f" {said.format(groups=many, by=by)}"

    def part(self, offset: int, limit: int) -> list[RunGroup | int]:
        """Return some lines: a group, or the number of a run."""
        found: list[RunGroup | int] = []
        place = max(0, bisect_right(self.starts, offset) - 1)
        for start, group in zip(self.starts[place:], self.groups[place:], strict=True):
            if start >= offset + limit:
                break
            lines: list[RunGroup | int] = []
            inside = self.opened.get(group.value, ())
            if start >= offset:
                lines.append(group)
            first = max(0, offset - start - 1)
            lines += inside[first : offset + limit - start - 1]
            found += lines
        return found[:limit]

    def telling(self, key: str) -> int:
        """Return the run that is shown for a line: that of the line, or the best of the group, else its newest."""
        if key.isdecimal() and self.place(key) is not None:
            return int(key)
        group = self.group(key) or next(iter(self.groups), None)
        return (group.best_run or group.newest) if group is not None else 0

    def group(self, key: str) -> RunGroup | None:
        """Return the group of a line's key, None if it is a run's."""
        return next((group for group in self.groups if key == key_of(group)), None)

    def place(self, key: str) -> int | None:
        """Return where the line of a group or of a run is, None if it is not shown."""
        for start, group in zip(self.starts, self.groups, strict=True):
            if key == key_of(group):
                return start
            if key.isdecimal() and int(key) in (inside := self.opened.get(group.value, ())):
                return start + 1 + inside.index(int(key))
        return None


def lines_of(by: str, metric: str, groups: list[RunGroup], opened: Mapping[str, Sequence[int]]) -> Lines:
    """Return the lines of groups."""
    lengths = [1 + len(opened.get(group.value, ())) for group in groups]
    return Lines(by, metric, groups, opened, starts=[0, *accumulate(lengths)][:-1])


def key_of(group: RunGroup) -> str:
    """Return the key of a group's line."""
    return f"{KEY}{group.value}"


class Listing(Struct, frozen=True):
    """The answer: the numbers of all runs in order, or of the first alone, and some of the runs.

    Attributes:
        numbers: All of them; None while only the first runs are known.
        everything: How many runs the shelf has, whatever is asked; None while that is not known.
        offset: Where `runs` begin.
        lines: The groups that the runs are in; `runs` are then the first of all. None for one list.
    """

    asked: Asked
    runs: list[Run]
    numbers: Sequence[int] | None = None
    everything: int | None = None
    offset: int = 0
    lines: Lines | None = None

    @property
    def total(self) -> int:
        """How many runs are known to be listed."""
        if self.lines is not None:
            return self.lines.runs
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
