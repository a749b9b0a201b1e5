"""A version with ranked columns, one of them a leak, one named like markup."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.features.matrices import save_matrix
from lemnis.engine.features.records import MEASURES, FeatureScore, Matrix, Ranking, Spread
from lemnis.engine.features.scores import save_ranking
from lemnis.engine.workspace import create_workspace

WHY = "Missing in 89% of the 5,480 rows without a target. Alone it reaches ROC AUC 0.911."
CONFIG = '[problem]\ntarget = "late"\n[features]\nset = "base"\noffered = ["hour", "wind", "delay"]\n'


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    """Columns nobody has ranked."""
    engine = Engine(create_workspace(tmp_path / "box", CONFIG))
    table = pa.table(
        {
            "hour": [1, 2],
            "wind": [1.0, None],
            "delay": [3, 4],
            "[b]\x1b[2J": ["x", "y"],
            "at": pa.array([datetime(2013, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", tz="UTC")),
            "late": [True, False],
        }
    )
    record_version(engine.store, table, name="trips", roles={"late": "label", "at": "time"}, split={}, now=1)
    yield engine
    engine.store.close()


def spread(mean: float, deviation: float = 0.0025, rank: int = 1) -> Spread:
    values = [mean - deviation, mean + deviation] * 4
    return Spread(
        mean=mean, deviation=deviation, low=min(values), high=max(values), rank=rank, rank_low=rank, rank_high=rank + 1,
        values=values,
    )  # fmt: skip


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """The same, ranked."""
    version = bare.data.version()
    common = {"kind": "numeric", "missing": 0.0, "method": "Cramér's V", "learned": 0.7}
    hour = {"permutation": spread(0.155), "shap": spread(0.41), "gain": spread(0.7), "split": spread(0.6)}
    wind = {
        "permutation": spread(0.02, 0.015, 2),
        "shap": spread(0.1, 0.02, 2),
        "gain": spread(0.3),
        "split": spread(0.4),
    }
    odd = {
        "permutation": spread(-0.01, 0.001, 3),
        "shap": spread(0.0, 0.0, 3),
        "gain": spread(0.0),
        "split": spread(0.0),
    }
    scores = [
        FeatureScore(
            name="hour", importance=hour, association=0.167, single=0.693, single_folds=[0.69, 0.70, 0.68, 0.70],
            group=1, **common,
        ),
        FeatureScore(
            name="wind", importance=wind, association=0.05, single=0.52, group=1,
            unstable="Shuffling it costs 0.0050 to 0.0350.", representative=False, **(common | {"missing": 0.5}),
        ),
        FeatureScore(name="delay", association=0.7, single=0.911, leakage=WHY, leakage_score=0.94, **common),
        FeatureScore(
            name="[b]\x1b[2J", importance=odd, association=0.0, single=0.5, doubt="Like an identifier: each differs.",
            **(common | {"kind": "categorical"}),
        ),
    ]  # fmt: skip
    ranking = Ranking(
        version_id=version.id, skill="ROC AUC", score=0.728, train_rows=20_000, judged_rows=10_000, rounds=40,
        repeats=1, seed=1, elapsed_ms=9000, computed_at=1, scores=[0.7, 0.75] * 4,
        folds=["2013-02-01 to 2013-02-28", "2013-03-01 to 2013-03-31", "2013-04-01 to 2013-04-30", "May"], seeds=2,
        blocked="time", agreement={"shap": 0.93}, sample_rows=60_000,
    )  # fmt: skip
    save_ranking(bare.store, ranking, scores, None)
    save_matrix(bare.store, matrix_of(version.id), None)
    return bare


def matrix_of(version_id: str) -> Matrix:
    """Four columns and the target; delay goes with hour."""
    names = ["hour", "wind", "delay", "[b]\x1b[2J", "late"]
    kind = [[1.0 if a == b else 0.05 for b in range(5)] for a in range(5)]
    for a, b, value in ((0, 2, 0.77), (0, 1, -0.62), (2, 4, 0.91)):
        kind[a][b] = kind[b][a] = value
    nothing = [[1.0 if a == b else math.nan for b in range(5)] for a in range(5)]
    values = {name: [v for row in (kind if name == "kind" else nothing) for v in row] for name in MEASURES}
    return Matrix(
        version_id=version_id, names=names, numbers=[True, True, True, False, False], target="late",
        order=[4, 2, 0, 1, 3], groups=[1, 1, 0, 0, 0], values=values, rows=20_000, total=336_776, elapsed_ms=900,
        computed_at=1,
    )  # fmt: skip
