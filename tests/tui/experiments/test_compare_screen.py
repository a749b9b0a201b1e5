"""The compare screen: tests by a job, intervals drawn, plots in text, read-off, and an export, at both sizes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import add_run, do_train, make_engine
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.evaluate.pairing import pair
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.screens.compare import Compare
from lemnis.tui.screens.compared import plots, tables
from lemnis.tui.screens.compared.panel import PlotPanel

SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Three trained runs; nobody does jobs but the test."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    opened = make_engine(tmp_path / "box")
    do_train(opened, opened.experiments.start(name="plain"))
    do_train(opened, opened.experiments.start(features=["weekend"], name="poor[b]"))
    do_train(opened, opened.experiments.start("stopping", name="stopping"))
    yield opened
    opened.store.close()


def do_jobs(engine: Engine) -> None:
    """Do what waits for a supervisor."""
    for job in engine.jobs.jobs(states=("queued",)):
        pair(JobContext.for_test(engine.store), job.arguments)
        with engine.store.write() as db:
            db.execute("update jobs set state = 'finished', why = 'finished' where id = ?", [job.id])


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return screen_text(pilot)


def open_screen(pilot: Pilot[None]) -> Compare:
    screen = pilot.app.screen
    assert isinstance(screen, Compare)
    return screen


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_two_marked_runs_are_tested_by_four_keys(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, "j", "space", "space")
        await pilot.press("c")
        await shows(pilot, "[Summary]", "Compare 2 runs", "waiting for a free slot")
        assert [job.kind for job in engine.jobs.jobs(states=("queued",))] == ["evaluate.pair"]
        do_jobs(engine)
        await shows(pilot, "roc_auc", "better p", "372 validation rows, 31 days")
        shown = await press(pilot, "2")
        assert "● better" in shown
        assert "├" in shown
        assert "◂ 0 ▸ better" in shown
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, Compare)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_every_view_is_reached_by_key_and_says_the_numbers(engine: Engine, size: tuple[int, int]) -> None:
    ids = [1, 2, 3]
    assert engine.evaluate.start_pairs(ids) is not None
    do_jobs(engine)
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        pilot.app.push_screen(Compare(engine, ids))
        shown = await shows(pilot, "Compare 3 runs", "2 runs are tested at once")
        assert "poor[b]" in shown
        assert "min_data_in_leaf" in await press(pilot, "G")
        shown = await press(pilot, "3")
        assert "100.0% ███" in shown
        assert "not a feature" in shown
        await press(pilot, "4", "v")
        curves = open_screen(pilot).query_one(PlotPanel)
        assert "at best round" in screen_text(pilot)
        shown = await press(pilot, "w", "L", "full_stop", "full_stop", "plus")
        assert f"at round {curves.read_at:.0f}" in shown
        assert "smoothed 0.6, log axis, rounds" in shown
        assert curves.span is not None
        assert "rounds" not in (await press(pilot, "0")).split("╭─")[2].splitlines()[0]
        shown = await press(pilot, "5", "g")
        assert "rank correlation" in shown
        assert "◉#1" in shown
        assert "◉#2" in await press(pilot, "j")
        assert "by learning_rate" in await press(pilot, "b")
        shown = await press(pilot, "6")
        assert "◉" in shown
        assert "parameters that differ" in shown
        shown = await press(pilot, "7")
        assert "- carrier" in shown
        assert "+ 400" in await press(pilot, "n")
        assert "[Summary]" in await press(pilot, "right_square_bracket")


@pytest.mark.slow
async def test_an_export_names_its_format_and_a_wrong_name_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(Compare(engine, [1, 2]))
        await shows(pilot, "Compare 2 runs")
        await press(pilot, "E", *["backspace"] * 2, *"xls", "enter")
        assert "names no format" in screen_text(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Compare)
        path = tmp_path / "comparison.md"
        await press(pilot, "E", "enter")
        await becomes(pilot, path.exists)
        assert path.read_text().startswith("# Comparison of 2 runs")


async def test_other_rows_are_said_and_a_read_only_console_asks_for_nothing(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute("update runs set target = 'delay' where id = 3")
    waiting = add_run(engine, "waiting", state="queued")
    reader = Engine(engine.workspace, read_only=True)
    async with Console(reader, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(Compare(reader, [1, 3, waiting]))
        await shows(pilot, "#3 is not tested: it foretells delay", "is not tested: it has no model: queued")
        pilot.app.push_screen(Compare(reader, [1, 2]))
        await shows(pilot, "the workspace is open read-only")
        shown = await press(pilot, "2")
        assert "No test yet: the line below says" in shown
        assert "alike in everything" not in shown
    assert engine.jobs.jobs(states=("queued",)) == []
    reader.store.close()


def test_a_forest_has_zero_in_the_middle_and_better_on_the_right() -> None:
    assert tables.forest((0.1, 0.5, 1.0), 1.0, flipped=False, width=13) == "      │├─●──┤"[:13]
    assert tables.forest((0.1, 0.5, 1.0), 1.0, flipped=True, width=13)[6:] == "│      "[:7].rstrip() + " " * 6
    assert "┼" in tables.forest((-0.5, 0.1, 1.0), 1.0, flipped=False, width=13)
    assert tables.forest((None, 0.1, 1.0), 1.0, flipped=False, width=13) == ""


curves = st.lists(st.floats(-5, 5), min_size=1, max_size=30).map(lambda values: list(enumerate(values, 1)))


@given(curves, st.sampled_from(plots.SMOOTHINGS))
def test_smoothing_stays_within_the_curve_and_none_changes_nothing(curve: list[tuple[int, float]], w: float) -> None:
    found = plots.smoothed(curve, w)
    values = [value for _, value in curve]
    assert [step for step, _ in found] == [step for step, _ in curve]
    assert all(min(values) - 1e-9 <= value <= max(values) + 1e-9 for _, value in found)
    assert found[0][1] == pytest.approx(curve[0][1])
    if not w:
        assert [value for _, value in found] == pytest.approx(values)


@given(st.floats(1, 500), st.integers(-3, 3), st.sampled_from([0.0, 0.5, 2.0]))
def test_zoom_and_reading_line_never_leave_the_curve(at: float, by: int, factor: float) -> None:
    whole = (1.0, 500.0)
    line = plots.moved(at, by, whole, 40)
    assert 1 <= line <= 500
    span = plots.zoomed((100.0, 300.0), line, factor, whole)
    if span is not None:
        assert whole[0] <= span[0] < span[1] <= whole[1]
        assert span[0] - 1e-9 <= min(max(line, span[0]), span[1]) <= span[1] + 1e-9
    assert plots.zoomed(whole, None, 2.0, whole) is None


texts = st.lists(
    st.one_of(st.none(), st.floats(-9, 9).map(str), st.sampled_from(["gbdt", "dart"])), min_size=2, max_size=20
)


@given(texts, texts, st.integers(20, 200), st.integers(6, 60))
def test_plots_fit_their_room_whatever_the_runs(across: list[str | None], up: list[str | None], w: int, h: int) -> None:
    count = min(len(across), len(up))
    axes = [plots.axis_of("a", across[:count]), plots.axis_of("b[x]", up[:count])]
    assert all(place is None or 0 <= place <= 1 for axis in axes for place in axis.places)
    labels = [f"#{place}" for place in range(count)]
    for drawn in (plots.scatter(axes[0], axes[1], labels, (w, h), 0), plots.parallel(axes, (w, h), count - 1)):
        assert max(line.cell_length for line in drawn.split("\n")) <= max(w, 40)
        assert len(drawn.split("\n")) <= max(h, 9)
    rank = plots.rank_correlation(*axes)
    assert rank is None or -1.0000001 <= rank <= 1.0000001
