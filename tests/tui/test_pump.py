from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import engine_at, until
from textual.message import Message

from lemnis.engine import Engine
from lemnis.tui.messages import EngineSeen, LoopRead, TopicsMoved
from lemnis.tui.pump import Pump


class Ears:
    """What a pump posted."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def post(self, message: Message) -> None:
        self.heard.append(message)

    def topics(self) -> frozenset[str]:
        return frozenset().union(*(m.topics for m in self.heard if isinstance(m, TopicsMoved)))

    def wait_for(self, met: Callable[[], bool]) -> None:
        until(met)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return engine_at(tmp_path / "ws")


@pytest.fixture
def ears(engine: Engine) -> Iterator[Ears]:
    listener = Ears()
    pump = Pump(engine, listener.post, supervise=False)
    pump.start()
    yield listener
    pump.stop()
    pump.join()


def heard(ears: Ears, kind: type[Message]) -> bool:
    return any(isinstance(message, kind) for message in ears.heard)


def test_it_begins_with_the_loop_and_the_engine(ears: Ears) -> None:
    ears.wait_for(lambda: heard(ears, LoopRead) and heard(ears, EngineSeen))
    seen = next(message for message in ears.heard if isinstance(message, EngineSeen))
    assert seen.state == "down"
    assert "lemnis engine start" in seen.why


def test_a_commit_of_somebody_else_is_told_by_topic(engine: Engine, ears: Ears) -> None:
    ears.wait_for(lambda: heard(ears, LoopRead))
    engine.jobs.submit("jobs.selftest", "x", {})
    ears.wait_for(lambda: "jobs" in ears.topics())
    assert ears.topics() == {"jobs"}
    ears.wait_for(lambda: any(isinstance(m, EngineSeen) and m.queued == 1 for m in ears.heard))


def test_nothing_is_told_while_nothing_moves(engine: Engine) -> None:
    listener = Ears()
    pump = Pump(engine, listener.post, supervise=False)
    pump.look()
    assert heard(listener, LoopRead)
    listener.heard.clear()
    for _ in range(100):
        pump.look()
    assert listener.heard == []


def test_an_edit_of_lemnis_toml_is_seen_and_a_broken_one_named(engine: Engine, ears: Ears) -> None:
    ears.wait_for(lambda: heard(ears, LoopRead))
    engine.workspace.config.write_text("[problem]\ntitel = 'x'\n")
    ears.wait_for(lambda: any(isinstance(m, LoopRead) and "lemnis.toml:2" in m.broken for m in ears.heard))
    assert "problem" in ears.topics()
