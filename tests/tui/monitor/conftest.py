"""A workspace with three judged months, of which the last one drifts and fires, as the watch would leave it."""

# pyright: basic

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.config import load_config
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.workspace import create_workspace

CONFIG = """
[problem]
title = "Late flights"
[monitor]
window = "month"
[[alerts]]
name = "auc_low"
metric = "roc_auc"
below = 0.7
severity = "page"
[[alerts]]
name = "drift_up"
metric = "max_psi"
above = 0.25
"""
MONTHS = ("2013-07-01", "2013-08-01", "2013-09-01", "2013-10-01")
PSI = (0.02, 0.12, 0.61)
AUC = (0.75, 0.72, 0.64)
BINS = {"labels": ["< 1", "≥ 1", "missing"], "reference": [0.5, 0.5, 0.0], "current": [0.2, 0.7, 0.1]}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(create_workspace(tmp_path / "flights", CONFIG))
    fill(opened)
    yield opened
    opened.store.close()


def fill(engine: Engine) -> None:
    """Write windows, features and the watch's heartbeat, and let the rules speak."""
    with engine.store.write() as db:
        for number, (psi, auc) in enumerate(zip(PSI, AUC, strict=True)):
            db.table("monitor_windows").insert(window_of(number, psi, auc))
            for position, name in enumerate(("wind\x1b[31m", "carrier", "prediction")):
                db.table("monitor_features").insert(feature_of(number + 1, position, name, psi))
        cursor = {"endpoint": "late", "model": "late", "version": 1, "newest_event": parse_ms("2013-09-30")}
        db.table("monitor_cursors").insert(cursor | {"arrived_at": now_ms()})
    with engine.store.write("metrics") as db:
        beat = {"at": now_ms() + 600_000, "problem": ""}
        db.table("latest").insert({"name": "monitor", "at": 1, "sample": msgspec.json.encode(beat).decode()})
    config = load_config(engine.workspace.config)
    advance(engine.store, config, "late", engine.monitor.windows("late"))


def window_of(number: int, psi: float, auc: float) -> dict[str, Any]:
    return {
        "endpoint": "late",
        "model": "late",
        "version": 1,
        "starts": parse_ms(MONTHS[number]),
        "ends": parse_ms(MONTHS[number + 1]),
        "rows": 28_000 + number,
        "labelled": 17_080,
        "verdict": "drift" if psi > 0.25 else "watch" if psi > 0.1 else "ok",
        "why": "wind drifted",
        "false_alarms": 0,
        "null_runs": 100,
        "null_rows": 20_000,
        "max_psi": psi,
        "roc_auc": auc,
        "roc_auc_error": 0.004,
        "reference_auc": 0.75,
        "prediction_mean": 0.25,
        "schema_changes": '["dest: 3 rows in categories training did not see: [b]TVC (3)"]',
        "closed": 1,
        "labels_settled": 1,
        "computed_at": now_ms(),
    }


def feature_of(window_id: int, position: int, name: str, psi: float) -> dict[str, Any]:
    moved = psi if position == 0 else 0.01
    return {
        "window_id": window_id,
        "position": position,
        "feature": name,
        "kind": "prediction" if name == "prediction" else "numeric",
        "psi": moved,
        "method": "kolmogorov_smirnov",
        "score": moved / 2,
        "kolmogorov_smirnov": moved / 2,
        "wasserstein": moved,
        "p": 1e-9,
        "p_adjusted": 2e-9,
        "suspected": int(moved > 0.1),
        "jensen_shannon": moved / 2,
        "threshold": 0.05,
        "rule": "Suspected when the KS distance is at least 0.050: effect = 0.05 of [monitor].",
        "verdict": "drift" if moved > 0.25 else "watch" if moved > 0.1 else "ok",
        "importance": None if name == "prediction" else (0.7, 0.3)[position],
        "missing_share": 0.1,
        "reference_missing_share": 0.0,
        "bins": msgspec.json.encode(BINS).decode(),
    }
