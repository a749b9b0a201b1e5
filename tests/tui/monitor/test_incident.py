"""The incident of an alert on one screen, and in a terminal: what it says, and what can be done from it."""

# pyright: basic

from typing import Any

import msgspec
import pytest
from commanding import call, document
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor.concept.records import Concept, Detection
from lemnis.engine.monitor.drift.found import Contrast, Share
from lemnis.tui.app import Console
from lemnis.tui.screens.alerted.lines import plain, printed, wrapped
from lemnis.tui.screens.alerted.sections import choices, sections
from lemnis.tui.screens.incident import IncidentScreen, foot
from lemnis.tui.stages.monitor.room import MonitorStage
from lemnis.tui.widgets import Table


async def opened(engine: Engine, pilot: Pilot[None], rule: str = "auc_low") -> IncidentScreen:
    """Open the incident of a rule's alert from the tab's list."""
    app = pilot.app
    await becomes(pilot, lambda: app.query_one(MonitorStage).loaded_at is not None)
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == rule)
    table = app.query_one("#alerts", Table)
    table.focus()
    table.select(str(alert.id))
    await pilot.press("enter")
    await becomes(pilot, lambda: isinstance(app.screen, IncidentScreen) and app.screen.facts is not None)
    await settle(pilot)
    screen = app.screen
    assert isinstance(screen, IncidentScreen)
    return screen


async def told(pilot: Pilot[None], words: str) -> None:
    """Wait until a toast says something."""
    await becomes(pilot, lambda: any(words in f"{toast.title} {toast.message}" for toast in pilot.app._notifications))


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 15)])
async def test_what_since_when_how_sure_and_who_has_it_is_seen_at_once(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await opened(engine, pilot)
        text = screen_text(pilot)
        assert "✖ firing PAGE  auc_low" in text
        assert "0.640" in text
        assert "nobody has taken it" in " ".join(text.replace("│", " ").split())
        assert "2013-09" in text
        assert "\x1b" not in text
        if size[0] > 100:
            assert "windows in a row" in text or "bad window in a row" in text
            assert "wind␛[31m" in text
            assert "dest: 3 rows in categories training did not see: [b]TVC (3)" in text


async def test_an_alert_is_taken_silenced_and_ended_from_its_incident(engine: Engine) -> None:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        alert_id = (await opened(engine, pilot)).alert_id
        await pilot.press("a")
        await shows(pilot, "taken by")
        assert engine.monitor.alert(alert_id).state == "acknowledged"
        await pilot.press("Z")
        await settle(pilot)
        pilot.app.screen.query_one("#form-until", Input).value = "soon"
        pilot.app.screen.query_one("#form-why", Input).value = "load test"
        pilot.app.screen.query_one("#form-who", Input).focus()
        await pilot.press("enter")
        await shows(pilot, "is no end")
        pilot.app.screen.query_one("#form-until", Input).value = "2h"
        await pilot.press("enter")
        await becomes(pilot, lambda: [one.why for one in engine.monitor.alerting.silences()] == ["load test"])
        await pilot.press("R")
        await settle(pilot)
        pilot.app.screen.query_one("#form-why", Input).value = "mended"
        pilot.app.screen.query_one("#form-who", Input).focus()
        await pilot.press("enter")
        await becomes(pilot, lambda: engine.monitor.alert(alert_id).state == "resolved")
        await pilot.press("escape")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, IncidentScreen)


async def test_keys_that_can_do_nothing_say_why_and_the_window_is_one_key_away(engine: Engine) -> None:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        screen = await opened(engine, pilot)
        await pilot.press("b")
        await told(pilot, "There is no earlier version to go back to.")
        await pilot.press("t")
        await told(pilot, "No endpoint serves this model here.")
        assert screen.facts is not None
        assert screen.facts.window is not None
        window = screen.facts.window.id
        await pilot.press("w")
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).window_id == window)


