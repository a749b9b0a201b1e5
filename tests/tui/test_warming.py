"""Rooms of tabs that nobody has opened yet are imported and made meanwhile; opening one of them is opening any."""

import ctypes
import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from small_problem import add_run, make_engine
from support import becomes, engine_at, settle, shows

from lemnis.tui.app import THREADS, Console
from lemnis.tui.messages import RoomImported
from lemnis.tui.stages import BY_NAME, STAGES, StageInfo
from lemnis.tui.stages.experiments.room import ExperimentsStage
from lemnis.tui.warming import MUCH, PAUSED_LOOKS, Rest, warm_rooms
from lemnis.tui.widgets import Table


def test_every_room_is_imported_unless_it_can_not_be_or_the_console_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.tui.warming.PAUSE_S", 0.0)
    missing = StageInfo("x", "nothing", "Nothing", "No")
    ready: list[str] = []
    warm_rooms([missing, *STAGES], ready.append, lambda: len(ready) < 3)
    assert ready == ["monitor", "problem", "data"], "who is on call comes first"


async def test_a_tab_that_was_made_ahead_opens_with_what_it_holds(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "box")
    add_run(engine, "deep", metrics={"auc": 0.8})
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app = pilot.app
        for name in ("experiments", "experiments", "problem"):  # once more makes no second one
            app.post_message(RoomImported(name))
        await becomes(pilot, lambda: bool(app.query("#stage-experiments #runs")))
        room = app.query_one("#stage-experiments", ExperimentsStage)
        await becomes(pilot, lambda: room.query_one("#runs", Table).total == 1)
        assert not room.display
        add_run(engine, "wide", metrics={"auc": 0.9})
        await pilot.press(BY_NAME["experiments"].key)
        await shows(pilot, "deep", "wide", "Runs 2")
        assert app.focused is room.query_one("#runs", Table)
        assert len(app.query("#stage-experiments")) == len(app.query("#stage-problem")) == 1


async def test_a_tab_that_is_opened_while_it_is_made_is_whole(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "box")
    add_run(engine, "deep")
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        console = pilot.app
        assert isinstance(console, Console)
        await settle(pilot)
        console.on_room_imported(RoomImported("experiments"))
        await console.action_stage("experiments")
        assert console.focused is console.query_one("#runs", Table)
        await shows(pilot, "deep")


def test_garbage_is_cleared_once_in_a_pause_after_much(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    monkeypatch.setattr(gc, "get_stats", lambda: [{}, {"collections": made}, {}])
    rest, pause = Rest(), PAUSED_LOOKS + 2
    assert [rest.due(1) for _ in range(pause)] == [False] * pause, "little was made"
    made = MUCH
    assert rest.due(1)
    made = 2 * MUCH
    assert [rest.due(1) for _ in range(pause)] == [False] * pause, "nobody has typed since"
    assert [rest.due(1 + heard) for heard in range(1, pause)] == [False] * (pause - 1), "keys come one after another"
    assert [rest.due(pause) for _ in range(pause)].count(True) == 1
    assert [rest.due(pause + 1) for _ in range(pause)] == [False] * pause, "little was made since"


async def test_a_console_reads_in_few_threads_however_many_cores_there_are(tmp_path: Path) -> None:
    console, gate = Console(engine_at(tmp_path / "ws")), threading.Event()
    async with console.run_test() as pilot:
        for place in range(3 * THREADS):
            console.run_worker(lambda: gate.wait(30), thread=True, group=f"{place}")
        await becomes(pilot, lambda: reading() == THREADS)
        await pilot.pause()
        assert reading() == THREADS
        gate.set()


def reading() -> int:
    return sum(thread.name.startswith("reads") for thread in threading.enumerate())


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="not this C library")
def test_what_is_large_is_given_back_whatever_was_asked_for_after_it() -> None:
    assert apart(f"from lemnis.tui.warming import share_heap\nshare_heap()\n{LARGE}") > 8 << 20
    assert apart(LARGE) < 8 << 20, "else nothing had to be done"


LARGE = """
import ctypes
Info = type("Info", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in "abcdefghij"]})
library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
once = bytearray(20 << 20)
del once
held = bytearray(8 << 20)
print(library.mallinfo2().e)
"""


def apart(code: str) -> int:
    """Return how many bytes a script has outside of the heap at its end."""
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
