"""Readings as text: missing is a dash, lines fit their width, and nothing from data is obeyed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from lemnis.engine.resources import (
    Disk,
    DiskUse,
    Gpu,
    GpuProcess,
    GpuReport,
    Holding,
    HostSample,
    PoolState,
    Process,
    ProcessTable,
    Waiting,
)
from lemnis.tui.stages.resources import lines, rows
from lemnis.tui.stages.resources.live.brief import brief_lines
from lemnis.tui.stages.resources.live.cores import core_lines
from lemnis.tui.stages.resources.live.disks import disk_lines, disks_brief
from lemnis.tui.stages.resources.live.flows import flow_lines
from lemnis.tui.stages.resources.live.gpus import gpu_lines
from lemnis.tui.widgets.cells import plain

GIB = 2**30
NOTHING = HostSample(at=0)
BUSY = HostSample(
    at=0,
    cpu_percent=37.4,
    core_percents=[10.0, None, 100.0],
    user_percent=20.0,
    load_1m=1.5,
    load_5m=1.0,
    load_15m=0.5,
    cores_total=3,
    cores_usable=1.5,
    memory_total_bytes=16 * GIB,
    memory_usable_bytes=4 * GIB,
    memory_used_bytes=round(3.9 * GIB),
    swap_total_bytes=0,
    cpu_pressure_percent=25.0,
    disk_total_bytes=100 * GIB,
    disk_free_bytes=5 * GIB,
    disk_read_bytes_per_s=2048.0,
    net_sent_bytes_per_s=0.0,
    uptime_s=3 * 86_400,
)
GPUS = GpuReport(
    at=0,
    driver="999",
    devices=[
        Gpu(
            index="0",
            name="H[b]200",
            busy_percent=40,
            memory_used_bytes=GIB,
            memory_total_bytes=16 * GIB,
            temperature_celsius=55,
            power_watts=123.4,
            throttled="power cap",
            processes=[GpuProcess(pid=7, kind="compute"), GpuProcess(pid=8, kind="compute", memory_bytes=GIB)],
        ),
        Gpu(index="1", name="H\x1b200", why="the GPU has fallen off the bus", lost_at=1_000),
    ],
)


TRAINING = Process(pid=7, user="ada", owner="run 12 train", command="python -m train")


def text(drawn: Sequence[object]) -> str:
    return "\n".join(plain(line) for line in drawn)  # type: ignore[arg-type]


def every_line(host: HostSample, gpus: GpuReport, width: int) -> list[object]:
    past = {"cpu_percent": [1.0, None, 3.0], "disk_read_bytes_per_s": []}
    return [
        *core_lines(host.core_percents, None, width, 4),
        *lines.memory_lines(host, width),
        *flow_lines(host, past, [DiskUse(name="data", bytes=1, files=1)], width, 9),
        *brief_lines(host, gpus, past, width),
        *gpu_lines(gpus, {7: TRAINING}, {"0": [10.0, None, 40.0]}, width, now_ms=61_000),
    ]


@pytest.mark.parametrize("width", [20, 60, 78, 158])
def test_a_reading_that_knows_nothing_is_drawn_with_dashes(width: int) -> None:
    drawn = text(every_line(NOTHING, GpuReport(at=0, reason="no driver"), width))
    assert "None" not in drawn
    assert "nan" not in drawn
    assert "–" in drawn
    assert "no GPU: no driver" in drawn


def test_scarce_memory_and_pressure_have_a_glyph_beside_their_colour() -> None:
    drawn = text(every_line(BUSY, GPUS, 78))
    assert "98% ✖ 3.9 GiB of 4.0 GiB" in drawn
    assert "CPU ▲ 25%" in drawn
    assert "95% ▲ 5.0 GiB free" in drawn
    assert "16.0 GiB, this is a container" in drawn


def disk(folder: str, free: int, **more: Any) -> Disk:
    return Disk(folder=folder, kind="xfs", total_bytes=100 * GIB, free_bytes=free * GIB, **more)


OTHERS = [
    disk("/", 70),
    disk("/data", 40, busy_percent=12.0, read_bytes_per_s=2048.0, write_bytes_per_s=None),
    disk("/mnt/scratch/of the\x1b team", 2, device="sdb"),
    disk("/models", 60, files_free_percent=3.2),
    Disk(folder="/mnt/share", kind="nfs4", device="server:/x", why="does not answer"),
]


@pytest.mark.parametrize("width", [30, 60, 76, 120])
def test_every_disk_fits_its_line_and_what_is_wrong_comes_first_where_room_is_short(width: int) -> None:
    drawn = [line.plain for line in disk_lines(OTHERS, width, 9)]
    assert len(drawn) == 5
    assert all(len(line.rstrip()) <= width for line in drawn)
    assert "\x1b" not in text(drawn)
    few = [line.plain for line in disk_lines(OTHERS, width, 3)]
    assert [line.split()[0].rpartition("/")[2] for line in few] == ["models", "share", "3"]
    brief = disks_brief(OTHERS, width).plain
    assert len(brief.rstrip()) <= width
    if width >= 76:
        assert "━━━━──  60%   40.0 GiB free   busy 12%" in text(drawn)
        assert "98% ✖ 2.0 GiB free" in text(drawn)
        assert brief == "others  /models 40% ▲ 3% of inodes left  /mnt/share – ▲ does not answer  +3"


def test_a_machine_with_several_disks_takes_one_line_more_of_a_small_screen() -> None:
    host = msgspec.structs.replace(BUSY, disks=[disk("/work", 5, files_free_percent=1.0), *OTHERS])
    one = brief_lines(msgspec.structs.replace(BUSY, disks=host.disks[:1]), GPUS, {}, 78)
    assert len(brief_lines(host, GPUS, {}, 78)) == len(one) + 1 == 7
    assert "▲ 1% of inodes left  5.0 GiB free" in text(list(one))
    assert len(flow_lines(host, {}, [], 60, 8)) == 8
    assert len(flow_lines(host, {}, [], 60, 20)) <= 20


def test_a_container_says_how_many_of_the_cores_are_its_own() -> None:
    assert lines.cpu_title(BUSY) == "1.5 of 3 cores · up 3 d"


def test_gpus_show_figures_owners_and_what_is_lost_since_when() -> None:
    drawn = text(gpu_lines(GPUS, {7: TRAINING}, {}, 158, now_ms=61_000))  # type: ignore[arg-type]
    assert "H[b]200" in drawn
    assert "40%" in drawn
    assert "▲ slowed: power cap" in drawn
    assert "123 of   – W" in drawn
    assert "7  ada                –     – busy  compute  → run 12 train  python -m train" in drawn
    assert "8  –            1.0 GiB     – busy  compute  not of this workspace" in drawn
    assert "✖ lost since" in drawn
    assert "(1 min): the GPU has fallen off the bus" in drawn
    assert "\x1b" not in drawn


def test_a_gpu_tells_what_limits_it_and_every_fault_has_a_sign() -> None:
    gpu = Gpu(
        index="0", name="NVIDIA H100", busy_percent=96, sm_active_percent=12, memory_used_bytes=79 * GIB,
        memory_total_bytes=80 * GIB, temperature_celsius=84, slows_at_celsius=87, stops_at_celsius=92, power_watts=700,
        power_limit_watts=700, sm_clock_mhz=1_200, sm_clock_most_mhz=1_980, pcie_generation=3, pcie_generation_most=5,
        pcie_lanes=8, pcie_lanes_most=16, pcie_received_bytes_per_s=2**30, ecc_corrected=3, ecc_uncorrected=1,
    )  # fmt: skip
    first, second = text(gpu_lines(GpuReport(at=0, devices=[gpu]), {}, {}, 158, now_ms=0)).splitlines()  # type: ignore[arg-type]
    assert "H100  busy" in first
    assert " 96% SM  12%" in first
    assert "✖" in first
    assert "▲  84 °C" in first
    assert "SM 1,200 of 1,980 MHz" in second
    assert "▲ PCIe 3 of 5 ×8 of 16 in 1.0 GiB/s out –" in second
    assert "✖ ECC 3 corrected, 1 lost" in second
    assert "slows at 87, stops at 92 °C" in second


def test_the_slices_of_a_divided_gpu_stand_below_it_by_their_profile() -> None:
    whole = Gpu(index="0", name="NVIDIA H100 80GB HBM3", mig=True, memory_used_bytes=GIB, memory_total_bytes=80 * GIB)
    part = Gpu(index="0.1", name="NVIDIA H100 80GB HBM3 MIG 1g.10gb", mig=True)
    drawn = text(gpu_lines(GpuReport(at=0, devices=[whole, part]), {}, {}, 158, now_ms=0))  # type: ignore[arg-type]
    above, divided, below = drawn.splitlines()
    assert " 0 H100 80GB HBM3" in above
    assert "divided (MIG)" in divided
    assert "└0.1 MIG 1g.10gb" in below


POOL = PoolState(
    cores=2, memory_bytes=8 * GIB, gpus=0, held_cores=2, held_memory_bytes=GIB, held_gpus=0,
    holding=[
        Holding(job_id=12, run_id=3, kind="experiments.train", title="train default", state="running", cores=2,
                memory_bytes=GIB, gpu=0, since=0, used_cores=0.0, used_memory_bytes=GIB // 2),
    ],
    waiting=[
        Waiting(job_id=13, run_id=None, kind="x", title="rank [red]", cores=1, memory_bytes=0, gpu=0, priority=50,
                since=0, why="waits for 1 core: 0 of 2 free, job 12 holds 2", refused=False),
    ],
)  # fmt: skip


def test_the_pool_says_what_is_held_used_and_waited_for() -> None:
    assert rows.pool_title(POOL) == "2 of 2 cores · 1.0 GiB of 8.0 GiB · no GPU held · 1 waiting"
    held, waiting = rows.pool_rows(POOL, 120_000)
    assert [plain(cell) for cell in held.cells] == [
        "12", "run 3 train default", "◐ running", "2", "0.0", "1.0 GiB", "512 MiB", "–", "2 min",
        "▲ holds cores but is idle",
    ]  # fmt: skip
    assert plain(waiting.cells[1]) == "rank [red]"
    assert plain(waiting.cells[2]) == "○ queued"
    assert plain(waiting.cells[-1]).startswith("waits for 1 core")


def test_a_process_says_whom_it_works_for_and_hides_no_control_character() -> None:
    process = Process(
        pid=7, user="ada", command="/opt/venv/bin/python -m x\x1b[31m", cpu_percent=150.04, memory_bytes=GIB,
        started_at=0, line=[(7, 99)], owner="run 12 train default", state="S", nice=10, threads=3, cpu_s=65.2,
    )  # fmt: skip
    row = rows.process_row(process, 60_000)
    assert row.key == "7:99"
    assert [plain(cell) for cell in row.cells] == [
        "7", "ada", "S", "10", "3", "150.0", "1.0 GiB", "–", "1:05.20", "1 min", "→ run 12 train default",
        "python -m x␛[31m",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (40, ["cpu", "memory", "command"]),
        (60, ["pid", "cpu", "memory", "command"]),
        (80, ["pid", "user", "cpu", "memory", "owner", "command"]),
        (120, ["pid", "user", "state", "cpu", "memory", "time", "age", "owner", "command"]),
    ],
)
def test_a_screen_shows_the_columns_it_has_room_for(width: int, names: list[str]) -> None:
    columns, _ = rows.only(rows.PROCESS_COLUMNS, [], rows.process_columns(width, absent=frozenset({"gpu"})))
    assert [column.name for column in columns] == names


def test_the_title_of_the_processes_says_what_is_left_out() -> None:
    known = ProcessTable(at=0, total=90, running=2, threads=100, rows=[TRAINING, TRAINING])
    shown = ProcessTable(at=0, rows=[TRAINING])
    assert rows.processes_title(known, shown, tree=True, wish="cpu > 5") == (
        "90, 2 running, 100 threads · tree · 1 of 2 shown: cpu > 5"
    )
    assert rows.clock(7_325) == "2h02"


def test_a_kernel_name_keeps_its_brackets() -> None:
    assert rows.short_command("[a/b]") == "[a/b]"
    assert rows.short_command("/usr/bin/x --y=/z") == "x --y=/z"
