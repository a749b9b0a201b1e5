"""A finished run with an evaluation whose every number is known, and a second run that nobody evaluated."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.evaluate import PairedTest
from lemnis.engine.evaluate.gates import judge
from lemnis.engine.evaluate.interpretation.records import (
    Contributions,
    Dependence,
    Dependences,
    Interaction,
    Interactions,
    Level,
    Swarm,
    SwarmOutput,
    Tone,
)
from lemnis.engine.evaluate.interpretation.results import save_interpretation
from lemnis.engine.evaluate.records import (
    Baseline,
    Bin,
    Calibration,
    CalibrationMap,
    Contribution,
    Evaluation,
    Explanation,
    Importance,
    Month,
    Reliability,
    Speed,
)
from lemnis.engine.evaluate.results import save_results
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

METRICS: dict[str, float | None] = {
    "roc_auc": 0.81,
    "log_loss": 0.43,
    "precision": 0.55,
    "recall": 0.6,
    "value": -50.0,
    "value_per_1000": -500.0,
}
LATER: dict[str, float | None] = {
    "roc_auc": 0.726,
    "log_loss": 0.571,
    "precision": 0.5,
    "recall": 0.4,
    "value": -70.0,
    "value_per_1000": -700.0,
}
SPEED = Speed(
    latency_p50_ms=0.08, latency_p99_ms=0.31, latency_calls=500, rows_per_s=48_484.2, batch_rows=20_000, batch_cores=1,
    model_bytes=736_872, load_ms=7.6,
)  # fmt: skip

BASELINES = [
    Baseline(
        name="constant", words="23.7% to every row", rows=200,
        tests=[
            PairedTest(
                metric="roc_auc", base=0.5, value=0.726, delta=0.226, better=True, low=0.2, high=0.25, p=0.0001,
                method="DeLong", adjusted=0.0002,
            ),
            PairedTest(metric="recall", base=0.0, value=0.4, delta=0.4, better=True),
        ],
    ),
    Baseline(name="last value", why="The version has no time column, so no row comes before another."),
    Baseline(
        name="champion", words="late v1, run [9]", rows=200, warning="It was trained on 3% of these rows.",
        tests=[
            PairedTest(
                metric="roc_auc", base=0.73, value=0.726, delta=-0.004, better=False, low=-0.01, high=0.002, p=0.2,
                method="DeLong", adjusted=0.2,
            ),
            PairedTest(metric="recall", base=0.5, value=0.4, delta=-0.1, better=False),
        ],
    ),
]  # fmt: skip

CALIBRATED = Calibration(
    part="test", blocks="days",
    reliability=Reliability(
        bins=[
            Bin(said=0.1, was=0.1, rows=100, low=0.05, high=0.15),
            Bin(said=0.5, was=0.75, rows=100, low=0.7, high=0.8),
        ],
        ece=0.125, brier=0.19, off=0.03, apart=0.1, spread=0.26,
    ),
    maps=[
        CalibrationMap(
            method=method, rows=50, points=[[1.0, 0.1]], wins=wins,
            tests=[
                PairedTest(metric=metric, base=0.2, value=0.19, delta=-0.01, low=-0.02, high=-0.003 if wins else 0.004)
                for metric in ("brier", "log_loss")
            ],
        )
        for method, wins in (("isotonic", False), ("platt", True))
    ],
)  # fmt: skip


def sweep() -> list[list[float]]:
    """A threshold at t answers yes to (100 - 100 t) % of 200 rows, 50 of which are late; money is best at 0.10."""
    points: list[list[float]] = []
    for step in range(101):
        hit, false = round((100 - step) * 0.5), round((100 - step) * 1.5)
        points.append([step / 100, hit, false, 50 - hit, 150 - false, -1000.0 * abs(step - 10) / 10])
    return points


def evaluation(run_id: int, version_id: str, part: str) -> Evaluation:
    last = part == "test"
    months = [
        Month(
            name="2013-07",
            rows=28_293,
            part="test",
            positive_share=0.31,
            metrics=dict[str, float | None](roc_auc=0.726),
        ),
        Month(
            name="2013-11", rows=26_971, part="", positive_share=0.17, metrics=dict[str, float | None](roc_auc=0.655)
        ),
    ]
    return Evaluation(
        run_id=run_id, version_id=version_id, part=part, rows=200, metrics=LATER if last else METRICS, created_at=1,
        intervals={"roc_auc": [0.691, 0.757], "value_per_1000": [-1054.0, -469.0]} if last else {}, blocks="days",
        roc=[[0.0, 0.0], [0.2, 0.6], [1.0, 1.0]], pr=[[1.0, 0.25]], calibration=[[0.1, 0.2, 100.0], [0.5, 0.4, 100.0]],
        sweep=sweep(), confusion={"true_positive": 35.0}, labels=["false", "true"], threshold=0.3, best_threshold=0.1,
        currency="USD", speed=SPEED if last else None, months=months if last else [],
        days=10, baselines=BASELINES if last else [], calibrated=CALIBRATED if last else None,
        worst_month="2013-11" if last else "",
    )  # fmt: skip


def swarm(feature: str, lean: int) -> Swarm:
    """90 rows: low values left of the middle, high ones right of it, as far as `lean` bins."""
    counts = [[0] * 60 for _ in range(3)]
    for tone, place in ((0, 30 - lean), (1, 30), (2, 29 + lean)):
        counts[tone][place] = 30
    named: list[tuple[str, Tone, float]] = [
        ("low, up to 9", "low", -0.5),
        ("middle", "middle", 0.0),
        ("high, above 17", "high", 0.5),
    ]
    levels = [
        Level(name=name, tone=tone, rows=30, mean=mean, counts=counts[place])
        for place, (name, tone, mean) in enumerate(named)
    ]
    return Swarm(feature=feature, mean_absolute=lean / 60, levels=levels)


def curve(feature: str, names: list[str], values: list[float | None]) -> Dependence:
    mean = [0.2 + 0.1 * place for place in range(len(names))]
    return Dependence(
        feature=feature, names=names, values=values, mean=[mean], low=[[value - 0.1 for value in mean]],
        high=[[value + 0.1 for value in mean]], centred_low=[[0.0] * len(mean)], centred_high=[[0.3] * len(mean)],
        rows=[3, 2, 1],
    )  # fmt: skip


def save_interpretations(store: Store, run_id: int) -> None:
    swarms = [swarm("sched_dep_time", 20), swarm("carrier[x]", 5)]
    output = SwarmOutput(answer="true", edge=0.75, swarms=swarms)
    save_interpretation(store, run_id, "contributions", Contributions(part="test", rows=90, outputs=[output]))
    curves = [
        curve("sched_dep_time", ["700", "1200", "missing"], [700.0, 1200.0, None]),
        curve("carrier[x]", ["EV", "\x1b[31m", "missing"], [None] * 3),
    ]
    dependences = Dependences(part="test", rows=40, answers=["true"], features=curves)
    save_interpretation(store, run_id, "dependences", dependences)
    pair = Interaction(first="sched_dep_time", second="carrier[x]", strength=0.123, share=0.4)
    pairs = Interactions(rows=64, features=["sched_dep_time", "carrier[x]"], pairs=[pair])
    save_interpretation(store, run_id, "interactions", pairs)


def explained(run_id: int, version_id: str, key: str, kind: str) -> Explanation:
    steps = [
        Contribution(feature="sched_dep_time", value="700", amount=-0.6),
        Contribution(feature="model[v2]", value="\x1b[31m", amount=0.3),
        Contribution(feature="wind", value="", amount=-0.1),
    ]
    return Explanation(
        run_id=run_id, version_id=version_id, key=key, row=7, kind=kind, score=0.0364, raw=-1.4, bias=-1.0,
        answer="true", actual="true", contributions=steps,
    )  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(create_workspace(tmp_path / "box", '[problem]\ntarget = "late"\n'))
    version = record_version(opened.store, pa.table({"x": [1], "late": [True]}), name="trips", roles={}, split={})
    with opened.store.write() as db:
        for number, name in ((1, "base[/]"), (2, "wider")):
            row = {
                "id": number,
                "name": name,
                "state": "finished",
                "why": "",
                "version_id": version.id,
                "task": "binary",
            }
            db.table("runs").insert(row | {"created_at": number})
    gates = [
        judge("roc_auc", "test", least=0.65, most=None, observed=0.726, interval=(0.691, 0.757), rows=200),
        judge("log_loss", "test", least=None, most=0.55, observed=0.571, interval=(0.52, 0.61), rows=200),
        judge("latency_p99_ms", "test", least=None, most=0.2, observed=0.31, interval=None, rows=200),
    ]
    save_results(
        opened.store,
        1,
        [evaluation(1, version.id, part) for part in ("train", "validation", "test")],
        gates,
        [Importance(feature="sched_dep_time", gain=70.0, splits=9, contribution=0.508)],
        [explained(1, version.id, "7-17-UA", "missed"), explained(1, version.id, "7-30-[DL]", "right")],
        None,
    )
    save_interpretations(opened.store, 1)
    yield opened
    opened.store.close()
