"""One process closely: figures of the kernel, signals to exactly that process, and queries over a table of them."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound, ReadOnly
from lemnis.engine.query import QueryError
from lemnis.engine.resources import GpuReport, HostSample, Process, ProcessTable
from lemnis.engine.resources.alone import MachineAlone
from lemnis.engine.resources.asked import matching
from lemnis.engine.resources.closeup import look_at, send, stat_of
from lemnis.engine.resources.following import ProcessReader
from lemnis.engine.resources.marks import marks
from lemnis.engine.resources.owners import with_gpus
from lemnis.engine.resources.records import Gpu, GpuProcess
from lemnis.engine.resources.sampler import core_figures
from lemnis.engine.store import Store

MIB = 2**20


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield running
    running.kill()
    running.communicate()


def test_a_process_is_told_with_its_parents_and_what_it_holds(child: subprocess.Popen[bytes]) -> None:
    found = look_at(child.pid, stat_of(child.pid).started_ticks)
    assert found.process.command.endswith("-c input()")
    assert found.process.user
    assert found.ancestors[0][0] == os.getpid()
    assert found.process.parent == os.getpid()
    assert found.file_descriptors is not None
    assert (found.memory_peak_bytes or 0) > MIB
    assert child.pid in look_at(os.getpid(), stat_of(os.getpid()).started_ticks).children


def test_a_signal_reaches_its_process_and_never_another_with_its_number(child: subprocess.Popen[bytes]) -> None:
    started = stat_of(child.pid).started_ticks
    with pytest.raises(NotFound, match="has ended"):
        send(child.pid, started + 1, "KILL")
    with pytest.raises(BadInput, match="not a signal"):
        send(child.pid, started, "SEGV")
    send(child.pid, started, "STOP")
    until(lambda: stat_of(child.pid).state == "T")
    send(child.pid, started, "KILL")
    assert child.wait(timeout=20) == -9
    with pytest.raises(NotFound):
        send(child.pid, started, "TERM")
    with pytest.raises(NotFound):
        look_at(child.pid, started)


def test_a_read_only_workspace_sends_no_signal(engine: Engine, child: subprocess.Popen[bytes]) -> None:
    engine.resources.store = Store(engine.workspace, read_only=True)
    with pytest.raises(ReadOnly):
        engine.resources.signal(child.pid, stat_of(child.pid).started_ticks, "KILL")
    assert child.poll() is None


TABLE = ProcessTable(
    at=100_000,
    rows=[
        Process(pid=1, user="ada", command="python train.py", cpu_percent=90.0, memory_bytes=600 * MIB, started_at=0,
                line=[(1, 1)], owner="run 12 late", run_id=12, gpu_memory_bytes=4 * MIB),
        Process(pid=2, user="bob", command="bash -c 'x'", cpu_percent=None, memory_bytes=MIB, line=[(2, 1)],
                started_at=99_000),
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "pids"),
    [
        ("", [1, 2]),
        ("python", [1]),
        ("cpu > 50 and memory > 500", [1]),
        ("not user = ada", [2]),
        ("age < 10s", [2]),
        ("command ~ '^bash'", [2]),
        ("run = 12 or gpu > 1000", [1]),
        ("late", [1]),
    ],
)
def test_processes_are_found_by_the_language_of_every_list(query: str, pids: list[int]) -> None:
    assert [one.pid for one in matching(TABLE, query).rows] == pids


def test_a_query_that_cannot_be_read_says_where() -> None:
    with pytest.raises(QueryError, match="colour"):
        matching(TABLE, "colour = red")


def test_what_processes_hold_on_gpus_is_added_up() -> None:
    def gpu(index: str, held: int | None) -> Gpu:
        return Gpu(index=index, processes=[GpuProcess(pid=1, kind="compute", memory_bytes=held)])

    report = GpuReport(at=0, devices=[gpu("0", 3), gpu("1", 4)])
    assert [one.gpu_memory_bytes for one in with_gpus(ProcessTable(at=0, rows=[Process(pid=1)]), report).rows] == [7]
    unknown = GpuReport(at=0, devices=[gpu("0", None)])
    assert with_gpus(TABLE, unknown) is TABLE


def test_the_table_has_every_ancestor_of_what_it_shows() -> None:
    found = ProcessReader().read({os.getpid()}, top=3)
    pids = {one.pid for one in found.rows}
    assert os.getpid() in pids
    assert all(one.parent in pids for one in found.rows if one.parent)


def test_jobs_leave_marks_where_they_started_and_ended(engine: Engine) -> None:
    with engine.store.write() as db:
        for number, state, started, ended in (
            (1, "failed", 100, 500),
            (2, "running", 400, None),
            (3, "queued", None, 450),
        ):
            db.table("jobs").insert(
                {"id": number, "kind": "x", "title": "x", "arguments": "{}", "state": state, "created_at": 0,
                 "started_at": started, "ended_at": ended}
            )  # fmt: skip
    found = [(mark.at, mark.job_id, mark.state) for mark in marks(engine.store, 200, 1_000)]
    assert found == [(400, 2, "started"), (500, 1, "failed")]


def test_the_machine_alone_keeps_the_past_of_each_core(engine: Engine) -> None:
    assert core_figures(HostSample(at=0, core_percents=[12.6, None])) == {"0": 13, "1": None}
    alone = MachineAlone(engine.workspace.root, engine.resources)
    alone.now()
    until(lambda: alone.now().cpu_percent is not None)
    assert len(alone.processes().rows) > 1
    assert alone.marks() == []
    alone.close()
    lonely = MachineAlone(engine.workspace.root)
    lonely.now()
    until(lambda: lonely.now().cpu_percent is not None)
    assert set(lonely.cores(60, 60).values) == {str(core) for core in range(os.cpu_count() or 1)}
    # Between two looks that are close together a core may have counted no tick: its use is unknown then.
    until(lambda: lonely.now() and any(value is not None for value in lonely.cores(60, 60).values["0"]))
    last = lonely.cores(60, 60).at[-1]
    assert last <= now_ms() < last + 2_000
    lonely.close()
