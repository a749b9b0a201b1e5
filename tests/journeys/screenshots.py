"""Writes screenshots/ from the running console: one a tab, a grid, a sweep, the on-call view, and one at 80x24.

usage: python tests/journeys/screenshots.py [WORKSPACE]

Without a workspace it builds the demo in a folder of its own, and trains while it looks, so that live panels have
something to show. Nothing is drawn by hand: each file is what the console showed, at a fixed size and in a fixed theme,
with the clock standing still while a picture is taken.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from lemnis.engine import Engine, LemnisError
from lemnis.engine.demo import Demo, Step, data_folder
from lemnis.engine.experiments import Grid
from lemnis.engine.experiments.sweep import ENDED, Wishes
from lemnis.engine.resources import ProcessTable, ResourcesRoom
from lemnis.engine.workspace import Workspace, create_workspace
from lemnis.tui.app import Console
from lemnis.tui.stages import STAGES
from lemnis.tui.theme import DARK

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "screenshots"
SIZE, SMALL = (160, 48), (80, 24)
STEPS = {"explore": ("j",) * 5, "experiments": ("j",)}  # from the first row to one that shows more
LOADED_S, SEARCHED_S = 60.0, 1800.0
SWEEP = "leaves and steps"
QUIET_TURNS = 8  # turns of the event loop without work, after which a picture is complete
TURN_S = 0.15


def main() -> int:
    """Build or open a workspace and take every picture."""
    os.environ |= {"TEXTUAL_ANIMATIONS": "none", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    OUT.mkdir(exist_ok=True)
    with working_engine(sys.argv[1:]) as engine, private_processes():
        asyncio.run(take_tabs(engine))
        asyncio.run(take_searches(engine))
        asyncio.run(take_small(engine))
    return 0


@contextmanager
def working_engine(arguments: list[str]) -> Generator[Engine, None, None]:
    """Yield the engine of the named workspace, or of a demo that is stopped and removed afterwards."""
    if arguments:
        engine = Engine(Workspace(Path(arguments[0]).absolute()))
        yield engine
        engine.store.close()
        return
    with tempfile.TemporaryDirectory(prefix="lemnis-pictures-") as folder:
        engine = demo_in(Path(folder) / "flights")
        try:
            build(engine)
            yield engine
        finally:
            for job in engine.jobs.jobs(states=("queued", "preparing", "running")):
                with suppress(LemnisError):
                    engine.jobs.cancel(job.id)
            engine.jobs.stop_supervisor()
            engine.store.close()


def demo_in(folder: Path) -> Engine:
    """Return the engine of a new demo on a copy of its tables, so that no picture shows a folder of this machine."""
    template = (ROOT / "engine" / "demo.toml").read_text("utf-8")
    engine = Engine(create_workspace(folder, template.replace("{data}", "tables")))
    shutil.copytree(data_folder(), folder / "tables")
    return engine


def build(engine: Engine) -> None:
    """Take the demo round its loop, then leave it training."""
    demo = Demo(engine, tell)
    demo.build()
    demo.watch()
    best = max(engine.experiments.search("state = 'finished'").runs, key=lambda run: run.metrics.get("auc") or 0.0)
    engine.experiments.pin(best.id)
    search(engine)
    for name in ("regularised, longer", "regularised, slower")[: os.cpu_count() or 1]:
        overrides = {"rounds": 5000, "early_stopping": 0, "learning_rate": 0.01 if "slower" in name else 0.03}
        engine.experiments.start("regularised", overrides=overrides, name=name, user="demo")
    engine.experiments.start("default", user="demo")  # waits: the queue has something to say


def search(engine: Engine) -> None:
    """Train half of a grid, leave the whole of it to be chosen, and look for better parameters until all have ended."""
    algorithms = ["gbdt", "dart", "linear"]
    engine.experiments.grids.start(grid_of(algorithms, 15, 31), user="demo")
    engine.experiments.remember("grid", grid_of(algorithms, 15, 31, 63, 127))
    space = ["num_leaves=7..127:log", "learning_rate=0.02..0.3:log", "min_data_in_leaf=20..500:log"]
    name = engine.sweeps.start(
        "default", Wishes(space=space, overrides={"rounds": 60}, trials=24, seed=7, name=SWEEP), user="demo"
    ).name
    engine.jobs.ensure_supervisor()
    deadline = time.monotonic() + SEARCHED_S
    while engine.sweeps.sweep(name).state not in ENDED or engine.experiments.count("state in (queued, running)"):
        assert time.monotonic() < deadline, f"{name} did not end"
        time.sleep(1.0)


def grid_of(algorithms: list[str], *leaves: int) -> Grid:
    """Return a grid of algorithms and numbers of leaves."""
    return Grid(algorithms=algorithms, values={"num_leaves": list(leaves), "rounds": [60]})


def tell(step: Step) -> None:
    """Say what the demo has done."""
    if step.done:
        print(f"{step.stage:<12} {step.text}", flush=True)


async def take_tabs(engine: Engine) -> None:
    """Take one picture of each tab, and the on-call view."""
    app = Console(engine)
    async with app.run_test(size=SIZE) as pilot:
        app.theme = DARK.name
        for stage in STAGES:
            await pilot.press(stage.key)
            await settle(pilot)
            if stage.name in STEPS:
                await pilot.press(*STEPS[stage.name])
                await settle(pilot)
            keep(app, f"{stage.key}-{stage.name}")
        await pilot.press("9", "o")
        await settle(pilot)
        keep(app, "on-call")


async def take_searches(engine: Engine) -> None:
    """Take a picture of a grid before it is trained, and of a sweep, where the workspace has one."""
    app = Console(engine, stage="experiments")
    async with app.run_test(size=SIZE) as pilot:
        app.theme = DARK.name
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        keep(app, "6-grid")
        await pilot.press("escape")
        if engine.sweeps.sweeps():
            await pilot.press("w", "enter")
            await settle(pilot)
            keep(app, "6-sweep")


async def take_small(engine: Engine) -> None:
    """Take a picture at the size of a plain terminal."""
    app = Console(engine, stage="monitor")
    async with app.run_test(size=SMALL) as pilot:
        app.theme = DARK.name
        await settle(pilot)
        keep(app, "80x24-monitor")


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until the open tab is loaded, and then until nothing loads any more; a live tab never ends."""
    app = pilot.app
    assert isinstance(app, Console)
    deadline = time.monotonic() + LOADED_S
    while app.stage is None or app.stage.loaded_at is None:
        assert time.monotonic() < deadline, f"{app.here} did not load"
        await pilot.pause(TURN_S)
    quiet = turns = 0
    while quiet < QUIET_TURNS and turns < 6 * QUIET_TURNS:
        await pilot.pause(TURN_S)
        busy = [worker for worker in app.workers if worker.is_running and worker.name == "load"]
        quiet, turns = (0 if busy else quiet + 1), turns + 1


