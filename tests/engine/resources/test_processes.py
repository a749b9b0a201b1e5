"""The process table survives processes that come and go, odd names, and knows whose each one is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.jobs.processes import identity_of
from lemnis.engine.resources.following import ProcessReader
from lemnis.engine.resources.processes import line_of, parse_stat, read_table
from lemnis.engine.resources.records import Process, ProcessTable

TREE = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).wait()"


@pytest.fixture
def tree() -> Iterator[int]:
    """A process with a child, both idle; its pid."""
    process = subprocess.Popen([sys.executable, "-c", TREE], start_new_session=True)
    until(lambda: [one for one in read_table().values() if one.parent == process.pid])
    yield process.pid
    os.killpg(process.pid, 9)
    process.wait()


def test_a_name_with_spaces_and_parentheses_is_read() -> None:
    stat = parse_stat(b"7 (a) R (b c)) S 1 7 7 0 -1 0 0 0 0 0 3 4 0 0 20 0 2 0 99 5000 10 0")
    assert (stat.name, stat.state, stat.parent, stat.ticks, stat.threads, stat.started_ticks) == (
        "a) R (b c)", "S", 1, 7, 2, 99,
    )  # fmt: skip


def test_a_process_of_this_very_moment_is_found_with_its_share() -> None:
    reader = ProcessReader()
    reader.read(set())
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    mine = next(row for row in reader.read({os.getpid()}).rows if row.pid == os.getpid())
    assert mine.cpu_percent is not None
    assert mine.cpu_percent > 0
    assert mine.command.startswith(sys.executable) or "python" in mine.command
    assert mine.user
    assert mine.started_at is not None
    assert 0 < mine.started_at <= now_ms()


def test_every_figure_is_the_one_psutil_reads(tree: int) -> None:
    reader = ProcessReader()
    for pid in (tree, os.getpid(), os.getppid()):
        other, row = psutil.Process(pid), next(one for one in reader.read({pid}).rows if one.pid == pid)
        assert (row.parent or 1, row.name, row.user, row.nice) == (
            other.ppid() or 1, other.name(), other.username(), other.nice(),
        )  # fmt: skip
        assert row.command == " ".join(other.cmdline())[:300]
        assert row.threads == other.num_threads()
        assert row.cpu_s == pytest.approx(sum(other.cpu_times()[:2]), abs=0.1)
        assert row.memory_bytes == pytest.approx(other.memory_info().rss, rel=0.2)
        assert row.started_at == pytest.approx(other.create_time() * 1000, abs=1_500)


def test_what_stood_still_shows_its_share_when_it_works_and_is_gone_when_it_has_ended() -> None:
    line = "import sys\nfor _ in sys.stdin:\n for n in range(10**7): pass\n"
    process = subprocess.Popen([sys.executable, "-c", line], stdin=subprocess.PIPE)
    reader = ProcessReader()

    def share() -> float | None:
        return next((row.cpu_percent for row in reader.read({process.pid}).rows if row.pid == process.pid), None)

    try:
        until(lambda: [share() for _ in range(6)] == [0.0] * 6)
        assert process.stdin is not None
        process.stdin.write(b"\n" * 20)
        process.stdin.flush()
        until(lambda: (share() or 0.0) > 1)
    finally:
        process.kill()
        process.communicate()
    until(lambda: share() is None)


def test_what_is_kept_brings_its_descendants_and_its_ancestors(tree: int) -> None:
    rows = ProcessReader().read({tree}, top=0).rows
    assert len([row for row in rows if tree in dict(row.line)]) == 2
    above = next(dict(row.line) for row in rows if row.pid == tree)
    assert {row.pid for row in rows if tree not in dict(row.line)} == set(above) - {tree}


def test_five_hundred_short_lives_never_break_a_reading() -> None:
    reader = ProcessReader()
    shell = subprocess.Popen(["sh", "-c", "for i in $(seq 500); do /bin/true; done"])
    while shell.poll() is None:
        assert reader.read(set()).total > 0
    assert shell.returncode == 0


def test_a_parent_that_is_gone_ends_the_line(tmp_path: Path) -> None:
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "stat").write_bytes(b"5 (x) S 4 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0 0")
    (tmp_path / "6").mkdir()
    table = read_table(tmp_path)
    assert line_of(table[5], table) == [(5, 9)]


def test_a_tree_belongs_to_the_job_that_started_it_and_a_stranger_with_its_pid_does_not(
    engine: Engine, tree: int
) -> None:
    identity = identity_of(tree)
    assert identity is not None
    with engine.store.write() as db:
        db.table("jobs").insert(
            {
                "kind": "x", "title": "rank features", "arguments": "{}", "state": "running", "pid": tree,
                "started_ticks": identity.started_ticks, "created_at": now_ms(), "cores": 1,
            }
        )  # fmt: skip
    rows = engine.resources.processes().rows
    mine = [row for row in rows if row.job_id is not None]
    assert [row.owner for row in mine] == ["job 1 rank features"] * 2
    assert any(row.owner == "this console" for row in rows) or os.getpid() not in {row.pid for row in rows}
    with engine.store.write() as db:
        db.execute("update jobs set started_ticks = started_ticks + 1")
    assert all(row.job_id is None for row in engine.resources.processes().rows)


def test_a_job_shows_what_it_uses_beside_what_it_holds(engine: Engine) -> None:
    with engine.store.write() as db:
        for number, state in ((1, "running"), (2, "queued")):
            db.table("jobs").insert(
                {
                    "id": number, "kind": "x", "title": "train", "arguments": "{}", "state": state,
                    "pid": 1000 + number, "started_ticks": 5, "created_at": number, "started_at": number, "cores": 2,
                }
            )  # fmt: skip
        at = now_ms()
        row = Process(pid=1001, cpu_percent=150.0, memory_bytes=2**20, line=[(1001, 5)])
        table = ProcessTable(at=at, rows=[row, row])
        db_values = ["processes", at, msgspec.json.encode(table).decode()]
    with engine.store.write("metrics") as db:
        db.execute("insert into latest (name, at, sample) values (?, ?, ?)", db_values)
    pool = engine.resources.pool()
    assert (pool.holding[0].cores, pool.holding[0].used_cores) == (2, 3.0)
    assert pool.holding[0].used_memory_bytes == 2**21
    assert pool.held_cores == 2
    assert pool.waiting[0].why.startswith("waits for 2 cores: 0 of 2 free, job 1 holds 2")
