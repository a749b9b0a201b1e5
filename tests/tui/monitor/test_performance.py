# pyright: basic
"""The performance layer: truth beside estimate, the detectors' findings, money, and stale models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor.concept.baseline import keep_baseline
from lemnis.engine.monitor.concept.kept import kept_baseline
from lemnis.engine.monitor.concept.records import Baseline, Doubt, Figure, Figures
from lemnis.engine.problem.history import record_text
from lemnis.tui.app import Console
from lemnis.tui.stages.monitor.room import MonitorStage

MONTHS = ("2013-07-01", "2013-08-01", "2013-09-01", "2013-10-01")
MEASURED = (0.75, 0.72, 0.64)
ESTIMATED = (0.74, 0.74, 0.73)


def figures_of(auc: float, wide: float = 0.02) -> Figures:
    """Return figures whose money is 100 for 1,000 rows at an AUC of 0.75 and nothing at 0.65."""
    share = auc - 0.65
    return Figures(
        rows=1_000,
        found={"roc_auc": Figure(auc, auc - wide, auc + wide), "log_loss": Figure(0.5, 0.4, 0.6)},
        counts=[share, 0.1, 0.1, 0.8 - share],
        covariance=[1e-6, *[0.0] * 15],
        blocks="days",
    )


@pytest.fixture
def performing(engine: Engine) -> Engine:
    """Three months, of which the last has no labels, with a value of a right answer and a stale champion."""
    made = Baseline(
        task="binary",
        held_out="validation",
        figures=figures_of(0.75),
        doubt=Doubt(rows=1_000, variance={}, effect={}, calibration_error=0.004),
    )
    keep_baseline(engine.store, "late", 1, made, "")
    assert kept_baseline(engine.store, "late", 1) == made
    with engine.store.write() as db:
        db.execute("update monitor_windows set labels_settled = 1, labelled = rows")
        db.execute("update monitor_windows set labelled = 0, roc_auc = null where starts = ?", [parse_ms(MONTHS[2])])
        for number in range(3):
            row = {"endpoint": "late", "model": "late", "version": 1, "rows": 28_000}
            row |= {"starts": parse_ms(MONTHS[number]), "ends": parse_ms(MONTHS[number + 1])}
            row["estimated"] = msgspec.json.encode(figures_of(ESTIMATED[number])).decode()
            if number < 2:
                row["measured"] = msgspec.json.encode(figures_of(MEASURED[number])).decode()
                row["calibration_error"] = 0.05
            db.table("monitor_figures").insert(row)
        db.execute("update monitor_cursors set newest_label_event = ?", [parse_ms("2013-08-31")])
        head = {"rows": 40_000, "event_at": parse_ms("2013-08-31"), "prediction_id": 9, "labels_at": 5}
        head |= {"waits_ms": 3 * 86_400_000, "late": 12, "stream": '{"state": "drift"}'}
        db.table("monitor_streams").insert({"endpoint": "late", "model": "late", "version": 1, **head})
        for detector, level, day in (("concept", "warning", 10), ("ADWIN", "drift", 12), ("concept", "drift", 12)):
            found = {"detector": detector, "level": level, "event_at": parse_ms(f"2013-08-{day}"), "row": day}
            db.table("monitor_detections").insert({"endpoint": "late", "model": "late", "version": 1, **found})
        run = db.table("runs").insert({"name": "r", "created_at": 1}).last_pk
        db.table("models").insert({"name": "late", "created_at": 1})
        said = {"who": "ada", "why": "first", "created_at": 1, "sha256": "0", "path": "m", "bytes": 1}
        db.table("model_versions").insert(
            {"model": "late", "version": 1, "run_id": run, "signature": "{}", "golden": "{}", **said}
        )
        db.table("alias_events").insert(
            {
                "model": "late",
                "alias": "champion",
                "kind": "promote",
                "version": 1,
                "at": 1,
                "who": "ada",
                "why": "first",
            }
        )
    path = engine.workspace.config
    record_text(engine.store, path.read_text(), "ada", "first", now=0)
    value = "threshold = 0.3\n[problem.value]\ntrue_positive = 1.0\n[monitor]"
    path.write_text(path.read_text().replace("[monitor]", value, 1))
    return engine


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.query_one(MonitorStage).loaded_at is not None)
        await settle(pilot)
        await pilot.press("P")
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_truth_stands_beside_the_estimate_and_neither_in_the_other_s_column(performing, size) -> None:
    async with opened(performing, size) as pilot:
        text = screen_text(pilot)
        assert "0.720 [0.700, 0.740]" in text
        assert "–  " in next(line for line in text.splitlines() if "2013-09" in line and "0.730 [" in line)
        assert "✖ drift since 2013-08-12 (ADWIN 2013-08-12)" in text
        assert "within ±0.020 in 2 of 2 windows" in text
        first = [text.index(subject) for subject in ("concept  ", "money  ", "estimates  ", "calibration ", "labels  ")]
        assert first == sorted(first)
        assert "does not hold" in text
        assert "▲ late v1 is stale  D diff  L retrain  W let it stay  the problem changed" in text
        assert "threshold 0.5 → 0.3   value.true_positive 0.0 → 1.0" in text
        if size[0] > 100:
            assert "concept drift 1" in text
            assert "estimated 0.730" in text
            assert "held out 0.750" in text
            assert "−0.030, within chance" in text
        await pilot.press("v", "v")
        await settle(pilot)
        assert "value per 1,000 with 95 % intervals" in screen_text(pilot)
        assert "$70 [$68.04, $71.96]" in screen_text(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "Alerts" in screen_text(pilot)


async def test_k_says_what_is_measured_estimated_and_found(performing) -> None:
    async with opened(performing, (160, 48)) as pilot:
        await pilot.press("K")
        await shows(pilot, "ADWIN (δ 0.002)")
        text = screen_text(pilot)
        assert "threshold: was 0.5, is 0.3" in text
        assert "Yes-or-no models (CBPE)" in text


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_was_asked_and_what_is_asked_now_is_one_key_from_a_stale_model(performing, size) -> None:
    performing.problem.notice()
    async with Console(performing, stage="monitor", supervise=False).run_test(size=size) as pilot:
        await shows(pilot, "▲ late v1 is stale  D diff", "threshold 0.5 → 0.3")
        await pilot.press("D")
        await shows(pilot, "− 0.5", "+ 0.3")
        assert pilot.app.screen.query_one("#history").has_focus


async def test_a_stale_model_is_let_stay_by_somebody_for_a_reason(performing) -> None:
    async with opened(performing, (80, 24)) as pilot:
        await pilot.press("W")
        await settle(pilot)
        pilot.app.screen.query_one("#form-why", Input).value = "retrained on Monday"
        pilot.app.screen.query_one("#form-who", Input).value = "bob"
        await pilot.press("enter", "enter")
        await shows(pilot, "bob lets late v1 stay: retrained on Monday")
        assert performing.monitor.stale()[0].waived.who == "bob"  # type: ignore[union-attr]


async def test_deploy_marks_the_stale_champion_and_says_what_changed(performing) -> None:
    async with Console(performing, stage="deploy", supervise=False).run_test(size=(160, 48)) as pilot:
        await shows(pilot, "▲ stale")
        await settle(pilot)
        pilot.app.screen.query_one("#versions").focus()
        await shows(pilot, "was 0.5, is 0.3")
