"""A sync in a process of its own that is killed at its n-th step, and what must be true of the workspace afterwards."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.files import sha256_of
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import Workspace, create_workspace

CONFIG = '[sources.grown]\npath = "grown.csv"\nappend = true\n[sources.many]\npath = "many/*.csv"\n'


class Steps:
    """Counts what a sync does to the disk and the store; kills the process at one of its steps."""

    def __init__(self, last: int) -> None:
        self.count, self.last = 0, last
        for module, name in (
            (os, "replace"), (os, "fsync"), (os, "fchmod"), (os, "utime"), (os, "unlink"), (os, "open"),
            (shutil, "rmtree"), (tempfile, "mkdtemp"), (tempfile, "mkstemp"),
        ):  # fmt: skip
            self.wrap(module, name)

    def wrap(self, module: Any, name: str) -> None:
        real = getattr(module, name)

        def step(*arguments: Any, **named: Any) -> Any:
            self.pass_by()
            result = real(*arguments, **named)
            self.pass_by()
            return result

        setattr(module, name, step)

    def pass_by(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def main(root: Path, last: int) -> None:
    """Sync, and print how many steps it took; commits are steps too."""
    engine = Engine(Workspace(root))
    context = JobContext.for_test(engine.store)
    steps = Steps(last)

    def traced(statement: str) -> None:
        if statement.lower().startswith(("begin", "insert", "update", "delete", "commit")):
            steps.pass_by()

    engine.store.connection().set_trace_callback(traced)
    jobs.sync(context, {})
    print(steps.count)


def steps_of(root: Path, last: int = 0) -> int:
    """Run a sync in a child; return how many steps it took, or -9 when it was killed."""
    done = subprocess.run(
        [sys.executable, __file__, str(root), str(last)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return int(done.stdout) if done.returncode == 0 else done.returncode


def prepared(folder: Path) -> Path:
    """Make a workspace that has synced once and whose sources have grown since; return its folder."""
    workspace = create_workspace(folder, CONFIG)
    (folder / "many").mkdir()
    (folder / "grown.csv").write_text("a,b\n" + "".join(f"{n},x\n" for n in range(1000)))
    (folder / "many/1.csv").write_text("a\n1\n")
    engine = Engine(workspace)
    jobs.sync(JobContext.for_test(engine.store), {})
    engine.store.close()
    with open(folder / "grown.csv", "a") as file:
        file.write("1000,y\n")
    (folder / "many/2.csv").write_text("a\n2\n")
    return folder


def check_after_kill(root: Path) -> None:
    """Assert that each source has its old or its new state, every file is whole, and the next sync makes all right."""
    engine = Engine(Workspace(root))
    rows = {"grown": {1000, 1001}, "many": {1, 2}}
    for name, allowed in rows.items():
        assert engine.data.snapshots(name)[0].rows in allowed
    for snapshot in engine.data.snapshots():
        assert sha256_of(snapshot.path) == snapshot.sha256
    jobs.sync(JobContext.for_test(engine.store), {})
    for name, allowed in rows.items():
        assert engine.data.snapshots(name)[0].rows == max(allowed)
    for path in engine.workspace.data.glob(".*"):
        os.utime(path, (0, 0))
    jobs.sync(JobContext.for_test(engine.store), {})
    assert list(engine.workspace.data.glob(".*")) == []
    for path in engine.workspace.data.glob("*.parquet"):
        assert sha256_of(path) == path.stem
    engine.store.close()


def kill_at(template: Path, folder: Path, step: int) -> bool:
    """Put a prepared workspace back where it was made, kill its sync at a step, and check what is left.

    Returns whether it came so far: how often progress is written depends on the time it takes.
    """
    shutil.rmtree(folder)
    shutil.copytree(template, folder)
    killed = steps_of(folder, step) == -signal.SIGKILL
    check_after_kill(folder)
    return killed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