def keep(app: Console, name: str) -> None:
    """Write what the console shows now; the file names no address and no font that would have to be fetched."""
    with standing_clock():
        svg = app.export_screenshot(title="Lemnis")
    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.S)
    (OUT / f"{name}.svg").write_text(svg)
    print(f"screenshots/{name}.svg", flush=True)


@contextmanager
def standing_clock() -> Generator[None, None, None]:
    """Let the wall clock stand still, so that all ages of one picture agree."""
    now, real = time.time_ns(), time.time_ns
    time.time_ns = lambda: now
    try:
        yield
    finally:
        time.time_ns = real


@contextmanager
def private_processes() -> Generator[None, None, None]:
    """Show only this workspace's processes, and no folder of this machine: pictures are for everybody."""
    read = ResourcesRoom.processes

    def processes(self: ResourcesRoom) -> ProcessTable:
        table = read(self)
        root = str(self.store.workspace.root)
        rows = [
            msgspec.structs.replace(row, command=row.command.replace(root, "~/flights").replace(str(ROOT), "~/lemnis"))
            for row in table.rows
            if row.owner and row.owner != "this console"
        ]
        return msgspec.structs.replace(table, rows=rows)

    ResourcesRoom.processes = processes
    try:
        yield
    finally:
        ResourcesRoom.processes = read


if __name__ == "__main__":
    sys.exit(main())
