"""Folds, slices and faults as a person sees them, and the keys that lead on from them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from support import becomes, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.deploy import LoadCell, LoadTest
from lemnis.engine.evaluate import Bin, Calibration, CalibrationMap, Evaluation, Reliability
from lemnis.engine.evaluate.verifications import (
    FoldResult,
    Folds,
    Perturbation,
    Perturbations,
    Slice,
    Slices,
    save_verification,
)
from lemnis.tui.app import Console
from lemnis.tui.stages.evaluate.verified.calibration import calibration_listing
from lemnis.tui.stages.evaluate.verified.load import load_listing

SIZES = [(80, 24), (160, 48)]


def keep(engine: Engine) -> None:
    """Keep results whose every number is known."""
    folds = [
        FoldResult(name=name, learned=100, judged=50, metrics={"roc_auc": auc, "log_loss": 0.5}, seconds=1.0)
        for name, auc in (("2013-05", 0.75), ("2013-06", 0.65))
    ]
    found = Folds(
        run_id=1, scheme="time", column="", parts=["train"], metric="roc_auc", mean=0.7, spread=0.0707, worst="2013-06",
        rounds=34, folds=folds, of=3, seconds=2.0, at=1,
    )  # fmt: skip
    save_verification(engine.store, "folds time", found)
    slices = [
        Slice(
            words="late = [true]", where='"late" = true', rows=1, share=0.5, loss=0.9, rest=0.4, low=0.3, high=0.7,
            q=0.0004, value=0.61,
        )
    ]  # fmt: skip
    worse = Slices(
        run_id=1, part="test", rows=2, loss_name="log loss", loss=0.6, metric="roc_auc", value=0.726, tested=12,
        least_rows=50, blocks="days", slices=slices, at=1,
    )  # fmt: skip
    save_verification(engine.store, "slices", worse)
    tried = [
        Perturbation(kind="column absent", feature="wind", refused="The feature wind is absent.", passed=True),
        Perturbation(kind="unit × 1000", feature="wind", value=0.6, loss=0.126, changed=0.25, passed=False),
    ]
    faults = Perturbations(
        run_id=1, part="test", rows=200, metric="roc_auc", value=0.726, constant=0.5, allowed=0.0226, features=1, of=2,
        tried=tried, at=1,
    )  # fmt: skip
    save_verification(engine.store, "perturbations", faults)


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int], view: str) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="evaluate").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("v")
        while f"[{view}]" not in (await shows(pilot, "[")):
            await pilot.press("v")
            await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", SIZES)
async def test_folds_show_mean_spread_and_the_worst_and_say_that_they_were_stopped(
    engine: Engine, size: tuple[int, int]
) -> None:
    keep(engine)
    async with opened(engine, size, "folds") as pilot:
        await shows(
            pilot, "time: ROC AUC 0.700 ± 0.071", "2013-05", "0.750", "0.650  ", "▲ worst", "stopped after 2 of 3",
            "worst: 2013-06", "34 rounds each",
        )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
async def test_a_fault_that_is_answered_wrongly_stands_first_with_its_rule(
    engine: Engine, size: tuple[int, int]
) -> None:
    keep(engine)
    async with opened(engine, size, "stress") as pilot:
        await shows(
            pilot, "1 of 2 faults fail", "✖ fail   unit × 1000", "−0.126", "25.0%", "ROC AUC 0.726 → 0.600",
            "allowed  0.023", "1 of 2 features",
        )  # fmt: skip
        await pilot.press("j")
        await shows(pilot, "● pass", "The feature wind is absent.", "rule     refused")


@pytest.mark.parametrize("size", SIZES)
async def test_a_slice_says_how_much_worse_it_is_and_enter_shows_its_rows(
    engine: Engine, size: tuple[int, int]
) -> None:
    keep(engine)
    async with opened(engine, size, "slices") as pilot:
        await shows(
            pilot, "1 worse of 12 tested", "late = [true]", "+0.500", "< 0.001", "95 % +0.300…+0.700 over days",
            "ROC AUC 0.610, 0.726",
        )  # fmt: skip
        await pilot.press("enter")
        await shows(pilot, "late = true", "1 of 1 (100.0%)")


LOAD = LoadTest(
    endpoint="late", model="late", version=3, cold_start_ms=840.0, idle_bytes=50 << 20, busy_bytes=60 << 20, rows=127,
    cores=2, currency="USD", price_core_hour=0.04, at=1,
    cells=[
        LoadCell(
            connections=16, batch=10, seconds=2.0, requests=6000, errors=2, requests_per_s=3000.0, rows_per_s=30_000.0,
            p50_ms=4.2, p90_ms=6.1, p99_ms=9.9, p999_ms=15.0, cpu_us_per_row=33.0, cost_per_million=0.37,
        )
    ],
)  # fmt: skip


@pytest.mark.parametrize("width", [76, 110])
def test_a_load_test_says_waits_throughput_memory_and_what_a_million_costs(width: int) -> None:
    listing = load_listing([LOAD])
    assert [str(cell) for cell in listing.rows[0].cells] == [
        "16", "10", "3,000", "30,000", "4.20", "6.10", "9.90", "15.00", "✖ 2"
    ]  # fmt: skip
    said = "\n".join(line.plain for line in listing.lines(listing.rows[0].key, width))
    for text in ("840 ms", "50.0 MiB idle", "60.0 MiB after", "$0.37", "33.0 µs of a core a row", "127 golden rows"):
        assert text in said, said


@pytest.mark.slow
async def test_a_run_that_no_endpoint_serves_can_not_be_put_under_load(engine: Engine) -> None:
    async with opened(engine, (80, 24), "baselines") as pilot:
        await pilot.press("T")
        await shows(pilot, "[load]", "No endpoint serves run 1.")
    assert engine.jobs.jobs() == []


@pytest.mark.slow
async def test_a_key_asks_how_to_cut_and_queues_the_folds(engine: Engine) -> None:
    with engine.store.write() as db:
        db.execute("update runs set model_sha256 = 'x', cores = 1, memory_bytes = 0 where id = 1")
    async with opened(engine, (80, 24), "baselines") as pilot:
        await pilot.press("F")
        await shows(pilot, "cut by", "k-fold: each fifth")
        await pilot.press("t")
        await shows(pilot, "[folds]", "Not trained on folds yet.")
        jobs = await becomes(pilot, engine.jobs.jobs)
        assert jobs[0].arguments == {"run": 1, "scheme": "time", "k": 5, "columns": []}


@pytest.mark.parametrize("width", [40, 90])
def test_of_several_classes_each_has_its_line_and_its_diagram(width: int) -> None:
    def of(said: float, was: float) -> Reliability:
        bins = [Bin(said=said, was=was, rows=50, low=was - 0.05, high=was + 0.05)]
        return Reliability(bins=bins, ece=abs(said - was), brier=0.2, off=0.0, apart=0.0, spread=0.2)

    calibrated = Calibration(
        part="test", blocks="days", reliability=of(0.9, 0.6), classes={"[DL]": of(0.3, 0.3), "answered": of(0.7, 0.4)},
        maps=[CalibrationMap(method="temperature", rows=9, points=[[1.5]], tests=[], wins=True)],
    )  # fmt: skip
    last = Evaluation(run_id=1, version_id="v", part="test", rows=50, metrics={}, created_at=1, calibrated=calibrated)
    listing = calibration_listing(last, width)
    assert listing.detail == "· test rows, 2 classes"
    assert [[str(cell) for cell in row.cells[:4]] for row in listing.rows] == [
        ["the class answered", "90.0%", "60.0%", "0.300"],
        ["[DL]", "30.0%", "30.0%", "0.000"],
        ["answered", "70.0%", "40.0%", "0.300"],
    ]
    words = [[str(line) for line in listing.lines(row.key, width)] for row in listing.rows]
    assert all(len(line) <= width for line in words[1][:2])
    assert "◆" in words[1][1]
    assert words[2][1].index("●") < words[2][1].index("◇")
    assert any(line.startswith("temperature  ● worth it") for line in words[0])
