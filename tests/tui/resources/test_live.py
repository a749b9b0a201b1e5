"""Graphs, time axis, cores and trees as text: gaps are gaps, everything fits its place, nothing is lost."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.resources import History, Mark, Process, ProcessDetail
from lemnis.tui.stages.resources.live.cores import core_lines
from lemnis.tui.stages.resources.live.graph import Shape, area, heat, resampled, shape_for, strip
from lemnis.tui.stages.resources.live.one import detail_lines, point_between, point_lines
from lemnis.tui.stages.resources.live.past import VIEWS, past_lines
from lemnis.tui.stages.resources.live.tree import in_tree
from lemnis.tui.widgets.cells import Row, plain

VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=200)
SHAPES: tuple[Shape, ...] = ("braille", "blocks", "ascii")


@given(VALUES, st.integers(1, 90), st.integers(1, 8), st.sampled_from(SHAPES))
def test_a_graph_is_exactly_as_large_as_its_place(
    values: list[float | None], width: int, height: int, shape: Shape
) -> None:
    drawn = area(values, width, height, shape=shape)
    assert [len(line) for line in drawn] == [width] * height
    assert shape != "ascii" or "".join(drawn).isascii()


def test_nothing_measured_is_a_dot_and_not_measured_is_blank() -> None:
    assert strip([0.0, None, 100.0, 50.0], 4, top=100.0, shape="blocks") == "▁ █▄"
    assert strip([0.0, None, 100.0], 3, top=100.0, shape="ascii") == ". #"
    assert strip([0.0, None, None, 100.0], 2, top=100.0) == "⡀⢸"
    assert area([0.0, 100.0], 2, 2, top=100.0, shape="blocks") == [" █", "▁█"]


@given(VALUES, st.integers(1, 50))
def test_resampling_keeps_within_what_was_measured(values: list[float | None], slots: int) -> None:
    found = resampled(values, slots)
    known = [value for value in values if value is not None]
    assert len(found) == slots
    assert all(value is None or min(known) * 0.999 <= value <= max(known) * 1.001 for value in found)


@pytest.mark.parametrize(
    ("environment", "encoding", "shape"),
    [
        ({"TERM": "xterm-256color"}, "utf-8", "braille"),
        ({"TERM": "linux"}, "UTF-8", "blocks"),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", "ascii"),
        ({"TERM": "xterm", "LEMNIS_GRAPHS": "ascii"}, "utf-8", "ascii"),
    ],
)
def test_a_terminal_gets_what_it_can_draw(environment: dict[str, str], encoding: str, shape: Shape) -> None:
    assert shape_for(environment, encoding) == shape


PAST = History(
    source="host",
    step_s=60,
    at=[minute * 60_000 for minute in range(15)],
    values={"cpu_percent": [50.0] * 7 + [None] * 3 + [100.0] * 5},
)


@pytest.mark.parametrize(("width", "height"), [(60, 3), (76, 6), (158, 20)])
def test_the_past_fills_its_place_with_gaps_marks_and_whole_labels(width: int, height: int) -> None:
    marks = [
        Mark(at=120_000, job_id=7, run_id=None, kind="x", state="started"),
        Mark(at=600_000, job_id=7, run_id=None, kind="x", state="failed"),
    ]
    drawn = [plain(line) for line in past_lines(VIEWS[0], PAST, marks, width, height)]
    assert len(drawn) == height
    assert all(len(line) <= width for line in drawn)
    assert re.search(r"▶7 +✖7", drawn[-2])
    assert "−15 min" in drawn[-1]
    assert drawn[-1].endswith("now")
    assert "." not in drawn[-1]
    ground = next(line for line in reversed(drawn[:-2]) if "│" in line and "⠀" not in line) if height == 3 else drawn[1]
    assert "   " in ground


def test_marks_that_would_cover_each_other_leave_the_newest() -> None:
    marks = [Mark(at=600_000 + n, job_id=n, run_id=None, kind="x", state="started") for n in range(50)]
    line = plain(past_lines(VIEWS[0], PAST, marks, 80, 6)[-2])
    assert line.count("▶") == 1
    assert "▶49" in line


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300), st.integers(20, 200), st.integers(1, 6))
def test_any_number_of_cores_fits_the_lines_there_are(cores: list[float | None], width: int, most: int) -> None:
    drawn = core_lines(cores, None, width, most)
    assert len(drawn) <= most
    assert all(line.cell_length <= width for line in drawn)


def test_each_core_has_its_own_past() -> None:
    past = History(source="cores", step_s=1, at=[0, 1, 2], values={"0": [0.0] * 3, "1": [100.0] * 3})
    (line,) = core_lines([1.0, 99.0], past, 60, 4, shape="blocks")
    assert re.fullmatch(r"  0 ▁+   1%\s+1 █+  99%\s*", line.plain)
    assert heat([None, 0.0, 100.0]) == "·▁█"


FOREST = st.dictionaries(st.integers(1, 40), st.tuples(st.integers(0, 40), st.floats(0, 100)), max_size=40)


@settings(deadline=None)
@given(FOREST, st.booleans())
def test_a_tree_loses_no_process_and_puts_each_under_its_parent(
    forest: dict[int, tuple[int, float]], descending: bool
) -> None:
    found = in_tree(
        [Row(str(pid), [str(pid), "x"], [cpu, None]) for pid, (_, cpu) in forest.items()],
        {str(pid): str(parent) for pid, (parent, _) in forest.items()},
        0,
        descending=descending,
    )
    assert sorted(row.key for row in found) == sorted(str(pid) for pid in forest)
    seen: set[str] = set()
    for row in found:
        if plain(row.cells[-1]).endswith("─ x"):
            assert str(forest[int(row.key)][0]) in seen
        seen.add(row.key)


def test_a_branch_stands_where_its_busiest_process_would() -> None:
    cpus = {"1": 0.0, "2": 5.0, "3": 90.0, "4": 7.0}
    found = in_tree(
        [Row(key, [key, f"p{key}"], [cpu, None]) for key, cpu in cpus.items()],
        {"2": "1", "3": "1", "4": ""},
        0,
        descending=True,
    )
    assert [plain(row.cells[-1]) for row in found] == ["p1", "├─ p3", "└─ p2", "p4"]


def test_one_process_over_time_has_rates_from_its_second_reading_on() -> None:
    def detail(at: int, cpu_s: float, read: int | None) -> ProcessDetail:
        process = Process(pid=7, cpu_s=cpu_s, memory_bytes=2**20, threads=3, command="python x\x1b " + "y" * 400)
        return ProcessDetail(at=at, process=process, read_bytes=read, ancestors=[(2, "bash")], children=[8])

    first, second = detail(0, 1.0, None), detail(2_000, 2.0, 5)
    assert point_between(None, first).cpu_percent is None
    point = point_between(first, second)
    assert point.cpu_percent == 50
    assert point.read_bytes_per_s is None
    facts = "\n".join(plain(line) for line in detail_lines(second, 60, 5_000))
    assert "\x1b" not in facts
    assert "started by bash 2" in facts
    for height in (2, 6, 20):
        drawn = point_lines([point_between(None, first), point], 80, height)
        assert len(drawn) == height
        assert all(line.cell_length <= 80 for line in drawn)
