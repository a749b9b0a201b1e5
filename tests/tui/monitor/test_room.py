# pyright: basic

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor import Planned
from lemnis.tui.app import Console
from lemnis.tui.screens.form import among
from lemnis.tui.stages.monitor.form import bad_replay, files, replay_form
from lemnis.tui.stages.monitor.room import MonitorStage
from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets import Table


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await settle(pilot)
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def table(pilot: Pilot[None], name: str) -> Table:
    return pilot.app.screen.query_one(f"#{name}", Table)


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_alerts_and_windows_are_seen_at_once(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        text = screen_text(pilot)
        assert "watch ● up" in text
        assert "✖ firing (page)" in text
        assert "drift_up" in text
        assert "2013-09" in text
        assert "▼ −0.110" in text
        assert "\x1b" not in text


async def test_a_wide_screen_shows_features_distribution_strip_and_chart(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        text = screen_text(pilot)
        assert "dest: 3 rows in categories training did not see: [b]TVC (3)" in text
        assert "this window" in text
        assert "Sep 13" in text
        assert "held out 0.750" in text
        assert "auc_low 0.700" in text
        await press(pilot, "v", "v")
        assert "prediction mean 0.250" in screen_text(pilot)


async def test_a_narrow_screen_goes_down_a_layer_and_back(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        assert "this window" not in screen_text(pilot)
        await press(pilot, "tab", "enter")
        assert "this window" in screen_text(pilot)
        await press(pilot, "escape", "v")
        assert "Drift over time" in screen_text(pilot)
        await press(pilot, "escape")
        assert "✖ firing (page)" in screen_text(pilot)


async def test_another_window_brings_its_own_features(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        await press(pilot, "tab", "j")
        assert table(pilot, "windows").key == "2"
        features = table(pilot, "features")
        assert features.current is not None
        assert features.current.cells[1] == "KS 0.060"


async def test_a_firing_alert_is_taken_with_name_and_reason(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await press(pilot, "a")
        pilot.app.screen.query_one("#form-why", Input).value = ""
        await press(pilot, "enter", "enter", "enter")
        assert "Say who you are and why." in screen_text(pilot)
        pilot.app.screen.query_one("#form-why", Input).value = "looking at [red]the feed"
        pilot.app.screen.query_one("#form-who", Input).value = "ada"
        pilot.app.screen.query_one("#form-who", Input).focus()
        await press(pilot, "enter")
        assert [(a.rule, a.acknowledged_by) for a in engine.monitor.alerts() if a.state == "acknowledged"] == [
            ("auc_low", "ada")
        ]
        assert "acknowledged by ada" in screen_text(pilot)


async def test_an_alert_is_resolved_by_hand_and_listed_among_the_past(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        await press(pilot, "R")
        pilot.app.screen.query_one("#form-why", Input).value = "mended"
        await press(pilot, "enter", "enter")
        assert len(engine.monitor.alerts()) == 1
        assert "● resolved" not in screen_text(pilot)
        await press(pilot, "r")
        assert "● resolved" in screen_text(pilot)


async def test_a_replay_that_runs_is_shown_and_stopped_only_when_told_to(engine: Engine) -> None:
    with engine.store.write() as db:
        row = {"kind": "monitor.replay", "title": "replay", "arguments": '{"endpoint": "late"}', "state": "running"}
        more = {"progress": 0.42, "progress_text": "2013-08-11: 5,000 rows", "created_at": 1}
        db.table("jobs").insert(row | more)
    async with opened(engine, (160, 48)) as pilot:
        assert re.search(r"◐ replay 42(\.0)?% 2013-08-11: 5,000 rows", screen_text(pilot))
        await press(pilot, "t", "t")
        assert engine.store.value("select cancel_asked from jobs") == 0
        await press(pilot, "y")
        assert engine.store.value("select cancel_asked from jobs") == 1


async def test_a_replay_pauses_and_goes_on_with_one_key(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.engine.jobs.JobsRoom.ensure_supervisor", lambda _: None)
    with engine.store.write() as db:
        row = {"kind": "monitor.replay", "title": "replay", "arguments": '{"endpoint": "late"}', "state": "queued"}
        db.table("jobs").insert(row | {"progress": 0.42, "created_at": 1})
    async with opened(engine, (80, 24)) as pilot:
        await press(pilot, "p")
        await shows(pilot, "○ replay paused 42% p goes on")
        assert engine.store.value("select state from jobs") == "cancelled"
        await press(pilot, "p")
        await becomes(pilot, lambda: engine.store.value("select state from jobs") == "queued")
        await shows(pilot, "◐ replay 42%")


async def test_without_an_endpoint_there_is_nothing_to_replay_to(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        await press(pilot, "t")
        assert len(pilot.app.screen_stack) == 1


async def test_k_explains_what_is_under_the_cursor(engine: Engine) -> None:
    async with opened(engine, (160, 48)) as pilot:
        await press(pilot, "K")
        assert "ROC AUC below 0.7 for one complete window" in " ".join(screen_text(pilot).split())


async def test_an_empty_workspace_says_what_to_do(tmp_path) -> None:
    from lemnis.engine.workspace import create_workspace

    empty = Engine(create_workspace(tmp_path / "new", "[problem]\n"))
    async with opened(empty, (80, 24)) as pilot:
        text = screen_text(pilot)
        assert "the watch was never started" in text
        assert "No rules. Press n to try and declare one." in text
        assert "No rows were served yet." in text
        await press(pilot, "a", "R", "v", "K", "escape", "escape", "enter")
    empty.store.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"from": "", "until": ""}, ""),
        ({"from": "July"}, "Write the days"),
        ({"until": "2013-06-01"}, "ends before"),
        ({"sample": "all"}, "numbers"),
        ({"sample": "0"}, "above 0"),
    ],
)
def test_a_replay_is_checked_before_it_is_asked_for(changed: dict[str, Any], said: str) -> None:
    filled = {"from": "2013-07-01", "until": "2014-01-01", "sample": "1", "days": "2"} | changed
    assert said in bad_replay(filled)
    assert bool(bad_replay(filled)) == bool(said)


def test_a_path_is_completed_by_folders_and_by_files_that_can_be_replayed(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("data/july.csv", "data/notes.txt", "data/june.PARQUET", ".hidden.csv", "late.csv"):
        (tmp_path / name).write_text("x")
    assert files(tmp_path, "") == ["data/", "late.csv"]
    assert files(tmp_path, "data/ju") == ["data/july.csv", "data/june.PARQUET"]
    assert files(tmp_path, f"{tmp_path}/l") == [f"{tmp_path}/late.csv"]
    assert files(tmp_path, "nowhere/x") == []


async def test_what_a_replay_would_send_is_said_before_it_starts() -> None:
    sent: list[dict[str, str]] = []

    def plan(filled: dict[str, str]) -> Planned:
        return Planned(
            title="july.csv", rows=1_200, begins=parse_ms("2013-07-01"), ends=parse_ms("2013-07-31"), seconds=30
        )

    class Sheet(ThemedApp[None]):
        def on_mount(self) -> None:
            options = {"rows": among(["v1", "july.csv"]), "time": lambda text, filled: [f"{filled['rows']} time"]}
            self.push_screen(replay_form("late", {}, options, plan), lambda filled: sent.append(filled or {}))

    async with Sheet().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "tab", "tab", "tab")
        assert pilot.app.screen.query_one("#form-time", Input).value == "july.csv time"
        fill_in(pilot)
        await press(pilot, "enter")
        await shows(pilot, "july.csv: 1,200 rows from 2013-07-01 to 2013-07-31, in 30.0 s.")
        await press(pilot, "enter")
        assert [one["rows"] for one in sent] == ["july.csv"]


def fill_in(pilot: Pilot[None], **lines: str) -> None:
    """Fill in lines of the form that is open and leave the cursor on its last one."""
    for name, value in lines.items():
        pilot.app.screen.query_one(f"#form-{name}", Input).value = value
    pilot.app.screen.query(Input).last().focus()


async def test_a_rule_is_silenced_until_a_time_and_every_rule_is_seen(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        assert "serving down" in screen_text(pilot)
        assert "○ no data" in screen_text(pilot)
        await press(pilot, "Z")
        fill_in(pilot, why="load test", until="31d", who="ada")
        await press(pilot, "enter")
        assert "at most 30 days" in screen_text(pilot)
        fill_in(pilot, until="2h")
        await press(pilot, "enter")
        await shows(pilot, "○ silenced", "1 silenced, next until")
        silence = engine.monitor.alerting.silences()[0]
        assert (silence.endpoint, silence.who, silence.why) == ("late", "ada", "load test")


async def test_an_alert_is_taken_until_a_time(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await press(pilot, "a")
        fill_in(pilot, why="looking", until="soon", who="ada")
        await press(pilot, "enter")
        assert "is no end" in screen_text(pilot)
        fill_in(pilot, until="30m")
        await press(pilot, "enter")
        await shows(pilot, "acknowledged by ada")
        assert any(alert.acknowledged_until for alert in engine.monitor.alerts())


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_rule_is_tried_on_history_and_then_saved(engine: Engine, size: tuple[int, int]) -> None:
    path = engine.workspace.config
    people = "".join(f'[contacts.{name}]\nurls = ["json://localhost:1"]\n' for name in ("team", "lead"))
    path.write_text(path.read_text() + people)
    async with opened(engine, size) as pilot:
        await press(pilot, "n")
        fill_in(pilot, name="psi", metric="psi", above="0.1", below="", windows="1", severity="page", days="365")
        await press(pilot, "enter")
        assert "Watches one of: drift" in screen_text(pilot)
        fill_in(pilot, metric="max_psi", notify="teem")
        await press(pilot, "enter")
        assert "teem is no contact. Contacts: team, lead." in screen_text(pilot)
        pilot.app.screen.query_one("#form-notify", Input).value = "te"
        pilot.app.screen.query_one("#form-notify", Input).focus()
        await press(pilot, "tab")
        assert pilot.app.screen.query_one("#form-notify", Input).value == "team"
        fill_in(pilot, escalate_after="30m", escalate_to="lead", runbook="open the feed ⏎ call ops")
        await press(pilot, "enter")
        await shows(pilot, "late: would have fired once in 93 days, 0.3 a month", "2013-08-01 … fires still")
        assert all(rule.name != "psi" for rule in engine.config().alerts)
        await press(pilot, "enter")
        await becomes(pilot, lambda: any(rule.name == "psi" for rule in engine.config().alerts))
        rule = next(rule for rule in engine.config().alerts if rule.name == "psi")
        assert (rule.notify, rule.escalate_after, rule.escalate_to) == (["team"], "30m", ["lead"])
        assert rule.runbook == "open the feed\ncall ops"


async def test_the_on_call_view_answers_alerts_too(engine: Engine) -> None:
    async with opened(engine, (120, 40)) as pilot:
        await press(pilot, "o")
        await shows(pilot, "✖ 1 page  ✖ 1 ticket")
        await press(pilot, "R")
        fill_in(pilot, why="rolled back", who="ada")
        await press(pilot, "enter")
        await shows(pilot, "✖ 1 ticket  watch")
        await press(pilot, "Z")
        fill_in(pilot, why="known", until="1h", who="ada")
        await press(pilot, "enter")
        await shows(pilot, "● nothing fires", "○ silenced", "1 silenced: ")
