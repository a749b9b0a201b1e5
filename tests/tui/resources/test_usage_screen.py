"""Key U: use by project and week, by user, by job and by endpoint, with what is held idle above it."""

from pathlib import Path

import pytest
from support import becomes, engine_at, screen_text, shows

from lemnis.tui.app import Console

CONFIG = '[problem]\ntitle = "Test"\n[pool]\ncores = 2\nprice_core_hour = 0.5\n'
HOUR = 3_600_000


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_use_is_added_up_in_several_ways_and_what_is_idle_is_said(tmp_path: Path, size: tuple[int, int]) -> None:
    engine = engine_at(tmp_path / "box", CONFIG)
    now = engine.now_ms()
    with engine.store.write() as db:
        db.table("jobs").insert(
            {
                "id": 12, "kind": "experiments.train", "title": "work [bold]12", "arguments": "{}", "state": "running",
                "cores": 4, "submitted_by": "ann", "created_at": now - HOUR, "started_at": now - HOUR,
            }
        )  # fmt: skip
    with engine.store.write("metrics") as db:
        for width, at, seconds in ((3600, now // HOUR * HOUR, 900), (60, now // 60_000 * 60_000 - 60_000, 900)):
            db.table("used").insert(
                {
                    "owner": "job:12", "width": width, "at": at, "seconds": seconds, "cpu_s": 90, "memory_byte_s": 0,
                    "peak_bytes": 2**20, "gpu_s": 0, "gpu_peak_bytes": 0,
                }
            )  # fmt: skip
    async with Console(engine, stage="resources", supervise=False).run_test(size=size) as pilot:
        await shows(pilot, "work [bold]12")
        await pilot.press("U")
        await shows(
            pilot, "job 12 holds 4 cores and used 0.1 for 15 min, $1.95 an hour", "by project and week", "ann", "-W"
        )
        await pilot.press("v")
        await shows(pilot, "by user")
        await pilot.press("v", "v")
        await shows(pilot, "work [bold]12", "held")
        await pilot.press("v", "v")
        await shows(pilot, "Sizes that would do", "No kind of job is known to ask for much more")
        await pilot.press("V", "V", "V", "minus")
        await shows(pilot, "experiments.train")
        await pilot.press("escape")
        await becomes(pilot, lambda: "by kind" not in screen_text(pilot))
