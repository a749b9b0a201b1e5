# pyright: basic

import json
from typing import Any

import msgspec
import pytest
from support import becomes, screen_text, settle, shows

from lemnis.engine import Engine
from lemnis.engine.monitor.retraining import Figure, Point, studied
from lemnis.engine.monitor.retraining.studied import Try
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.screens.loop import LoopScreen
from lemnis.tui.stages.monitor.room import MonitorStage


@pytest.fixture
def looped(engine: Engine) -> Engine:
    """Version 1 is served, version 2 is the challenger whose gates pass, and July was looked back on."""
    said = {"who": "ada", "why": "test", "created_at": 1}
    with engine.store.write() as db:
        db.execute("update monitor_windows set labels_settled = 0")
        for number in (1, 2):
            db.table("runs").insert({"name": "r", "state": "finished", "created_at": 1})
            db.table("models").insert({"name": "late", "created_at": 1}, ignore=True)
            version = {
                "model": "late",
                "version": number,
                "run_id": number,
                "sha256": "0" * 64,
                "path": "m",
                "bytes": 1,
            }
            db.table("model_versions").insert(version | said | {"signature": "{}", "golden": '{"rows": []}'})
        gate = {"run_id": 2, "metric": "roc_auc", "part": "test", "rule": ">= 0.5", "position": 0}
        db.table("gates").insert(gate | {"verdict": "pass", "why": "it is", "at": 1})
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 0}
        db.table("endpoints").insert(endpoint | {"serving_version": 1, "created_at": 1, "changed_at": 1})
        for alias, number in (("champion", 1), ("challenger", 2)):
            event = {"model": "late", "alias": alias, "kind": "promote", "version": number, "at": 1}
            db.table("alias_events").insert(event | {"who": "ada", "why": "wind\x1b[31m"})
    tried = Try(name="2013-07", window="all", until=1, judged=(1, 2))
    made = studied.begin(engine.store, "backtest", "late", ("late", 1), [tried], "ada")
    figure = Figure(metric="roc_auc", champion=0.7, challenger=0.74, delta=0.04, low=0.02, high=0.06, verdict="better")
    point = Point(name="2013-07", learnt=9_000, judged=900, rounds=60, cpu_seconds=4.2, seconds=4.0, figures=[figure])
    studied.keep(engine.store, made.id, 0, point)
    engine.jobs.cancel(made.job_id or 0)
    return engine


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 15)])
async def test_every_step_shows_its_state_its_blocker_and_its_key(looped: Engine, size: tuple[int, int]) -> None:
    async with Console(looped, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await settle(pilot)
        await pilot.press("C")
        await shows(pilot, "watch" if size[1] < 20 else "promote")
        await settle(pilot)
        text = screen_text(pilot)
        lines = [line for line in text.splitlines() if line.strip(" │┃|")]
        for name in ("observe", "suspect", "train", "verify", "shadow", "promote", "watch"):
            assert any(name in line for line in lines), text
        promote = next(line for line in lines if "promote" in line and "attention" in line)
        assert " P " in promote
        assert "\x1b" not in text
        if size[0] >= 80:
            assert "a person decides" in promote
        if size[1] >= 48:
            assert "mean gain of roc auc +0.040 (+0.020 to +0.060) over 1 span, better in 1; 4.2 CPU seconds" in text
        await pilot.press("j", "j", "K")
        await shows(pilot, "Loop: train")
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, LoopScreen)


async def test_a_challenger_is_promoted_with_a_reason_and_asked_for_again(looped: Engine) -> None:
    async with Console(looped, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("C")
        await shows(pilot, "a person decides")
        await pilot.press("P", "enter")
        await shows(pilot, "needs a reason")
        await pilot.press(*"better", "enter")
        await becomes(pilot, lambda: looped.deploy.history("late")[0].version == 2)
        event = looped.deploy.history("late")[0]
        assert (event.alias, event.why) == ("champion", "better")
        await pilot.press("t")
        await shows(pilot, "whatever cool-down and budget say")
        await pilot.press("y")
        await shows(pilot, "0 windows have all")


async def test_read_only_nothing_is_begun(looped: Engine) -> None:
    looped.store.read_only = True
    async with Console(looped, stage="monitor", supervise=False).run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await pilot.press("C")
        await shows(pilot, "a person decides")
        await pilot.press("H")
        await becomes(pilot, lambda: any("read-only" in toast.title for toast in pilot.app._notifications))


@pytest.fixture
def lemnis(looped: Engine, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(hoisted([*arguments, "-w", str(looped.workspace.root)]))
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_status_tells_the_same_facts_as_the_screen(lemnis, looped: Engine) -> None:
    code, out, _ = lemnis("retrain", "status", "--json")
    document = json.loads(out)
    assert code == 0
    loop = looped.monitor.retraining.loop("late", watching=looped.monitor.status().why)
    assert document["steps"] == msgspec.to_builtins(loop.steps)
    assert (document["version"], document["challenger"], document["policy"]) == (1, 2, "suggest")
    assert document["queue"][0]["decision"]["why"].startswith("0 windows have all their labels")
    code, out, _ = lemnis("retrain", "status")
    assert code == 0
    assert "late serves late v1; policy = suggest" in out
    assert "waits, 0 windows have all their labels" in out
    assert "`lemnis models promote late 2 --reason …`" in out


def test_alone_or_with_options_or_an_endpoint_it_retrains(lemnis) -> None:
    for arguments in ([], ["late"], ["--reason", "why"], ["start", "late", "--window", "last:90d"]):
        code, _, err = lemnis("retrain", *arguments)
        assert code == 2
        assert "a retraining needs two to be judged on" in err
    code, _, err = lemnis("retrain", "nowhere")
    assert code == 2
    assert "No endpoint 'nowhere'" in err


def test_studies_are_listed_with_what_they_found(lemnis) -> None:
    code, out, _ = lemnis("retrain", "studies", "--json")
    (study,) = json.loads(out)["studies"]
    assert code == 0
    assert (study["kind"], study["champion_version"], study["mean"]["gain"]) == ("backtest", 1, 0.04)
    code, out, _ = lemnis("retrain", "studies")
    assert "2013-07  9,000" in out
    assert "Mean gain of roc auc +0.040 (+0.020 to +0.060) over 1 span, better in 1; 4.2 CPU seconds." in out
    code, _, err = lemnis("retrain", "backtest", "--every", "hour")
    assert (code, "Choose one of day, week, month." in err) == (2, True)
