"""Readings agree with the kernel, respect the container's limits, and say None where nothing is known."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from support import until

from lemnis.engine.resources.cgroups import Limits, read_limits, usable_cores
from lemnis.engine.resources.host import HostReader, cpu_shares, disk_of, memory, pressure


def times(user: float, idle: float) -> SimpleNamespace:
    return SimpleNamespace(user=user, idle=idle)


def test_the_first_reading_has_no_rates_and_the_second_has(tmp_path: Path) -> None:
    reader = HostReader(tmp_path)
    first = reader.read()
    assert first.cpu_percent is None
    assert first.disk_read_bytes_per_s is None
    second = until(lambda: (sample := reader.read()).cpu_percent is not None and sample)
    assert 0 <= second.cpu_percent <= 100
    assert len(second.core_percents) == os.cpu_count()


def test_memory_and_disk_agree_with_other_sources(tmp_path: Path) -> None:
    sample = HostReader(tmp_path).read()
    assert sample.memory_total_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert sample.disk_total_bytes == psutil.disk_usage(str(tmp_path)).total
    assert sample.at == pytest.approx(time.time() * 1000, abs=60_000)


def test_busy_shares_come_from_what_moved() -> None:
    shares = cpu_shares([times(10, 10), times(0, 0)], [times(11, 13), times(2, 0)])
    assert shares["core_percents"] == [25.0, 100.0]
    assert shares["cpu_percent"] == 50.0
    assert shares["user_percent"] == 50.0


def test_a_core_that_appears_in_between_makes_the_shares_unknown() -> None:
    assert cpu_shares([times(1, 1)], [times(1, 1), times(1, 1)]) == {"core_percents": [None, None]}


def test_a_bounded_group_counts_its_own_memory_not_the_machines() -> None:
    inside = memory(64 * 2**20, 16 * 2**20)
    assert inside["memory_usable_bytes"] == 64 * 2**20
    assert inside["memory_used_bytes"] == 16 * 2**20
    assert inside["memory_total_bytes"] == psutil.virtual_memory().total


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
    assert read_limits(root) == Limits(cores=1.5, memory_bytes=1_000_000, memory_used_bytes=600_000)


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
    assert read_limits(root) == Limits(cores=0.5, memory_bytes=2_000_000, memory_used_bytes=1_000_000)


def test_no_bound_anywhere_is_none(tmp_path: Path) -> None:
    assert read_limits(tmp_path) == Limits()
    root = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"})
    assert read_limits(root) == Limits()
    assert usable_cores(Limits()) == len(os.sched_getaffinity(0))
    assert usable_cores(Limits(cores=0.5)) == 0.5


def test_without_pressure_files_the_pressure_is_unknown(tmp_path: Path) -> None:
    assert pressure("cpu", tmp_path) is None
    write(tmp_path, {"proc/pressure/cpu": "some avg10=1.50 avg60=2.00 avg300=0.10 total=5\n"})
    assert pressure("cpu", tmp_path) == 1.5


def test_a_folder_that_is_gone_has_no_disk(tmp_path: Path) -> None:
    assert disk_of(tmp_path / "gone") == ""
