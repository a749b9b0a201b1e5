"""What tests share: a workspace in a temporary folder, a fake engine for screens, and waiting for work, not time."""

# pyright: basic

import asyncio
import base64
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.config import Config
from lemnis.engine.workspace import Workspace, create_workspace

T = TypeVar("T")

NOTHING_DECLARED = '[problem]\ntitle = "A problem"\n'


def engine_at(folder: Path, config: str = NOTHING_DECLARED) -> Engine:
    """Return the engine of a new workspace in `folder`."""
    return Engine(create_workspace(folder, config))


class FakeEngine(SimpleNamespace):
    """An engine for screens: rooms are whatever object a test gives, e.g. ``FakeEngine(data=SimpleNamespace(...))``."""

    def __init__(self, *, read_only: bool = False, root: str = "/flights", **rooms: Any) -> None:
        super().__init__(**rooms)
        self.workspace = Workspace(Path(root))
        self.at: int | None = None
        self.store = SimpleNamespace(
            read_only=read_only, data_version=lambda: 0, close=lambda: None, workspace=self.workspace
        )
        self.moved: dict[str, int] = {}
        self.lifecycle = getattr(self, "lifecycle", SimpleNamespace(stages=lambda: []))
        self.jobs = getattr(
            self, "jobs", SimpleNamespace(jobs=lambda **_: [], status=lambda: SimpleNamespace(state="down"))
        )

    def now_ms(self) -> int:
        return now_ms()

    def revisions(self) -> dict[str, int]:
        return dict(self.moved)

    def config(self) -> Config:
        return Config()

    def notices(self) -> tuple[str, ...]:
        return ()


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until workers are done and what they posted has been handled; a worker that died fails the test."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def screen_text(pilot: Pilot[Any]) -> str:
    """Return what a person reads on the screen now, one line a row."""
    screen = pilot.app.screen
    strips = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def copied(pilot: Pilot[Any], key: str) -> str:
    """Press y and a key, and return what came onto the clipboard."""
    written: list[str] = []
    driver: Any = pilot.app._driver
    driver.write = written.append
    await pilot.press("y", key)
    found = await becomes(pilot, lambda: re.findall(r"\x1b]52;c;([A-Za-z0-9+/=]*)\x07", "".join(written)))
    return base64.b64decode(found[0]).decode()


async def look_again(pilot: Pilot[Any]) -> None:
    """Let the app go on for a moment; a pause of the pilot asks every widget each time, hundreds of them."""
    await asyncio.sleep(0.02)
    pilot.app.screen._on_timer_update()


async def becomes(pilot: Pilot[Any], condition: Callable[[], T], seconds: float = 20.0) -> T:
    """Return the first true value of `condition`, asked while the app goes on; fail with the screen at the deadline."""
    deadline = time.monotonic() + seconds
    await pilot.pause(0)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"never came true; the screen shows\n{screen_text(pilot)}"
        await look_again(pilot)


async def shows(pilot: Pilot[Any], *texts: str, seconds: float = 20.0) -> str:
    """Wait until the screen shows all the texts and return what it shows; fail with the screen at the deadline."""
    deadline = time.monotonic() + seconds
    await pilot.pause(0)
    while True:
        screen = screen_text(pilot)
        missing = [text for text in texts if text not in screen]
        if not missing:
            return screen
        assert time.monotonic() < deadline, f"never seen: {missing} in\n{screen}"
        await look_again(pilot)


def until(condition: Callable[[], T | None], seconds: float = 20.0) -> T:
    """Return the first true value of `condition`, asked again and again until the deadline; for other processes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
