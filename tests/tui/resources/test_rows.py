"""Readings as text: missing is a dash, lines fit their width, and nothing from data is obeyed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.resources import (
    DiskUse,
    Gpu,
    GpuProcess,
    GpuReport,
    History,
    Holding,
    HostSample,
    PoolState,
    Process,
    Waiting,
)
from lemnis.tui.stages.resources import lines, rows
from lemnis.tui.stages.resources.pane import VIEWS, axis_of, series_of
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


def text(drawn: list[object]) -> str:
    return "\n".join(plain(line) for line in drawn)  # type: ignore[arg-type]


def every_line(host: HostSample, gpus: GpuReport, width: int) -> list[object]:
    past = {"cpu_percent": [1.0, None, 3.0], "disk_read_bytes_per_s": []}
    return [
        *lines.core_lines(host.core_percents, width, 4),
        *lines.memory_lines(host, width),
        *lines.flow_lines(host, past, [DiskUse(name="data", bytes=1, files=1)], width),
        *lines.brief_lines(host, gpus, past, width),
        *lines.gpu_lines(gpus, {7: "run 12 train"}, width, 61_000),
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


def test_a_container_says_how_many_of_the_cores_are_its_own() -> None:
    assert lines.cpu_title(BUSY) == "1.5 of 3 cores · up 3 d"


def test_gpus_show_figures_owners_and_what_is_lost_since_when() -> None:
    drawn = text(lines.gpu_lines(GPUS, {7: "run 12 train"}, 158, 61_000))  # type: ignore[arg-type]
    assert "H[b]200" in drawn
    assert "40%" in drawn
    assert "▲ slowed: power cap" in drawn
    assert "pid 7  –  compute  → run 12 train" in drawn
    assert "pid 8  1.0 GiB  compute  → not of this workspace" in drawn
    assert "✖ lost since" in drawn
    assert "(1 min): the GPU has fallen off the bus" in drawn
    assert "\x1b" not in drawn


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300), st.integers(20, 200), st.integers(1, 6))
def test_any_number_of_cores_fits_the_lines_there_are(cores: list[float | None], width: int, most: int) -> None:
    drawn = lines.core_lines(cores, width, most)
    assert len(drawn) <= most
    assert all(line.cell_length <= width for line in drawn)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=300), st.integers(4, 100))
def test_a_past_is_exactly_as_wide_as_its_place(values: list[float | None], width: int) -> None:
    assert len(lines.history_of(values, width)) == width


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
        started_at=0, line=[(7, 99)], owner="run 12 train default",
    )  # fmt: skip
    row = rows.process_row(process, 60_000)
    assert row.key == "7:99"
    shown = [plain(cell) for cell in row.cells]
    assert shown == ["7", "ada", "150.0", "1.0 GiB", "1 min", "→ run 12 train default", "python -m x␛[31m"]
    columns, cut = rows.only(rows.PROCESS_COLUMNS, [row], rows.NARROW_PROCESSES)
    assert [column.name for column in columns] == ["pid", "cpu", "memory", "owner", "command"]
    assert [plain(cell) for cell in cut[0].cells] == [shown[0], shown[2], shown[3], shown[5], shown[6]]


def test_a_kernel_name_keeps_its_brackets() -> None:
    assert rows.short_command("[a/b]") == "[a/b]"
    assert rows.short_command("/usr/bin/x --y=/z") == "x --y=/z"


def test_the_chart_counts_back_from_now_and_leaves_out_the_step_that_fills() -> None:
    past = History(source="host", step_s=60, at=[0, 60_000, 120_000], values={"cpu_percent": [1.0, None, 9.0]})
    cpu, memory = series_of(VIEWS[0], past, 900)
    assert axis_of(900) == (60, "minutes")
    assert (list(cpu.x), list(cpu.y)) == ([-1.0, 0.0], [1.0, None])
    assert memory.y == []
