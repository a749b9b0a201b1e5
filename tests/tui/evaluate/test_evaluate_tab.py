"""The Evaluate tab as a person sees it: gates first, a threshold that moves, and rows that are explained."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support import engine_at, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.tui.app import Console


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="evaluate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_gates_why_key_measures_and_money(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await shows(
            pilot, "base[/]", "● pass", "◌ not enough data", "✖ fail", "0.691…0.757",
            "Even the unfavourable end of its 95 % interval", "▲ −0.084", "0.30 the problem's", "−$2,000",
        )  # fmt: skip


async def test_the_gate_under_the_cursor_says_why(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("j", "j")
        await shows(pilot, "0.31 breaks <= 0.2.")


async def test_a_wide_screen_shows_curves_months_importance_and_speed_too(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await shows(
            pilot, "test 0.726", "perfect 0", "2013-11 later", "▲ worst", "sched_dep_time", "p50 0.08 ms · p99 0.31 ms",
            "48,484 rows/s",
        )  # fmt: skip


async def test_the_threshold_moves_and_everything_that_hangs_on_it_follows(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await shows(pilot, "recall 70.0%", "precision 25.0%", "−$2,000", "14 alerts a day")
        await pilot.press("full_stop", "full_stop")
        await shows(pilot, "0.32 tried", "recall 68.0%", "−$2,200")
        await pilot.press("comma")
        await shows(pilot, "0.31 tried", "−$2,100")
        await pilot.press("t")
        await shows(pilot, "0.30 the problem's")
        await pilot.press("t")
        await shows(pilot, "0.10 tried", "most at 0.10")


async def test_the_arrows_move_the_threshold_while_it_has_the_focus(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("tab")
        await pilot.press("left")
        await shows(pilot, "0.29 tried")
        await pilot.press("right", "right")
        await shows(pilot, "0.31 tried")


async def test_a_small_screen_goes_through_its_views_and_back(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("v")
        await shows(pilot, "ROC", "test 0.726")
        await pilot.press("v")
        await shows(pilot, "By month, after training", "▲ worst", "p99 0.31 ms")
        await pilot.press("V", "V", "V")
        await shows(pilot, "missed", "7-17-UA", "this row (raw score)", "[rows]")
        await pilot.press("escape")
        await shows(pilot, "Gates")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_baselines_stand_beside_the_model_with_their_difference_and_why_one_is_missing(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press(*("v" * (1 if size[0] > 100 else 3)))
        await shows(
            pilot, "[baselines]", "0.726", "● +0.226", "· −0.004", "95 % +0.200…+0.250 over days", "better, p < 0.001",
            "indistinguishable", "no time column", "late v1, run [9]", "▲ It was trained on 3% of these rows.",
        )  # fmt: skip
        await pilot.press("K")
        await shows(pilot, "What the model must beat")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_calibration_is_a_diagram_a_line_a_bin_and_a_map_is_worth_it_only_if_it_wins(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press(*("v" * (2 if size[0] > 100 else 4)))
        screen = await shows(
            pilot, "[calibration]", "75.0%", "70.0%…80.0%", "─◆─", "ECE 0.125", "off 0.030", "isotonic  · not worth it",
            "platt  ● worth it: wins", "−0.010 (−0.020…−0.003)",
        )  # fmt: skip
        off = next(line for line in screen.splitlines() if "70.0%…80.0%" in line)
        assert off.index("◇") < off.index("─") < off.index("●")


async def test_a_row_is_explained_as_a_waterfall_with_its_text_made_harmless(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("enter")
        screen = await shows(
            pilot, "says 3.6% true", "all rows (bias)", "−1.000", "sched_dep_time = 700", "−0.600", "model[v2] = ␛[31m",
            "+0.300", "wind = missing", "−1.400", "7-30-[DL]",
        )  # fmt: skip
        assert "\x1b" not in screen


async def test_any_row_can_be_asked_for_by_its_key(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("f")
        field = pilot.app.screen.focused
        assert isinstance(field, Input)
        field.value = "7-30-[DL]"
        await pilot.press("enter")
        await shows(pilot, "Queued: the row")
    job = engine.jobs.jobs()[0]
    assert (job.kind, job.arguments) == ("evaluate.explain", {"run": 1, "key": "7-30-[DL]"})


async def test_a_run_that_was_not_evaluated_says_so_and_its_key_evaluates(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("right_square_bracket")
        await shows(pilot, "Run 2", "wider", "Not evaluated yet. Press n.")
        await pilot.press("n")
        await shows(pilot, "queued: ")
        assert engine.jobs.jobs()[0].arguments == {"run": 2}
        await pilot.press("left_square_bracket")
        await shows(pilot, "Run 1", "● pass")


async def test_a_job_that_failed_says_why(engine: Engine) -> None:
    job = engine.evaluate.start_explain(1, "nope")
    with engine.store.write() as db:
        db.execute("update jobs set state = 'failed', why = 'no row has the key' where id = ?", [job])
    async with opened(engine) as pilot:
        await shows(pilot, "failed, no row has the key")


async def test_what_a_gate_and_a_contribution_are_can_be_asked(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("K")
        await shows(pilot, "A gate is a success criterion")
        await pilot.press("escape", "V", "K")
        await shows(pilot, "TreeSHAP")


@pytest.mark.slow
async def test_without_a_finished_run_the_tab_says_what_to_do(tmp_path: Path) -> None:
    async with opened(engine_at(tmp_path / "box")) as pilot:
        await shows(pilot, "No finished run yet")
        await pilot.press("n", "comma", "t", "f", "v", "left_square_bracket")
        await shows(pilot, "No finished run yet")
