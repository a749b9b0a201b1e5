"""The Validate tab as a person sees it: what is wrong first, down to the rows, and who lives with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from support import engine_at, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs
from lemnis.tui.app import Console
from lemnis.tui.widgets import Table


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="validate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_the_outcome_worst_first(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await shows(pilot, "✖ 1 failed", "? 1 not evaluated", "▲ 1 warned", "● 1 passed", "trips v1")
        table = pilot.app.query_one("#checks", Table).copy_text("m")
        places = [table.index(f"| {name} |") for name in ("code_known", "gone", "size_range", "rows")]
        assert places == sorted(places)
        await shows(pilot, "100 of 300 rows have a code outside the list", "Other codes mean nothing.")


async def test_what_was_not_evaluated_says_why_and_claims_nothing(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("j")
        text = await shows(pilot, "The column codex is not in the dataset; code is.", "so no row is known to be right")
        assert "No row fails it" not in text
        await pilot.press("w")
        await shows(pilot, "was not evaluated")
        assert engine.validate.waivers() == {}


async def test_failing_rows_are_opened_and_left_again(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("enter")
        text = await shows(pilot, "Failing rows code_known · 100", "[/x]␛[2J")
        assert "\x1b" not in text
        await pilot.press("G")
        await shows(pilot, "299")
        await pilot.press("escape")
        await shows(pilot, "Checks 4")
        assert pilot.app.query_one("#checks", Table).key == "code_known"


async def test_a_check_is_waived_with_a_reason_and_runs_again(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("w")
        await shows(pilot, "Waive code_known")
        await pilot.press("enter", "enter", "enter")
        await shows(pilot, "Say why.")
        await pilot.press("shift+tab", "shift+tab", "n", "e", "w", "enter", "enter", "enter")
        await shows(pilot, "running, 1 queued")
        waiver = engine.validate.waivers()["code_known"]
        assert (waiver.why, [job.kind for job in engine.jobs.jobs() if job.state == "queued"]) == (
            "new",
            ["validate.run"],
        )
        jobs.run(JobContext.for_test(engine.store), {})
        await shows(pilot, "▲ warn waived", "✖ 0 failed")


async def test_runs_can_be_walked_through(engine: Engine) -> None:
    jobs.run(JobContext.for_test(engine.store), {})
    async with opened(engine) as pilot:
        await shows(pilot, "run 2 of 2")
        await pilot.press("left_square_bracket")
        await shows(pilot, "Run 1 run 1 of 2")
        await pilot.press("right_square_bracket")
        await shows(pilot, "Latest run run 2 of 2")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_an_old_verdict_does_not_pass_for_the_last_word(engine: Engine, size: tuple[int, int]) -> None:
    record_version(engine.store, pa.table({"code": ["z"]}), name="trips", roles={}, split={})
    async with opened(engine, size) as pilot:
        await shows(pilot, "trips v2 is newer and was not checked")
        job = engine.validate.start()
        with engine.store.write() as db:
            db.execute("update jobs set state = 'lost', why = 'its process died', ended_at = 1 where id = ?", [job])
        await shows(pilot, "the last attempt is lost: its process died")


async def test_before_the_first_run_the_key_that_runs_is_named(bare: Engine) -> None:
    async with opened(bare) as pilot:
        await shows(pilot, "The checks have not run yet. Press n to run them.")
        await pilot.press("n")
        await shows(pilot, "queued: ")
        assert [job.kind for job in bare.jobs.jobs()] == ["validate.run"]


async def test_without_checks_running_says_where_they_come_from(tmp_path: Path) -> None:
    async with opened(engine_at(tmp_path / "box")) as pilot:
        await pilot.press("n", "w", "enter", "left_square_bracket")
        await shows(pilot, "No check is declared.")


def deliver(engine: Engine, codes: list[str]) -> None:
    """Make the next version, its rows named by a key, and check it."""
    table = pa.table({"code": codes, "size": list(range(len(codes)))})
    record_version(engine.store, table, name="trips", roles={"size": "key"}, split={})
    jobs.run(JobContext.for_test(engine.store), {})


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_new_persisting_and_fixed_rows_are_walked_through(engine: Engine, size: tuple[int, int]) -> None:
    deliver(engine, ["a", "y", "z"] * 40)
    deliver(engine, ["a", "y", "a", "q", "y", "z"] * 20)
    async with opened(engine, size) as pilot:
        await shows(pilot, "+20 −20")
        await pilot.press("v")
        await shows(pilot, "New failing rows code_known · 20", "v: new, persisting, fixed")
        await pilot.press("v")
        await shows(pilot, "Persisting failing rows code_known · 60")
        await pilot.press("v")
        await shows(pilot, "Fixed rows code_known · 20")
        await pilot.press("v")
        await shows(pilot, "Failing rows code_known · 80")


async def test_why_rows_fail_and_a_check_without_rows_says_so(engine: Engine) -> None:
    codes = ["a"] * 90 + ["z"] * 30
    table = pa.table({"code": codes, "size": list(range(120)), "day": ["mon"] * 60 + ["tue"] * 60})
    record_version(engine.store, table, name="trips", roles={"size": "key"}, split={})
    jobs.run(JobContext.for_test(engine.store), {})
    async with opened(engine, (80, 24)) as pilot:
        await pilot.press("f")
        await shows(pilot, "Why rows fail code_known", "tue", "100.0%", "50.0%", "2.0×")
        await pilot.press("escape", "G", "f")
        await shows(pilot, "size_range: No row fails it.")


@pytest.mark.slow
async def test_failing_rows_are_written_to_a_file(engine: Engine, tmp_path: Path) -> None:
    async with opened(engine) as pilot:
        await pilot.press("E")
        await shows(pilot, "Failing rows of code_known", "code_known.csv")
        pilot.app.screen.query_one("#ask-file", Input).value = str(tmp_path / "rows.jsonl")
        await pilot.press("enter")
        await shows(pilot, "100 rows are in")
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 100


async def test_a_history_of_several_runs_is_charted_where_there_is_room(engine: Engine) -> None:
    jobs.run(JobContext.for_test(engine.store), {})
    async with opened(engine, (160, 60)) as pilot:
        await shows(pilot, "failing rows now 100")
