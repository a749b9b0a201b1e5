"""Readings agree with the kernel, respect the container's limits, and say None where nothing is known."""

import os
import time
from pathlib import Path

import psutil
import pytest
from support import until

from lemnis.engine.resources import host
from lemnis.engine.resources.cgroups import Limits, memory_in_use, read_limits, usable_cores
from lemnis.engine.resources.host import Counters, Files, HostReader, cpu_shares, disk_of, memory
from lemnis.engine.resources.kernel import CoreTicks, OpenFile, card_counts, memory_bytes, pressure_percent
from lemnis.engine.resources.processes import TICKS_PER_S


def times(user: int, idle: int) -> CoreTicks:
    return (user, 0, 0, idle, 0, 0, 0, 0)


def test_the_first_reading_has_no_rates_and_the_second_has(tmp_path: Path) -> None:
    reader = HostReader(tmp_path)
    first = reader.read()
    assert first.cpu_percent is None
    assert first.disk_read_bytes_per_s is None
    second = until(lambda: sample if (sample := reader.read()).cpu_percent is not None else None)
    assert second.cpu_percent is not None
    assert 0 <= second.cpu_percent <= 100
    assert len(second.core_percents) == os.cpu_count()


def test_however_often_it_is_read_rates_are_of_at_least_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, spans = [0.0], list[float]()

    def spanned(before: Counters, after: Counters, _device: str) -> dict[str, float]:
        spans.append(after.at_s - before.at_s)
        return {}

    monkeypatch.setattr(host, "monotonic_s", lambda: clock[0])
    monkeypatch.setattr(host, "between", spanned)
    often, seldom = HostReader(tmp_path, 0.9), HostReader(tmp_path)
    for step in (0.0, 0.5, 0.5, 0.5, 0.25, 0.75, 2.0):
        clock[0] += step
        often.read()
    assert spans == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.25, 1.0, 2.0])
    spans.clear()
    for step in (0.0, 0.5, 2.0):
        clock[0] += step
        seldom.read()
    assert spans == pytest.approx([0.0, 0.5, 2.0])


def test_memory_and_disk_agree_with_other_sources(tmp_path: Path) -> None:
    sample = HostReader(tmp_path).read()
    assert sample.memory_total_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert sample.disk_total_bytes == psutil.disk_usage(str(tmp_path)).total
    assert sample.at == pytest.approx(time.time() * 1000, abs=60_000)


def test_counters_are_those_psutil_reads() -> None:
    files = Files()
    counters, other = Counters(files), psutil.cpu_times(percpu=True)
    assert [core[3] / TICKS_PER_S for core in counters.cores] == pytest.approx([one.idle for one in other], abs=1)
    disks = psutil.disk_io_counters(perdisk=True)
    for name, count in counters.disks.items():
        assert count.read_bytes == pytest.approx(disks[name].read_bytes, rel=0.05)
        assert count.busy_ms == pytest.approx(disks[name].busy_time, abs=5_000)
    cards = {name: card for name, card in psutil.net_io_counters(pernic=True).items() if name != "lo"}
    assert card_counts(files.cards.read()).keys() == cards.keys()
    sizes, machine = memory(memory_bytes(files.memory.read()), Limits()), psutil.virtual_memory()
    assert (sizes["memory_total_bytes"], sizes["swap_total_bytes"]) == (machine.total, psutil.swap_memory().total)
    assert sizes["memory_used_bytes"] == pytest.approx(machine.total - machine.available, rel=0.3)


def test_busy_shares_come_from_what_moved() -> None:
    shares = cpu_shares([times(10, 10), times(0, 0)], [times(11, 13), times(2, 0)])
    assert shares["core_percents"] == [25.0, 100.0]
    assert shares["cpu_percent"] == 50.0
    assert shares["user_percent"] == 50.0


def test_a_core_that_appears_in_between_makes_the_shares_unknown() -> None:
    assert cpu_shares([times(1, 1)], [times(1, 1), times(1, 1)]) == {"core_percents": [None, None]}


def test_a_bounded_group_counts_its_own_memory_not_the_machines(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text(f"{16 * 2**20}\n")
    machine = {"MemTotal": 2**34, "MemAvailable": 2**33, "SwapTotal": 2**30, "SwapFree": 2**29}
    inside = memory(machine, Limits(memory_bytes=64 * 2**20, memory_folder=tmp_path))
    assert inside["memory_usable_bytes"] == 64 * 2**20
    assert inside["memory_used_bytes"] == 16 * 2**20
    assert inside["memory_total_bytes"] == 2**34
    assert memory(machine, Limits(memory_bytes=2**40))["memory_used_bytes"] == 2**33
    assert memory({}, Limits()) == {}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_version_two_bounds_are_the_tightest_up_to_the_top(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user.slice/job\n",
            "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user.slice/memory.max": "1000000\n",
            "sys/fs/cgroup/user.slice/memory.current": "900000\n",
            "sys/fs/cgroup/user.slice/memory.stat": "anon 1\ninactive_file 300000\n",
            "sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user.slice/job/memory.max": "max\n",
        },
    )
    group = root / "sys/fs/cgroup/user.slice"
    assert read_limits(root) == Limits(cores=1.5, memory_bytes=1_000_000, memory_folder=group)
    assert memory_in_use(group) == 600_000


def test_version_one_inside_a_container_reads_the_mount_itself(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000\n",
        },
    )
    group = root / "sys/fs/cgroup/memory"
    assert read_limits(root) == Limits(cores=0.5, memory_bytes=2_000_000, memory_folder=group)
    assert memory_in_use(group) == 1_000_000


def test_no_bound_anywhere_is_none(tmp_path: Path) -> None:
    assert read_limits(tmp_path) == Limits()
    root = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"})
    assert read_limits(root) == Limits()
    assert usable_cores(Limits()) == len(os.sched_getaffinity(0))
    assert usable_cores(Limits(cores=0.5)) == 0.5


def test_without_pressure_files_the_pressure_is_unknown(tmp_path: Path) -> None:
    assert OpenFile(str(tmp_path / "cpu")).read() == b""
    assert pressure_percent(b"") is None
    assert pressure_percent(b"some avg10=1.50 avg60=2.00 avg300=0.10 total=5\nfull avg10=0.00") == 1.5


def test_a_folder_that_is_gone_has_no_disk(tmp_path: Path) -> None:
    assert disk_of(tmp_path / "gone") == ""
