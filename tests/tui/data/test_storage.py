import os
from pathlib import Path

import pytest
from small_problem import SPLIT, flights, make_engine
from support import settle, shows

from lemnis.engine import Engine
from lemnis.engine.data.verify import verify
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = make_engine(tmp_path / "w")
    roles = {"id": "key", "at": "time", "late": "label"}
    for rows in range(20, 24):
        made = record_version(opened.store, flights(rows), name="small", roles=roles, split=SPLIT, now=rows)
        os.utime(made.path, (1, 1))
    return opened


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_unused_files_are_named_and_go_only_after_a_yes(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="data").run_test(size=size) as pilot:
        await shows(pilot, "small v5")
        await pilot.press("w")
        await shows(pilot, "Storage", "in use", "3 files", "small v2", "nothing refers to it", "d  remove")
        await pilot.press("d")
        await shows(pilot, "Remove 2 unused files", "small v2", "small v3")
        await pilot.press("d", "enter")
        await settle(pilot)
        assert len(engine.data.versions()) == 5, "only y says yes"
        await pilot.press("y")
        await shows(pilot, "Versions 3")
        assert [version.title for version in engine.data.versions()] == ["small v1", "small v5", "small v4"]
        await settle(pilot)
        await pilot.press("w")
        await shows(pilot, "Every file is whole and in use.", "2 files", "by ")


async def test_a_damaged_file_is_seen_on_the_tab_and_named_on_the_screen(engine: Engine) -> None:
    path = engine.data.version().path
    path.chmod(0o644)
    path.write_bytes(b"spoilt")
    context = JobContext.for_test(engine.store, kind="data.verify")
    from lemnis.engine.jobs import queue

    queue.end(engine.store, context.job_id, context.epoch, "finished", "finished", verify(context, {}))
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "▲ 1 damaged or missing, press w")
        await pilot.press("w")
        await shows(pilot, "▲ 1 of 5 files are not whole", "▲ damaged")


async def test_the_screen_queues_a_verification(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "small v5")
        await pilot.press("w")
        await shows(pilot, "each file is checked when it is first read")
        await pilot.press("V")
        await shows(pilot, "verify every file")
    job = engine.jobs.jobs()[0]
    assert (job.kind, job.arguments) == ("data.verify", {"all": True})
    engine.jobs.stop_supervisor()
