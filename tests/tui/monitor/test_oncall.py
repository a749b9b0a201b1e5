"""The on-call view: everything a woken person needs on one screen, of any size, and over a bad line."""

# pyright: basic

import threading

import msgspec
import pytest
from commanding import call, document
from support import becomes, screen_text, settle, shows

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.monitor.duty import Duty
from lemnis.tui.app import Console
from lemnis.tui.screens.incident import IncidentScreen
from lemnis.tui.screens.oncall import OnCall
from lemnis.tui.widgets import Table


@pytest.fixture
def serving(engine: Engine) -> Engine:
    """The workspace of the tab's tests, with an endpoint that is down and a message that can't be sent."""
    with engine.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        declared = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8100}
        db.table("endpoints").insert(declared | {"workers": 1, "created_at": 1, "changed_at": 1})
        told = {"contact": "team", "kind": "fired", "incident_id": 1, "state": "queued", "attempts": 2}
        db.table("notifications").insert(told | {"next_at": now_ms(), "queued_at": 1, "reason": "refused [b]it"})
    return engine


def console(engine: Engine) -> Console:
    return Console(engine, stage="monitor", supervise=False, oncall=True)


async def duty(pilot) -> OnCall:
    app = pilot.app
    await becomes(pilot, lambda: isinstance(app.screen, OnCall) and app.screen.facts is not None)
    await settle(pilot)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (40, 15), (160, 48)])
async def test_how_bad_it_is_what_serves_and_what_fires_is_on_one_screen(serving: Engine, size) -> None:
    async with console(serving).run_test(size=size) as pilot:
        await duty(pilot)
        text = screen_text(pilot)
        for words in (
            "✖ 1 page",
            "✖ 1 ticket",
            "watch ● up",
            "late",
            "✖ PAGE",
            "auc_low",
            "drift 2013-09",
            "AUC 0.640",
        ):
            assert words in text, f"{words} is not in\n{text}"
        assert "refused [b]it" in " ".join(text.split())
        assert "nobody has taken it ROC AUC 0.64 is below 0.7" in " ".join(text.split())
        assert "a take" in text
        assert "\x1b" not in text


async def test_a_watch_that_is_away_hides_neither_the_alert_nor_its_key_on_a_phone(serving: Engine) -> None:
    beat = msgspec.json.encode({"at": now_ms() - 290_000, "problem": ""}).decode()
    with serving.store.write("metrics") as db:
        db.table("latest").upsert({"name": "monitor", "at": 1, "sample": beat}, pk="name")
    with serving.store.write() as db:
        service = {"name": "monitor", "module": "m", "arguments": "[]", "state": "up", "updated_at": 1}
        db.table("services").insert(service, replace=True)
    async with console(serving).run_test(size=(40, 15)) as pilot:
        await duty(pilot)
        text = screen_text(pilot)
        assert "has not looked for 4 min" in " ".join(text.split())
        assert "as of 4" not in text
        assert "›✖ PAGE" in text
        assert "a take" in text


async def test_what_is_past_says_so_and_is_not_answered(serving: Engine) -> None:
    app = Console(serving.as_of(now_ms()), stage="monitor", supervise=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("o")
        await duty(pilot)
        assert "◷ as it was at" in screen_text(pilot)
        await pilot.press("a")
        await becomes(pilot, lambda: any("can't be changed" in toast.title for toast in app._notifications))
        await pilot.press("enter")
        await becomes(pilot, lambda: isinstance(app.screen, IncidentScreen) and app.screen.facts is not None)
        assert "◷ as it was at" in screen_text(pilot)


async def test_one_key_takes_the_page_under_the_cursor_and_enter_opens_its_incident(serving: Engine) -> None:
    async with console(serving).run_test(size=(80, 24)) as pilot:
        await duty(pilot)
        page = next(alert.id for alert in serving.monitor.alerts() if alert.severity == "page")
        assert pilot.app.screen.query_one("#duty-alerts", Table).key == str(page)
        await pilot.press("a")
        await shows(pilot, "▲ taken by", "▲ 1 taken")
        assert serving.monitor.alert(page).state == "acknowledged"
        await pilot.press("enter")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, IncidentScreen))
        await shows(pilot, "alert/")
        await pilot.press("escape")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, OnCall))


async def test_an_answer_is_seen_at_once_although_a_reading_had_begun_before(serving: Engine, monkeypatch) -> None:
    monkeypatch.setattr(OnCall, "every_s", 3_600.0)
    async with console(serving).run_test(size=(80, 24)) as pilot:
        screen = await duty(pilot)
        read, go_on = serving.monitor.duty, threading.Event()

        def slow() -> Duty:
            found = read()
            go_on.wait(20)
            return found

        monkeypatch.setattr(serving.monitor, "duty", slow)
        screen.look()
        await pilot.press("a")
        await becomes(pilot, lambda: any(one.state == "acknowledged" for one in serving.monitor.alerts()))
        await becomes(pilot, lambda: screen._owed)
        go_on.set()
        await shows(pilot, "▲ 1 taken")


async def test_the_bell_rings_once_for_a_new_page_and_not_for_what_was_there(serving: Engine, monkeypatch) -> None:
    rung: list[int] = []
    config = serving.workspace.config
    config.write_text(config.read_text() + "[oncall]\nbell = true\n")
    async with console(serving).run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app, "bell", lambda: rung.append(1))
        screen = await duty(pilot)
        assert "bell on" in screen_text(pilot)
        assert rung == []
        with serving.store.write() as db:
            db.execute("update alerts set severity = 'page' where rule = 'drift_up'")
        screen.look()
        await becomes(pilot, lambda: rung)
        screen.look()
        await settle(pilot)
        assert rung == [1]
        await pilot.press("B")
        await shows(pilot, "bell off")


async def test_nothing_is_drawn_when_nothing_changed_and_what_is_old_says_so(serving: Engine, monkeypatch) -> None:
    async with console(serving).run_test(size=(80, 24)) as pilot:
        screen = await duty(pilot)
        drawn: list[object] = []
        for widget in screen.walk_children():
            monkeypatch.setattr(widget, "refresh", lambda *a, w=widget, **k: drawn.append(w))
        screen.look()
        await settle(pilot)
        assert drawn == []
        monkeypatch.undo()
        screen._reading, screen._read_at = True, screen._read_at - 60
        screen.look()
        await shows(pilot, "stale: not read for 60 s")


def test_the_view_is_one_document_and_a_plain_text_too(serving: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(serving, "oncall") == 1
    text = capsys.readouterr().out
    assert "✖ PAGE  auc_low" in text
    assert "refused [b]it" in text
    for alert in serving.monitor.alerts():
        serving.monitor.acknowledge(alert.id, "ada")
    found = document(serving, capsys, "oncall")
    assert [one["endpoint"]["name"] for one in found["served"]] == ["late"]
    assert found["post"]["late"] == 1
    assert found["served"][0]["quality"]["basis"] == "measured"
    assert [alert["severity"] for alert in found["alerts"]] == ["page", "ticket"]
