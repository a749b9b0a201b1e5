"""The proposals screen: a trial starts by itself, both figures are shown, and what is taken is declared."""

import msgspec
import pytest
from support import settle, shows

from lemnis.engine import Engine
from lemnis.engine.config import load_config
from lemnis.engine.explore import jobs as explore_jobs
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs
from lemnis.tui.app import Console


@pytest.fixture
def profiled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The version is profiled, and nobody works on the queue."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    explore_jobs.profile(JobContext.for_test(engine.store), {"version": None})
    return engine


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_trial_is_queued_and_its_proposals_are_taken(profiled: Engine, size: tuple[int, int]) -> None:
    async with Console(profiled, stage="validate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await shows(pilot, "Trying: ", "when the trial has ended")
        job = next(job for job in profiled.jobs.jobs() if job.kind == "validate.suggest")
        result = msgspec.json.encode(jobs.suggest(JobContext.for_test(profiled.store), {})).decode()
        with profiled.store.write() as db:
            db.execute("update jobs set state = 'finished', result = ? where id = ?", [result, job.id])
        await shows(pilot, "candidates for trips v1", "size_unique", "1 of 1", "catches ")
        await pilot.press("a")
        await settle(pilot)
        taken = load_config(profiled.workspace.config).checks[-1]
        await pilot.press("A")
        await shows(pilot, "Everything worth proposing is declared.")
        await pilot.press("escape")
        await shows(pilot, "checks are declared.")
    assert taken.name in {"complete", "size_unique"}


async def test_a_version_without_profile_says_what_to_do_first(bare: Engine) -> None:
    async with Console(bare, stage="validate").run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await shows(pilot, "trips v1 is not profiled yet.", "lemnis explore profile")
