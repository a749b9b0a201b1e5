"""The share screen: what is where, and the keys that move it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sharing import Desk
from small_problem import add_run, make_engine
from support import becomes, engine_at, settle, shows
from textual.pilot import Pilot

from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import Console


async def told(pilot: Pilot[Any], words: str) -> None:
    """Wait until a toast says this."""
    toasts: Any = pilot.app._notifications  # pyright: ignore[reportPrivateUsage]
    await becomes(pilot, lambda: any(words in toast.message for toast in toasts))


SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)])


@pytest.fixture
def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Desk, Desk]]:
    """A workspace with a version and a run, and an empty one; no supervisor starts what is queued."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    ours, theirs = Desk(make_engine(tmp_path / "ours")), Desk(engine_at(tmp_path / "theirs"))
    add_run(ours.engine, "one", "failed")
    yield ours, theirs
    ours.engine.store.close()
    theirs.engine.store.close()


@pytest.mark.slow
@SIZES
async def test_what_is_pushed_here_is_pulled_there(desks: tuple[Desk, Desk], size: tuple[int, int]) -> None:
    ours, theirs = desks
    for desk in desks:
        desk.remote("../hub")
    async with Console(ours.engine, stage="data").run_test(size=size) as pilot:
        await shows(pilot, "small v1")
        await pilot.press("P")
        await shows(pilot, "team: 2 here only, 0 there only, 0 both", "small@v1", "run:1", "↑ here only")
        await pilot.press("space", "space", "u")
        await shows(pilot, "push small v1 and 1 more to t", "queued: waiting")
        ours.do(ours.engine.jobs.jobs()[0].id)
        await shows(pilot, "team: 0 here only, 0 there only, 2 both", "● both")
        await pilot.press("d")
        await told(pilot, "Choose something that is only at the remote.")
    async with Console(theirs.engine, stage="data").run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("P")
        await shows(pilot, "0 here only, 2 there only", "↓ team only", "ours")
        table = pilot.app.screen.query_one("#share-things")
        await becomes(pilot, lambda: table.select(ours.engine.data.version().id))  # type: ignore[attr-defined]
        await pilot.press("d")
        await shows(pilot, "pull small v1 from team", "queued: waiting")
        theirs.do(theirs.engine.jobs.jobs()[0].id)
        await shows(pilot, "0 here only, 1 there only, 1 both")
        await pilot.press("enter")
        await shows(pilot, "It came", "small v1 of workspace ours", ours.engine.data.version().id)
        await pilot.press("escape", "escape")
        await shows(pilot, "small v1")
    assert theirs.engine.data.version(1).id == ours.engine.data.version(1).id


@SIZES
async def test_without_a_remote_it_says_how_to_declare_one_and_bundles_work(
    desks: tuple[Desk, Desk], size: tuple[int, int]
) -> None:
    ours, theirs = desks
    async with Console(ours.engine, stage="data").run_test(size=size) as pilot:
        await pilot.press("P")
        await shows(pilot, "2 here, no remote", "No remote is declared", "[remotes.team]", "small@v1")
        await pilot.press("u")
        await told(pilot, "No remote is declared.")
        await pilot.press("b")
        await shows(pilot, "to which file?")
        pilot.app.screen.query_one("Input").value = "out.zip"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await becomes(pilot, lambda: ours.engine.jobs.jobs())
        ours.do(ours.engine.jobs.jobs()[0].id)
        await told(pilot, "to out.zip is finished")
    async with Console(theirs.engine, stage="data").run_test(size=size) as pilot:
        await pilot.press("P")
        await shows(pilot, "Nothing to share yet")
        await pilot.press("i")
        await shows(pilot, "Take in which bundle?")
        await pilot.press(*"none.zip", "enter")
        await shows(pilot, "There is no file none.zip")
        await pilot.press("i")
        pilot.app.screen.query_one("Input").value = str(ours.root / "out.zip")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await becomes(pilot, lambda: theirs.engine.jobs.jobs())
        theirs.do(theirs.engine.jobs.jobs()[0].id)
        await shows(pilot, "1 here, no remote")


async def test_a_remote_that_does_not_answer_is_said_and_what_is_here_is_shown(desks: tuple[Desk, Desk]) -> None:
    ours, _ = desks
    ours.remote("sftp://127.0.0.1:1/nowhere")
    ours.remote("../hub", "second")
    async with Console(ours.engine, stage="data").run_test(size=(80, 24)) as pilot:
        await pilot.press("P")
        await shows(pilot, "✖ team: sftp://127.0.0.1:1/nowhere can't be reached", "team did not answer", "small@v1")
        await pilot.press("r")
        await shows(pilot, "second: 2 here only", "remote 2 of 2")


async def test_read_only_shows_and_moves_nothing(desks: tuple[Desk, Desk]) -> None:
    from lemnis.engine import Engine

    ours, _ = desks
    ours.remote("../hub")
    ours.push("v1")
    engine = Engine(ours.engine.workspace, read_only=True)
    jobs = len(ours.engine.jobs.jobs())
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await pilot.press("P")
        await shows(pilot, "1 here only, 0 there only, 1 both")
        await pilot.press("u")
        await told(pilot, "open read-only")
    assert len(ours.engine.jobs.jobs()) == jobs
