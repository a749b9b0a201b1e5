"""Every key of an incident, pressed on a firing alert and carried out by the engine: data, models and jobs are real."""

# pyright: basic

from typing import Any

import pyarrow as pa
import pytest
from support import becomes, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import Console
from lemnis.tui.messages import IncidentWanted
from lemnis.tui.screens.incident import IncidentScreen

ROLES = {"id": "key", "flown": "time", "late": "label"}
SPLIT = {"train": ("2013-01-01", "2013-06-01"), "validation": ("2013-06-01", "2013-07-01")}


def version_of(engine: Engine, wind: float) -> str:
    """Record a dataset version of three flights and return its id."""
    times = pa.array([f"2013-0{month}-02T00:00:00" for month in (2, 6, 7)]).cast(pa.timestamp("us"))
    table = pa.table({"id": [1, 2, 3], "flown": times, "wind": [1.0, 2.0, wind], "late": [0, 1, 0]})
    return record_version(engine.store, table, name="flights", roles=ROLES, split=SPLIT).id


@pytest.fixture
def serving(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Version 1 is served, version 2 was before it; newer data was linked since version 1 learnt."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda _: None)
    learnt = version_of(engine, 3.0)
    version_of(engine, 9.0)
    said: dict[str, Any] = {"who": "ada", "why": "test", "created_at": 1}
    with engine.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2):
            run = {"name": "r", "state": "finished", "version_id": learnt, "created_at": 1}
            made = {"model": "late", "version": number, "run_id": db.table("runs").insert(run).last_pk, "bytes": 1}
            files = {
                "sha256": "0" * 64,
                "path": "m",
                "signature": '{"features": [], "task": "binary", "target": "late"}',
                "golden": '{"rows": []}',
            }
            db.table("model_versions").insert(made | files | said)
        for at, number in enumerate((2, 1)):
            event = {"model": "late", "alias": "champion", "kind": "promote", "version": number, "at": at}
            db.table("alias_events").insert(event | {"who": "ada", "why": "better"})
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8100}
        db.table("endpoints").insert(endpoint | {"serving_version": 1, "created_at": 1, "changed_at": 1})
    return engine


async def incident(engine: Engine, pilot: Pilot[None]) -> int:
    """Open the incident of the page and return its alert."""
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == "auc_low")
    await settle(pilot)
    pilot.app.post_message(IncidentWanted(alert.id, alert))
    await becomes(pilot, lambda: isinstance(pilot.app.screen, IncidentScreen) and pilot.app.screen.facts is not None)
    return alert.id


async def test_b_rolls_back_once_the_alias_is_typed_and_a_reason_is_given(serving: Engine) -> None:
    async with Console(serving, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await incident(serving, pilot)
        await pilot.press("b")
        await shows(pilot, "Roll late@champion back from version 1 to version 2?")
        await pilot.press("b", "enter")
        await shows(pilot, "Type late in full.")
        pilot.app.screen.query_one("#decision-name", Input).value = "late"
        pilot.app.screen.query_one("#decision-reason", Input).value = "the AUC fell"
        await pilot.press("enter")
        await becomes(pilot, lambda: serving.deploy.history("late")[0].version == 2)
        event = serving.deploy.history("late")[0]
        assert (event.kind, event.why) == ("rollback", "the AUC fell")
        await shows(pilot, "late@champion v1 → v2 (rolled back)")


async def test_t_queues_a_retraining_for_the_alert_and_the_incident_follows_it(serving: Engine) -> None:
    async with Console(serving, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        alert_id = await incident(serving, pilot)
        await pilot.press("t")
        await shows(pilot, "Train the model of late again")
        await pilot.press("y")
        await becomes(pilot, serving.monitor.retraining.retrainings)
        made = serving.monitor.retraining.retrainings()[0]
        assert (made.state, made.reason) == ("queued", f"alert {alert_id}: auc_low")
        await shows(pilot, "C follows retraining 1")


async def test_d_compares_what_it_learnt_from_with_the_latest_data(serving: Engine) -> None:
    async with Console(serving, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await incident(serving, pilot)
        await pilot.press("d")
        await shows(pilot, "compare flights v1 with flights v2")
        assert [job.kind for job in serving.jobs.jobs()] == ["data.diff"]


async def test_what_the_alert_says_is_drawn_before_anything_around_it_is_read(serving: Engine, monkeypatch) -> None:
    monkeypatch.setattr(IncidentScreen, "read_again", lambda self: None)
    alert = next(alert for alert in serving.monitor.alerts() if alert.rule == "auc_low")
    async with Console(serving, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = IncidentScreen(serving, alert.id, alert)
        pilot.app.push_screen(screen)
        await shows(pilot, "✖ firing PAGE  auc_low", "is below 0.7", "nobody has taken it", "reading …")
        await pilot.press("b", "t", "d", "w", "?")
        await shows(pilot, "Keys of the incident", "let the model's alias go back")
        await pilot.press("escape")
        screen._read_at -= 60  # as after a reading that hangs
        screen.look()
        await shows(pilot, "stale: not read for 60 s")
