"""What the console's parts say to each other; no message carries a widget."""

from dataclasses import dataclass

from textual.message import Message

from lemnis.engine.errors import LemnisError


@dataclass
class TopicsMoved(Message):
    """Facts of these topics changed in the store."""

    topics: frozenset[str]


@dataclass
class EngineSeen(Message):
    """What the pump last saw of the supervisor and the jobs: a state, a sentence why, and the jobs running."""

    state: str
    why: str
    running: int
    queued: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EngineSeen)


@dataclass
class StageWanted(Message):
    """Somebody wants to see another stage, and there perhaps one thing (a run, a window, an endpoint)."""

    stage: str
    thing: str = ""


@dataclass
class EngineRefused(Message):
    """A call of the engine failed in a way that a person should read."""

    error: LemnisError
