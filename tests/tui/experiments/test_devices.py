"""Which device: the command's table and the dialog that takes the recommended one over."""
# pyright: basic

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_problem import make_engine
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.experiments import Advice, Advisor
from lemnis.engine.experiments.advice import Tried
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import THREADS, Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.experiments.train import TrainDialog

ADVICE = Advice(
    preset="default",
    algorithm="gbdt",
    version="small v1",
    rows=900,
    rounds=100,
    tried_rounds=30,
    metric="auc",
    device="gpu",
    why="gpu is best: cpu takes 2 times as much.",
    tried=[
        Tried(device="cpu", usable=True, prepare_s=0.5, round_s=0.1, value=0.8, total_s=10.4, peak_bytes=1 << 20),
        Tried(device="gpu", usable=True, name="Tesla\x1b[31m", prepare_s=1.0, round_s=0.05, value=0.8, total_s=5.9),
        Tried(device="cuda", usable=False, why="CUDA Tree Learner was not enabled in this build."),
    ],
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine whose advice is there as soon as its job is asked for."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    monkeypatch.setattr(Advisor, "read", lambda advisor, job_id: ADVICE)
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


def end(engine: Engine, state: str, why: str) -> None:
    with engine.store.write() as db:
        db.execute("update jobs set state = ?, why = ?", [state, why])


def test_the_command_prints_each_device_and_the_advice(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobsRoom, "wait", lambda room, job_id, on_progress=None: SimpleNamespace())
    words = ["-w", str(engine.workspace.root), "train", "--advise", "--set", "num_leaves=7"]
    assert run(hoisted(words)) == 0
    out = capsys.readouterr().out
    assert "30 of 100 rounds of gbdt on each device, 900 training rows of small v1" in out
    assert "gpu is best: cpu takes 2 times as much." in out
    assert "cuda: CUDA Tree Learner was not enabled in this build." in out
    assert "\x1b" not in out
    assert run(hoisted([*words, "--json"])) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (document["device"], len(document["tried"]), engine.experiments.count()) == ("gpu", 3, 0)


async def ask(pilot: Pilot[None]) -> None:
    """Ask which device, from the dialog that trains."""
    for key in ("6", "t", "a"):
        await pilot.press(key)
        await settle(pilot)
    await shows(pilot, "Which device?", "queued: waiting")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_dialog_follows_the_trials_and_takes_the_best_device(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        await ask(pilot)
        end(engine, "finished", "finished")
        screen = await shows(pilot, "gpu is best", "cuda: CUDA Tree Learner", "Tesla", "5.9 s")
        assert ("a round" in screen) == (size[0] > 100)
        await pilot.press("j", "enter")
        await shows(pilot, "✖ cuda can't be used here.")
        await pilot.press("k", "enter")
        await settle(pilot)
        dialog = pilot.app.screen
        assert isinstance(dialog, TrainDialog)
        assert dialog.query_one("#overrides", Input).value == "device=gpu"


async def test_leaving_stops_the_trials_also_where_no_thread_is_free_for_it(engine: Engine) -> None:
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        await ask(pilot)
        free, loop = threading.Event(), asyncio.get_running_loop()
        busy = [loop.run_in_executor(None, free.wait) for _ in range(THREADS)]
        await pilot.press("escape")
        await becomes(pilot, lambda: "which device?" in screen_text(pilot))
        await pilot.pause(0.2)  # what was begun by the dialog is given up with it
        free.set()
        await asyncio.gather(*busy)
        await becomes(pilot, lambda: [job.state for job in engine.jobs.jobs()] == ["cancelled"])


async def test_leaving_stops_the_trials_and_a_failure_is_said(engine: Engine) -> None:
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        await ask(pilot)
        await pilot.press("escape")
        await becomes(pilot, lambda: [job.state for job in engine.jobs.jobs()] == ["cancelled"])
        await pilot.press("a")
        await settle(pilot)
        end(engine, "failed", "No device could train these rounds.")
        await shows(pilot, "It is failed: No device could train these rounds.")
