"""The Features tab as a person sees it: leaks first and why, and a set that is marked, saved and changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support import engine_at, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.evaluate.ablations import Difference, save_difference
from lemnis.tui.app import Console


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="features").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


async def answer(pilot: Pilot[None], name: str, why: str) -> None:
    """Fill in the question for a set's name and reason."""
    for text in (name, why):
        field = pilot.app.screen.focused
        assert isinstance(field, Input)
        field.value = text
        await pilot.press("enter")
        await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_the_leak_first_and_why(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        screen = await shows(pilot, "✖ leak", "how sure: 94%", "Missing in 89% of the 5,480 rows", "0.911")
        assert screen.index("delay  ") < screen.index("hour  ")
        assert "ROC AUC 0.728 (0.700–0.750) without the leaks" in screen
        assert "▲ unstable" in screen
        assert "▲ leak?" in screen
        assert "●" in next(line for line in screen.splitlines() if "hour  " in line)


async def test_a_tiny_screen_shows_one_pane(engine: Engine) -> None:
    async with opened(engine, (40, 15)) as pilot:
        screen = await shows(pilot, "delay", "✖ leak", "hour", "▲ unstable")
        assert "how sure" not in screen


async def test_the_column_under_the_cursor_is_shown_in_full(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("j")
        await shows(pilot, "ROC AUC −0.1550 ± 0.0025", "no. 1 (1 to", "0.167 by Cramér's V", "ρ 0.77", "● ok")


async def test_names_of_the_data_are_shown_as_they_are(engine: Engine) -> None:
    async with opened(engine) as pilot:
        assert "\x1b" not in await shows(pilot, "[b]␛[2J")


async def test_the_declared_set_is_marked_without_the_leak(engine: Engine) -> None:
    async with opened(engine) as pilot:
        screen = await shows(pilot, "Set base", "2 of 4 columns, from lemnis.toml")
        assert "✓hour" in screen
        assert "✓delay" not in screen


async def test_a_mark_changes_the_set_and_saving_keeps_who_and_why(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("G", "space")
        await shows(pilot, "▲ changed", "+[b]␛[2J")
        await pilot.press("w")
        await shows(pilot, "Keep 3 columns as a feature set")
        await answer(pilot, "wide", "more of the plane")
        await shows(pilot, "Set wide", "3 of 4 columns", "more of the plane")
    kept = engine.features.feature_set("wide")
    assert kept.features == ["hour", "wind", "[b]\x1b[2J"]
    assert kept.why == "more of the plane"
    assert kept.who


async def test_saving_a_leak_warns_and_escape_keeps_nothing(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("g", "space", "w")
        await shows(pilot, "▲ suspected of leaking: delay")
        await pilot.press("escape")
        await pilot.press("u")
        await shows(pilot, "2 of 4 columns, from lemnis.toml")
    assert engine.features.sets() == []


async def test_a_set_without_a_name_is_refused_and_the_marks_stay(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("G", "space", "w")
        await answer(pilot, " ", "")
        await shows(pilot, "A feature set needs a name", "▲ changed")


async def test_sets_are_gone_through_unless_marks_would_be_lost(engine: Engine) -> None:
    engine.features.choose("calm", ["wind"], "ada", "no hours")
    async with opened(engine) as pilot:
        await pilot.press("right_square_bracket")
        await shows(pilot, "Set calm 2 of 2", "chosen by ada: no hours")
        await pilot.press("G", "space", "right_square_bracket")
        await shows(pilot, "The marks are not saved", "Set calm")


async def test_columns_that_are_not_ranked_say_so_and_their_key_ranks(bare: Engine) -> None:
    async with opened(bare) as pilot:
        await shows(pilot, "not ranked", "Press n to measure")
        await pilot.press("n")
        await shows(pilot, "queued: ")
        assert [job.kind for job in bare.jobs.jobs()] == ["features.rank"]


@pytest.mark.slow
async def test_each_number_is_explained_with_its_folds(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("j", "l", "l", "K")
        await shows(pilot, "What shuffling it costs: hour", "2013-02-01 to 2013-02-28   0.1525   0.1575", "Kendall's W")
        await pilot.press("escape", "l", "l", "K")
        await shows(pilot, "SHAP: hour", "of a sample of 60,000")


async def test_what_a_leak_is_can_be_asked(engine: Engine) -> None:
    async with opened(engine, (160, 60)) as pilot:
        await pilot.press("l", "K")
        await shows(pilot, "Five rules look for it", "unstable: the column matters")


async def test_columns_are_sorted_by_any_of_their_numbers(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press(*"llll", "S")
        screen = await shows(pilot, "SHAP ±▼")
        found = [
            name for line in screen.splitlines() for name in ("hour", "wind", "delay") if line[1:9].strip("✓› ") == name
        ]
        assert found == ["hour", "wind", "delay"]


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_heat_map_reads_off_every_pair_by_keyboard(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press("v")
        screen = await shows(pilot, "Association · by the pair's kinds", "5 columns · 20,000 of 336,776 rows", "−62")
        lines = [line.strip("│ ") for line in screen.splitlines() if line.startswith("│")]
        assert [line.split()[1] for line in lines if line[:1].isdigit()][1:4] == ["late", "delay", "hour"]
        await pilot.press("g", "j", "j", "l")
        await shows(pilot, "hour  with itself")
        await pilot.press("l")
        await shows(pilot, "hour × wind", "Spearman −0.6200", "both in group A")
        await pilot.press("b")
        await shows(pilot, "Association · Pearson", "Pearson does not suit this pair")
        await pilot.press("K")
        await shows(pilot, "Association Pearson", "straight line")
        await pilot.press("escape", "escape")
        await shows(pilot, "Columns · trips v1")
    assert engine.features.pairs(engine.data.version().id, limit=1)[0].association == 0.77


async def test_a_pair_is_opened_and_measured_in_a_process_of_its_own(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("v", "g", "j", "j", "l", "l", "enter")
        await shows(pilot, "hour × wind", "1 sampled rows, 1 more lack one of them", seconds=60)
        await pilot.press("escape")
        await shows(pilot, "Association · by the pair's kinds")
    engine.jobs.stop_supervisor()


async def test_of_columns_that_say_the_same_one_mark_is_left(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await shows(pilot, "✓hour", "✓wind")
        await pilot.press("r")
        await shows(pilot, "Unmarked 1: wind", "▲ changed", "−wind")
        await pilot.press("r")
        await shows(pilot, "No two marked columns say the same")


async def test_a_ranking_under_way_is_seen_and_can_be_stopped(engine: Engine) -> None:
    engine.features.start_rank()
    async with opened(engine) as pilot:
        await shows(pilot, "queued: waiting")
        await pilot.press("x")
        await shows(pilot, "Asked to stop", "without the leaks")
    assert engine.jobs.jobs()[0].state == "cancelled"


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_choice_is_listed_and_two_are_compared(engine: Engine, size: tuple[int, int]) -> None:
    first = engine.features.choose("calm", ["wind"], "ada", "no hours")
    engine.features.choose("calm", ["wind", "hour"], "bob", "hours help")
    engine.features.note(first.revision, "wind is late at times", "cy")
    async with opened(engine, size) as pilot:
        await pilot.press("v", "v")
        await shows(pilot, "Choices of feature sets · 2", "calm@2", "+1 −0", "+ hour", "against calm@1")
        await pilot.press("j")
        await shows(pilot, "note  wind is late at times (cy", "1 columns, chosen by ada", "(1 note)")
        await pilot.press("g", "space", "space")
        await shows(pilot, "calm@2 → calm@1", "0 more, 1 less, 1 kept", "− hour")
        await pilot.press("v")
        await shows(pilot, "Columns · trips v1")


@pytest.mark.slow
async def test_an_earlier_choice_is_looked_at_and_can_be_saved_again(engine: Engine) -> None:
    engine.features.choose("base", ["wind"], "ada", "no hours")
    engine.features.choose("base", ["wind", "hour"], "bob", "hours help")
    async with opened(engine) as pilot:
        await pilot.press("v", "v", "j", "enter")
        await shows(pilot, "Marked as in base@1", "▲ changed", "−hour", "Columns · trips v1")
        await pilot.press("w")
        await answer(pilot, "base", "back to calm")
        await shows(pilot, "Set base", "back to calm")
    assert engine.features.feature_set("base").features == ["wind"]


@pytest.mark.slow
async def test_a_set_is_renamed_and_noted_by_keyboard(engine: Engine) -> None:
    engine.features.choose("calm", ["wind"], "ada", "no hours")
    async with opened(engine) as pilot:
        await pilot.press("v", "v", "R")
        await shows(pilot, "Give set calm another name")
        await answer(pilot, "still", "calmer")
        await shows(pilot, "still@2", "was calm")
        await pilot.press("g", "t")
        await shows(pilot, "Note on still@2")
        field = pilot.app.screen.focused
        assert isinstance(field, Input)
        field.value = "a good name"
        await pilot.press("enter")
        await shows(pilot, "note  a good name")
    assert engine.features.revisions("still")[0].notes[0].note == "a good name"


async def test_a_column_is_tried_without_and_its_run_is_seen(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("j", "a")
        await shows(pilot, "trains without hour", "○ queued")
    runs = engine.experiments.search("has:tags.ablation").runs
    assert [run.features for run in runs] == [["wind"]]


async def test_each_marked_column_is_tried_after_a_question(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("A")
        await shows(pilot, "Train 2 models, each without one of the marked columns?")
        await pilot.press("y")
        await shows(pilot, "Queued: 2 runs.")
    assert len(engine.experiments.search("has:tags.ablation").runs) == 2


async def test_what_an_ablation_found_stands_in_its_row_and_is_explained(engine: Engine) -> None:
    run = engine.experiments.start_ablation(["hour"])
    parent = int(engine.experiments.run(run).tags["parent"])
    save_difference(
        engine.store,
        Difference(
            run_id=run, parent_id=parent, metric="roc_auc", part="validation", rows=900, before={"roc_auc": 0.75},
            after={"roc_auc": 0.71}, deltas={"roc_auc": -0.04}, intervals={"roc_auc": [-0.05, -0.03]}, blocks="days",
            at=1,
        ),
    )  # fmt: skip
    async with opened(engine) as pilot:
        await pilot.press("j")
        await shows(pilot, "−0.0400 ✖", "roc_auc −0.0400 (−0.0500 to −0.0300)", "needed")
        await pilot.press(*"lllllll", "K")
        await shows(pilot, "Without it: hour", "same validation rows")


async def test_without_a_version_the_tab_says_what_to_do(tmp_path: Path) -> None:
    async with opened(engine_at(tmp_path / "box")) as pilot:
        await shows(pilot, "No dataset version yet")
        await pilot.press("w", "u", "right_square_bracket", "K")
        await shows(pilot, "What a column is worth")
