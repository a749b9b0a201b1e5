"""A version with ranked columns, one of them a leak, one named like markup."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.features.records import FeatureScore, Pair, Ranking
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


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """The same, ranked."""
    version = bare.data.version()
    common = {"kind": "numeric", "missing": 0.0, "method": "Cramér's V"}
    scores = [
        FeatureScore(
            name="hour", gain=70.0, gain_share=0.7, splits=60, permutation=0.155, permutation_deviation=0.0025,
            association=0.167, single=0.693, **common,
        ),
        FeatureScore(
            name="wind", gain=30.0, gain_share=0.3, splits=12, permutation=-0.0001, permutation_deviation=0.0002,
            association=0.05, single=0.52, **(common | {"missing": 0.5}),
        ),
        FeatureScore(name="delay", association=0.7, single=0.911, leakage=WHY, leakage_score=0.94, **common),
        FeatureScore(
            name="[b]\x1b[2J", gain=0.0, gain_share=0.0, splits=0, permutation=-0.01, permutation_deviation=0.0,
            association=0.0, single=0.5, **(common | {"kind": "categorical"}),
        ),
    ]  # fmt: skip
    ranking = Ranking(
        version_id=version.id, skill="ROC AUC", score=0.728, train_rows=30_000, judged_rows=15_000, rounds=40,
        repeats=3, seed=1, elapsed_ms=9000, computed_at=1,
    )  # fmt: skip
    pairs = [Pair(first="delay", second="hour", association=0.77), Pair(first="hour", second="wind", association=0.2)]
    save_ranking(bare.store, ranking, scores, pairs, None)
    return bare
