"""A year of made-up flights with a real model of its first months; from September on the weather is another."""

# scikit-learn ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lightgbm
import msgspec
import numpy as np
import pyarrow as pa
import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.config import Config, load_config
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.deploy.predictions import Entry, record_actuals, write_entries
from lemnis.engine.features.matrix import Signature, encode_rows, encode_table, fit_signature, labelled
from lemnis.engine.files import sha256_of
from lemnis.engine.models.files import load_model
from lemnis.engine.monitor import MonitorRoom
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

FEATURES = ["carrier", "wind", "distance", "holiday"]
SPLIT = {"train": ("2013-01-01", "2013-06-01"), "validation": ("2013-06-01", "2013-07-01")}
CONFIG = """
[problem]
title = "Late flights"
target = "late"
threshold = 0.4
[problem.value]
true_positive = 40
false_positive = -15

[monitor]
window = "month"
min_rows = 200

[[alerts]]
name = "auc-low"
metric = "roc_auc"
below = 0.7
windows = 2
severity = "page"

[[alerts]]
name = "features-drift"
metric = "important_psi"
above = 0.25
"""
ROWS_A_DAY = 30


def year_of_flights() -> pa.Table:
    """Return 30 flights a day from January to October 2013; wind doubles and stops mattering in September."""
    chance = np.random.default_rng(5)
    days = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(304)]
    times = [day + timedelta(minutes=40 * place) for day in days for place in range(ROWS_A_DAY)]
    rows = len(times)
    later = np.array([moment.month >= 9 for moment in times])
    wind = chance.gamma(2, 5, rows) * np.where(later, 2.0, 1.0)
    carrier = chance.choice(["AA", "B6", "DL", "UA"], rows)
    holiday = chance.random(rows) < 0.2
    score = (carrier == "B6") + np.where(later, 1.0, wind / 8) + 0.5 * holiday + chance.normal(0, 0.6, rows)
    return pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "flown": pa.array(times, pa.timestamp("us", tz="UTC")),
            "carrier": pa.array(carrier),
            "wind": pa.array(wind, mask=chance.random(rows) < 0.03),
            "distance": pa.array(chance.integers(80, 3000, rows)),
            "holiday": pa.array(holiday),
            "late": pa.array((score > 1.8).astype(np.int64), mask=chance.random(rows) < 0.02),
        }
    )


@dataclass
class Flown:
    """A workspace with a trained, registered model, and a way to answer rows as its endpoint would."""

    store: Store
    version: Version
    table: pa.Table
    signature: Signature
    booster: lightgbm.Booster

    @property
    def room(self) -> MonitorRoom:
        return MonitorRoom(self.store)

    @property
    def config(self) -> Config:
        return load_config(self.store.workspace.config)

    def between(self, start: str, end: str) -> pa.Table:
        times = self.table.column("flown").cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy()
        return self.table.filter(pa.array((times >= parse_ms(start)) & (times < parse_ms(end))))

    def scores(self, table: pa.Table) -> np.ndarray:
        return np.asarray(self.booster.predict(encode_table(table, self.signature)))

    def answer(self, table: pa.Table, *, model_version: int = 1, order: list[int] | None = None) -> None:
        """Log predictions of rows the way the model server does."""
        table = table.take(order) if order is not None else table
        rows = table.select(self.signature.names).to_pylist()
        scores = np.asarray(self.booster.predict(encode_rows(rows, self.signature)))
        entry = Entry(
            at=1,
            version=model_version,
            rows=len(rows),
            latency_us=900,
            status=200,
            sent=[[row[name] for name in self.signature.names] for row in rows],
            scores=[[float(score)] for score in scores],
            keys=[str(key) for key in table.column("id").to_pylist()],
            event_times=table.column("flown").cast(pa.timestamp("ms")).cast(pa.int64()).to_pylist(),
        )
        with self.store.write("predictions") as db:
            write_entries(db.conn, "late", "late", [entry])

    def label(self, table: pa.Table, *, now: int) -> None:
        """Deliver the labels of rows."""
        pairs = zip(table.column("id").to_pylist(), table.column("late").to_pylist(), strict=True)
        record_actuals(self.store, "late", [(str(k), float(v)) for k, v in pairs if v is not None], now=now)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, Path, Signature]:
    """Train the model once: its table, its file and its signature."""
    table = year_of_flights()
    train = table.slice(0, 151 * ROWS_A_DAY)
    signature = fit_signature(train, FEATURES, task="binary", target="late", threshold=0.4)
    rows, target = labelled(train, signature)
    data = lightgbm.Dataset(encode_table(rows, signature), target, categorical_feature=signature.categorical)
    parameters = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": 1}
    path = tmp_path_factory.mktemp("model") / "model.txt"
    lightgbm.train(parameters, data, num_boost_round=25).save_model(str(path))
    return table, path, signature


@pytest.fixture
def flown(tmp_path: Path, trained: tuple[pa.Table, Path, Signature]) -> Flown:
    """A workspace in which the model is registered as `late` v1 and v2 and served by the endpoint `late`."""
    table, path, signature = trained
    store = Store(create_workspace(tmp_path / "workspace", CONFIG))
    roles = {"id": "key", "flown": "time", "late": "label"}
    version = record_version(store, table, name="flights", roles=roles, split=SPLIT)
    register(store, version, path, signature)
    return Flown(store, version, table, signature, load_model(path, sha256_of(path)))


def register(store: Store, version: Version, path: Path, signature: Signature) -> None:
    """Record run, model versions and endpoint as the stages before would."""
    folder = store.workspace.hidden / "models"
    folder.mkdir()
    kept = folder / "model.txt"
    kept.write_bytes(path.read_bytes())
    said = {"who": "tester", "why": "test", "created_at": 1}
    with store.write() as db:
        run = db.table("runs").insert({"name": "r", "version_id": version.id, "created_at": 1}).last_pk
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2):
            db.table("model_versions").insert(
                {
                    "model": "late",
                    "version": number,
                    "run_id": run,
                    "sha256": sha256_of(kept),
                    "path": str(kept.relative_to(store.workspace.hidden)),
                    "signature": msgspec.json.encode(signature).decode(),
                    "golden": "{}",
                    "bytes": kept.stat().st_size,
                    **said,
                }
            )
        db.table("endpoints").insert(
            {
                "name": "late",
                "model": "late",
                "alias": "champion",
                "host": "127.0.0.1",
                "port": 0,
                "serving_version": 1,
                "created_at": 1,
                "changed_at": 1,
            }
        )


@pytest.fixture
def independent() -> Callable[[np.ndarray, np.ndarray], float]:
    """ROC AUC by scikit-learn."""
    from sklearn.metrics import roc_auc_score

    return lambda target, scores: float(roc_auc_score(target, scores))
