"""What the console's parts say to each other; no message carries a widget."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from lemnis.tui.address import Address

if TYPE_CHECKING:  # the first picture waits for no room of the engine
    from lemnis.engine.lifecycle import StageState
    from lemnis.engine.monitor.alerting.records import Alert

WHERE = "where "  # how a thing of Explore begins that is rows by a SQL condition


@dataclass
class TopicsMoved(Message):
    """Facts of these topics changed in the store."""

    topics: frozenset[str]


@dataclass
class LoopRead(Message):
    """The states of the ten stages, as they are now."""

    stages: "tuple[StageState, ...]"
    broken: str = ""  # what is wrong with lemnis.toml, with its line

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LoopRead)


@dataclass
class EngineSeen(Message):
    """What the pump last saw of the supervisor and the jobs: a state, a sentence why, and how many jobs there are."""

    state: str
    why: str
    running: int
    queued: int

    @property
    def facts(self) -> tuple[str, str, int, int]:
        return self.state, self.why, self.running, self.queued

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EngineSeen)


@dataclass
class StageWanted(Message):
    """Somebody wants to see another stage, and there perhaps one thing (a run, a window, an endpoint)."""

    stage: str
    thing: str = ""


@dataclass
class PlaceWanted(Message):
    """Somebody wants to see the place that an address names.

    The app answers it by itself: a screen that went there in its own handler would be taken away under its feet.
    """

    place: Address
    leave: bool = True  # whether the place that is left is to be gone back to


@dataclass
class IncidentWanted(Message):
    """Somebody wants to see everything around an alert; of `alert`, where it is at hand, at once what it says."""

    alert_id: int
    alert: "Alert | None" = None


@dataclass
class RoomImported(Message):
    """The room of a tab that nobody has opened yet is imported."""

    stage: str
