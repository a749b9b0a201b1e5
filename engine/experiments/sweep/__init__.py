"""Sweeps: the search for better parameters, one run a trial, steered while it goes on and resumed after any kill."""

from collections.abc import Mapping

from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.sweep import begin, steer
from lemnis.engine.experiments.sweep.begin import Wishes
from lemnis.engine.experiments.sweep.goals import Constraint, Objective
from lemnis.engine.experiments.sweep.records import (
    ENDED,
    Event,
    Insight,
    Sweep,
    Trial,
    get_sweep,
    read_events,
    read_sweeps,
    read_trials,
)
from lemnis.engine.experiments.sweep.space import Dimension
from lemnis.engine.jobs import user_name
from lemnis.engine.store import Store

__all__ = [
    "ENDED",
    "Constraint",
    "Dimension",
    "Event",
    "Insight",
    "Objective",
    "Sweep",
    "SweepsRoom",
    "Trial",
    "Wishes",
]


class SweepsRoom:
    """The sweeps of one workspace. Each act returns at once; a job of the queue drives the sweep."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def start(self, named: str | None = None, wishes: Wishes | None = None, *, user: str = "") -> Sweep:
        """Begin a sweep and return it; the supervisor drives it.

        Args:
            named: A [sweeps.NAME] of lemnis.toml, else a preset; None for `default`.
            wishes: What replaces the declaration.
            user: Who begins it; by default who the system says.

        Raises:
            NotFound: There is no such sweep, preset, version or feature set.
            BadInput: A part of the declaration is not accepted, or there are no validation rows.
            ChecksFailed: The data fail a check that nobody waives, and no reason is given.
        """
        return begin.begin_sweep(self.store, named, wishes or Wishes(), user or user_name())

    def sweeps(self) -> list[Sweep]:
        """Return all sweeps, the newest first."""
        return read_sweeps(self.store)

    def sweep(self, name: str | int) -> Sweep:
        """Return one by its name or number; raises NotFound."""
        return get_sweep(self.store, name)

    def trials(self, name: str | int, *, open_only: bool = False) -> list[Trial]:
        """Return a sweep's trials in their order, or only those that have not ended; raises NotFound."""
        return read_trials(self.store, get_sweep(self.store, name).id, open_only=open_only)

    def events(self, name: str | int, limit: int = 200) -> list[Event]:
        """Return what was done to a sweep, the newest first; raises NotFound."""
        return read_events(self.store, get_sweep(self.store, name).id, limit)

    def pause(self, name: str | int, *, user: str = "") -> Sweep:
        """Begin no more trials; see `steer.pause`. Return the sweep as it is then."""
        steer.pause(self.store, self.sweep(name), user or user_name())
        return self.sweep(name)

    def resume(self, name: str | int, *, user: str = "") -> Sweep:
        """Let a paused or failed sweep go on; see `steer.resume`. Return the sweep as it is then."""
        steer.resume(self.store, self.sweep(name), user or user_name())
        return self.sweep(name)

    def extend(self, name: str | int, more: int, *, user: str = "") -> Sweep:
        """Ask for more trials; see `steer.extend`. Return the sweep as it is then."""
        steer.extend(self.store, self.sweep(name), more, user or user_name())
        return self.sweep(name)

    def prune(self, name: str | int, number: int, *, user: str = "") -> None:
        """Stop a trial; see `steer.prune`."""
        steer.prune(self.store, self.sweep(name), number, user or user_name())

    def enqueue(self, name: str | int, point: Mapping[str, Value], *, user: str = "") -> int:
        """Let a point be tried next and return its trial's number; see `steer.enqueue`."""
        return steer.enqueue(self.store, self.sweep(name), point, user or user_name())

    def freeze(self, name: str | int, parameter: str, value: str = "", *, user: str = "") -> Value | None:
        """Let a parameter have one value, or vary again; see `steer.freeze`."""
        return steer.freeze(self.store, self.sweep(name), parameter, value, user or user_name())

    def narrow(self, name: str | int, parameter: str, bounds: str, *, user: str = "") -> Dimension:
        """Give a parameter other bounds; see `steer.narrow`."""
        return steer.narrow(self.store, self.sweep(name), parameter, bounds, user or user_name())
