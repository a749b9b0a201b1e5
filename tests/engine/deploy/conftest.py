"""A small real model, a workspace that has trained it, and a server for it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from lemnis.engine.data.versions import record_version
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.features.matrix import encode_table, fit_signature, target_vector
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

FEATURES = ["carrier", "distance", "wind", "holiday"]
CONFIG = '[problem]\ntitle = "Late flights"\ntask = "binary"\ntarget = "late"\n'
CRITERIA = CONFIG + '[[problem.criteria]]\nmetric = "roc_auc"\nmin = 0.6\n'


def flights(rows: int, seed: int) -> pa.Table:
    """Return made-up flights with a category, missing values and truth values."""
    chance = np.random.default_rng(seed)
    carrier = chance.choice(["AA", "B6", "DL", "UA", "ü€"], rows)
    distance = chance.integers(80, 3000, rows)
    wind = chance.gamma(2, 5, rows)
    gone = chance.random(rows) < 0.1
    holiday = chance.random(rows) < 0.2
    score = (carrier == "B6") + wind / 10 + holiday - distance / 2000
    return pa.table(
        {
            "carrier": pa.array(carrier, mask=chance.random(rows) < 0.05),
            "distance": pa.array(distance),
            "wind": pa.array(wind, mask=gone),
            "holiday": pa.array(holiday),
            "late": pa.array(score + chance.normal(0, 0.5, rows) > 1.4),
            "flown": pa.array(np.arange(rows) * 60_000_000, pa.timestamp("us", tz="UTC")),
        }
    )


@dataclass(frozen=True)
class Trained:
    """A model file and its signature, made once and copied into each workspace."""

    folder: Path
    table: pa.Table
    signature: Signature
    sha256: str

    def booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_file=str(self.folder / "model.txt"))

    def request_rows(self, count: int) -> list[dict[str, object]]:
        return self.table.select(FEATURES).slice(0, count).to_pylist()


def train(folder: Path, seed: int, rounds: int = 12) -> Trained:
    """Train a real model of `rounds` trees."""
    folder.mkdir(parents=True)
    table = flights(1500, seed)
    signature = fit_signature(table, FEATURES, task="binary", target="late", threshold=0.4)
    data = lightgbm.Dataset(
        encode_table(table, signature),
        target_vector(table, signature),
        categorical_feature=signature.categorical,
        free_raw_data=True,
    )
    parameters = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": seed}
    lightgbm.train(parameters, data, num_boost_round=rounds).save_model(str(folder / "model.txt"))
    signature.save(folder / "signature.json")
    return Trained(folder, table, signature, sha256_of(folder / "model.txt"))


@pytest.fixture(scope="session")
def first_model(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("models") / "first", seed=1)


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("models") / "second", seed=2, rounds=20)


@dataclass
class Bench:
    """A workspace with a store and the deploy room, and runs to register."""

    store: Store
    room: DeployRoom
    version_id: str
    trained: list[Trained] = field(default_factory=list)

    def add_run(self, trained: Trained, *, state: str = "finished", gates: dict[str, str] | None = None) -> int:
        """Record a run as training would leave it, with one gate verdict a metric."""
        with self.store.write() as db:
            row = {
                "name": f"run-{len(self.trained) + 1}",
                "state": state,
                "why": state,
                "version_id": self.version_id,
                "model_sha256": trained.sha256,
                "created_at": 1,
            }
            run_id = int(str(db.table("runs").insert(row).last_pk))
            for place, (metric, verdict) in enumerate((gates or {}).items()):
                gate = {"position": place, "metric": metric, "part": "test", "rule": ">= 0.6", "observed": 0.5}
                db.table("gates").insert(
                    {"run_id": run_id, **gate, "verdict": verdict, "why": "0.5 is too low", "at": 1}
                )
        folder = self.store.workspace.run_dir(run_id)
        shutil.copytree(trained.folder, folder)
        self.trained.append(trained)
        return run_id


@pytest.fixture
def make_bench(tmp_path: Path, first_model: Trained) -> Callable[..., Bench]:
    def make(config: str = CONFIG) -> Bench:
        store = Store(create_workspace(tmp_path / "workspace", config))
        version = record_version(
            store, first_model.table, name="flights", roles={"late": "label", "flown": "time"}, split={}
        )
        return Bench(store, DeployRoom(store), version.id)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
