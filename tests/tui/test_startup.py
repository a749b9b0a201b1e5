import json
import subprocess
import sys
from pathlib import Path

from lemnis.engine.workspace import create_workspace

HEAVY = ("lightgbm", "duckdb", "scipy", "pandas", "optuna", "sklearn", "pyarrow", "numpy", "typer", "sqlite_utils")
LATER = (
    *("lemnis.tui.widgets.chart", "lemnis.tui.widgets.grid", "lemnis.tui.widgets.confirm", "lemnis.engine.query"),
    *("lemnis.tui.copying", "lemnis.tui.screens.jump", "textual.document", "rich.pretty"),
)
OPENED = (  # by a key, and few in a day
    *("lemnis.tui.screens.incident", "lemnis.tui.screens.oncall", "lemnis.tui.screens.loop", "lemnis.tui.screens.form"),
    *("lemnis.tui.screens.alerted", "lemnis.tui.screens.answering", "lemnis.tui.screens.following"),
    *("lemnis.tui.screens.model_card", "lemnis.tui.screens.nodes", "lemnis.tui.screens.usage"),
    *("lemnis.tui.screens.jump", "lemnis.tui.screens.traced", "lemnis.tui.screens.decision", "lemnis.tui.copying"),
    *("lemnis.tui.stages.data.diff", "lemnis.tui.stages.data.differences", "lemnis.tui.stages.data.link_builder"),
    *("lemnis.tui.stages.data.preview", "lemnis.tui.stages.data.share", "lemnis.tui.stages.data.storage"),
    *("lemnis.tui.stages.features.pairing", "lemnis.tui.stages.validate.codes", "lemnis.tui.stages.validate.form"),
    *("lemnis.tui.stages.validate.proposing", "lemnis.tui.stages.experiments.columns"),
    *("lemnis.tui.stages.experiments.forms", "lemnis.tui.stages.experiments.train"),
    *("lemnis.tui.stages.evaluate.editor", "lemnis.tui.stages.evaluate.verified.listings"),
    *("lemnis.tui.stages.deploy.exporting", "lemnis.tui.stages.deploy.splitting"),
    *("lemnis.tui.stages.monitor.rehearsed", "lemnis.tui.stages.monitor.replaying", "lemnis.tui.stages.monitor.shape"),
    *("lemnis.tui.stages.monitor.why", "lemnis.tui.stages.resources.live.closeup"),
    *("lemnis.tui.stages.resources.pool.screen", "lemnis.engine.monitor.incident", "lemnis.engine.modelcard"),
    *("lemnis.engine.lineage", "lemnis.engine.validate.proposals", "lemnis.engine.validate.code_lists"),
)
UNASKED = (  # what acts of the rooms use, or workers, servers and clients: no tab's picture needs it
    *("cluster", "data.asof", "data.diff.kept", "data.duck", "data.files", "data.parquet", "data.references"),
    *("data.sources", "data.verified", "deploy.evidence", "deploy.golden", "deploy.modelbox", "evaluate.pairs"),
    *("deploy.rollout.sequential", "experiments.ablation", "experiments.advice", "experiments.code"),
    *("experiments.grid", "experiments.grouping", "experiments.predictions", "experiments.start"),
    *("explore.cells", "explore.export", "explore.labels.room", "explore.notes", "explore.sandbox", "explore.split"),
    *("explore.streams", "explore.terms", "features.signature", "jobs.services", "models.calibration"),
    *("monitor.alerting.advance", "monitor.alerting.changes", "monitor.alerting.letters", "monitor.judgements"),
    *("monitor.alerting.readings", "monitor.retraining.loop", "monitor.retraining.plans", "monitor.retraining.room"),
    *("monitor.retraining.studied", "query.completion", "resources.closeup", "resources.planning.law"),
    *("resources.scheduling.words", "tracking.artifacts", "tracking.models", "tracking.protocol", "tracking.versions"),
    *("validate.code_acts", "validate.compile", "validate.failures", "validate.runner", "validate.trial"),
)
OPEN = """
import asyncio, json, sys
from pathlib import Path
from lemnis.engine import Engine
from lemnis.engine.workspace import Workspace
from lemnis.tui.app import Console
from lemnis.tui.commands import main

async def look():
    app = Console(Engine(Workspace(Path(sys.argv[1]))))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()

asyncio.run(look())
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(code: str, *arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_opening_the_console_loads_nothing_heavy(tmp_path: Path) -> None:
    from lemnis.engine import Engine

    engine = Engine(create_workspace(tmp_path / "ws", '[problem]\ntitle = "x"\n'))
    engine.problem.record("test", "made")
    engine.store.close()
    loaded = modules_after(OPEN, str(tmp_path / "ws"))
    assert loaded & {*HEAVY, *LATER} == set()
    assert not {name for name in loaded if name.startswith("lemnis.engine.monitor")}, "nothing is in charge yet"
    assert not {"engine", "tui"} & loaded, "a second copy of the packages"


def test_a_command_does_not_load_textual(tmp_path: Path) -> None:
    code = (
        "import contextlib, io, json, sys\n"
        "from lemnis.tui.commands.group import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): run(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert "textual.app" not in modules_after(code)


def test_no_room_of_the_console_imports_what_only_workers_may() -> None:
    code = (
        "import json, sys\n"
        "from lemnis.tui.stages import STAGES\n"
        "for stage in STAGES: stage.load()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    forbidden = {"lightgbm", "duckdb", "scipy", "pandas", "optuna", "sklearn", "numpy", "pyarrow"}
    assert modules_after(code) & forbidden == set()


def test_rooms_that_are_warm_hold_nothing_that_a_key_opens() -> None:
    code = (
        "import importlib.util, json, sys\n"
        "import lemnis.tui.app\n"
        "from lemnis.tui.stages import STAGES\n"
        "from lemnis.tui.warming import warm_rooms\n"
        "ready = []\n"
        "warm_rooms(STAGES, ready.append, lambda: True)\n"
        "assert len(ready) == len(STAGES), ready\n"
        "loaded = sorted(sys.modules)\n"
        f"assert all(map(importlib.util.find_spec, {OPENED})), 'a name that is none'\n"
        "print(json.dumps(loaded))"
    )
    assert modules_after(code) & set(OPENED) == set()


def test_the_console_starts_without_what_libraries_only_look_for() -> None:
    code = (
        "import json, os, sys\n"
        "import lemnis.tui.commands.console as console\n"
        "import lemnis.tui.app\n"
        "from lemnis.tui.stages import STAGES\n"
        "from lemnis.tui.warming import settle_memory, share_heap\n"
        "share_heap()\n"
        "for stage in STAGES: stage.load()\n"
        "settle_memory()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert modules_after(code) & {"attr", "zipfile", "importlib.metadata", "email.message"} == set()


def test_warming_the_rooms_imports_nothing_of_the_engine_that_only_their_acts_use() -> None:
    code = (
        "import json, sys\n"
        "import lemnis.tui.app\n"
        "from lemnis.tui.stages import STAGES\n"
        "from lemnis.tui.warming import warm_rooms\n"
        "warm_rooms(STAGES, lambda name: None, lambda: True)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = modules_after(code)
    assert {f"lemnis.tui.stages.{room}.room" for room in ("validate", "explore", "monitor")} <= loaded
    assert loaded & {f"lemnis.engine.{name}" for name in UNASKED} == set()
