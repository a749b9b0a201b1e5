"""A push or a pull in a process of its own that is killed at its n-th step, and what must be true afterwards."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal, TypeAlias

from ingest import Steps
from sharing import Desk

from lemnis.engine import Engine
from lemnis.engine.files import sha256_of
from lemnis.engine.share import folder
from lemnis.engine.workspace import Workspace

Way: TypeAlias = Literal["push", "pull"]
BLOCK = 8192


def main(way: Way, root: Path, last: int) -> None:
    """Push or pull everything, and print how many steps it took; commits and blocks are steps too."""
    folder.BLOCK_BYTES = BLOCK
    desk = Desk(Engine(Workspace(root)))
    share = desk.engine.share
    job = share.start_push(["v1", "run:1"]) if way == "push" else share.start_pull(["v1", "run:1"])
    steps = Steps(last)
    steps.wrap(folder, "sync_folder")
    steps.wrap(shutil, "copyfileobj")

    def traced(statement: str) -> None:
        if statement.lower().startswith(("begin", "insert", "update", "delete", "commit")):
            steps.pass_by()

    desk.engine.store.connection().set_trace_callback(traced)
    desk.engine.store.connection("metrics").set_trace_callback(traced)
    desk.do(job)
    print(steps.count)


def steps_of(way: Way, root: Path, last: int = 0) -> int:
    """Run it in a child; return how many steps it took, or -9 when it was killed."""
    done = subprocess.run(
        [sys.executable, __file__, way, str(root), str(last)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return int(done.stdout) if done.returncode == 0 else done.returncode


def prepared(root: Path, way: Way) -> Path:
    """Make two workspaces with one remote in `root`, to push from the first or to pull into the second."""
    from small_problem import SPLIT, add_run, flights
    from support import engine_at

    from lemnis.engine.data.versions import record_version
    from lemnis.engine.experiments.points import write_points

    ours, theirs = (Desk(engine_at(root / name)) for name in ("ours", "theirs"))
    roles = {"id": "key", "at": "time", "late": "label"}
    record_version(ours.engine.store, flights(3000), name="small", roles=roles, split=SPLIT)
    add_run(ours.engine, "one", "failed", params={"a": 1}, metrics={"b": 0.5})
    write_points(ours.engine.store, 1, [("b", step, 5, step / 10) for step in range(50)])
    for desk in (ours, theirs):
        desk.remote("../hub")
    if way == "pull":
        ours.push("v1", "run:1")
    ours.engine.store.close()
    theirs.engine.store.close()
    return root


def check_after_kill(root: Path, way: Way) -> None:
    """Assert that what is visible is whole, and that doing it again makes all right."""
    import pyarrow.parquet as pq

    desk = Desk(Engine(Workspace(root / ("ours" if way == "push" else "theirs"))))
    hub = root / "hub"
    for path in hub.glob("objects/*/*"):
        assert sha256_of(path) == path.parent.name + path.stem
    if way == "push":
        for item in desk.engine.share.overview().items:
            if item.there:  # visible: then all of it is there
                assert item.kind == "run" or (hub / f"objects/{item.id[:2]}/{item.id[2:]}.parquet").exists()
        desk.push("v1", "run:1")
        assert desk.push("v1", "run:1")["files"] == 0
        assert list((hub / "incoming").iterdir()) == []
    else:
        versions, runs = desk.engine.data.versions(), desk.engine.experiments.search().runs
        assert (len(versions), len(runs)) in ((0, 0), (1, 1))
        desk.pull("v1", "run:1")
        before = desk.state()
        desk.pull("v1", "run:1")
        assert desk.state() == before
        version = desk.engine.data.version(1)
        assert pq.read_table(version.file).num_rows == version.rows == 3000
        run = desk.engine.experiments.run(1)
        assert (run.params, run.metrics, len(desk.engine.experiments.curve(1)["b"])) == ({"a": "1"}, {"b": 0.5}, 50)
        assert len(desk.engine.share.origins()) == 2
        assert [path.name for path in desk.engine.workspace.runs.iterdir()] == ["1"]
    desk.engine.store.close()


def kill_at(template: Path, root: Path, way: Way, step: int) -> bool:
    """Put everything back where it was made, kill the transfer at a step, and check what is left.

    Returns whether it came so far: how often progress is written depends on the time it takes.
    """
    shutil.rmtree(root)
    shutil.copytree(template, root)
    killed = steps_of(way, root / ("ours" if way == "push" else "theirs"), step) == -signal.SIGKILL
    check_after_kill(root, way)
    return killed


if __name__ == "__main__":
    chosen: Way = "push" if sys.argv[1] == "push" else "pull"
    main(chosen, Path(sys.argv[2]), int(sys.argv[3]))