async def test_nothing_is_written_to_a_workspace_that_is_open_read_only(engine: Engine) -> None:
    engine.store.read_only = True
    async with Console(engine, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await opened(engine, pilot)
        await pilot.press("a")
        await told(pilot, "open read-only")


def test_an_incident_is_printed_as_text_json_and_markdown(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == "drift_up")
    assert call(engine, "alerts", "show", f"alert/{alert.id}") == 1
    text = capsys.readouterr().out
    assert "wind␛[31m ✖ drift" in text
    assert "What changed around then" in text
    assert call(engine, "alerts", "show", str(alert.id), "--markdown") == 1
    chat = capsys.readouterr().out
    assert chat.startswith(r"**✖ firing TICKET  drift\_up  on late**")
    assert r"\[b\]TVC" in chat
    assert chat.count("```") == 2
    engine.monitor.acknowledge(alert.id, "ada")
    found = document(engine, capsys, "alerts", "show", str(alert.id))
    assert found["alert"]["rule"] == "drift_up"
    assert found["features"][0]["feature"] == found["sure"]["feature"] == "wind\x1b[31m"
    assert call(engine, "alerts", "show", "x/1") == 2
    assert "alert/3" in capsys.readouterr().err


def test_what_a_classifier_found_and_what_was_retrained_is_told(engine: Engine) -> None:
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == "drift_up")
    found = Contrast(
        auc=0.8, low=0.5, high=0.55, past=9, rows=100, reference_rows=200, told=[Share("[wind]", 0.61)], examples=[]
    )
    report = msgspec.structs.replace(engine.monitor.incident(alert.id), contrast=found)
    text = printed(sections(report, 100))
    assert "The window differs from training" in text
    assert "by [wind] 61%" in text


def test_the_foot_offers_only_keys_that_can_do_something(engine: Engine) -> None:
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == "auc_low")
    report = engine.monitor.incident(alert.id)

    def offered(**known: Any) -> str:
        return " ".join(key for key, _ in foot(msgspec.structs.replace(report, **known)))

    assert offered(alias="late@champion", back_to=2, data_version="x") == "a b t C d w Z R y ? esc"
    assert offered(alias="late@champion", back_to=None, data_version="", window=None) == "a t C Z R y ? esc"
    ended = msgspec.structs.replace(alert, state="resolved")
    assert offered(alias="", back_to=None, data_version="", alert=ended) == "C w Z y ? esc"


def test_ways_out_are_told_with_their_keys_and_so_is_a_concept_that_is_gone(engine: Engine) -> None:
    alert = next(alert for alert in engine.monitor.alerts() if alert.rule == "auc_low")
    report = engine.monitor.incident(alert.id)

    def ways(**facts: Any) -> list[str]:
        return [plain(line) for line in choices(msgspec.structs.replace(report, **facts))]

    assert ways() == []  # nothing serves it here
    served = {"alias": "late@champion"}
    assert ways(**served) == [
        "– there is no version before v1 to go back to",
        "t trains a challenger on the rows whose labels have come since",
    ]
    waits = ways(**served, back_to=3, challenger=2)
    assert waits == [
        "b goes back from v1 to v3",
        "C v2 waits as challenger: see how good it is, and promote it",
    ]
    found = [
        Detection(detector=name, level="drift", row=9, event_at=parse_ms("2013-09-06")) for name in ("ADWIN", "concept")
    ]
    told = Concept(state="drift", rows=9, event_at=1, waits_ms=0, late=0, left_out=0, detections=found)
    text = printed(sections(msgspec.structs.replace(report, concept=told), 100))
    assert "✖ drift since 2013-09-06  the model errs more than on held-out rows (ADWIN)" in text


async def test_an_address_in_the_palette_opens_its_incident(engine: Engine) -> None:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("colon")
        await settle(pilot)
        pilot.app.screen.query_one(Input).value = "alert/1"
        await shows(pilot, "An alert with everything around it.")
        await pilot.press("enter")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, IncidentScreen))


@pytest.mark.parametrize("width", [7, 12, 40])
def test_a_sentence_is_broken_between_words_and_no_part_is_too_wide(width: int) -> None:
    line = [("a window of ", ""), ("飛行機 wide", "bold"), (" words and verylongwordsindeed", "")]
    parts = [plain(one) for one in wrapped(line, width)]
    from rich.cells import cell_len

    assert all(cell_len(part) <= width for part in parts)
    if width == 40:
        assert " ".join(part.strip() for part in parts) == plain(line)
