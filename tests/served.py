"""An endpoint's log as the model server leaves it, of a made-up model whose reference is known: no model is asked."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Config, load_config
from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.features.signature import Feature
from lemnis.engine.monitor.reference import Reference, binned, describe, keep_reference
from lemnis.engine.monitor.windows import refresh_one, served_versions
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS  # some midnight
CONFIG = """
[problem]
title = "Made up"
[monitor]
window = "day"
min_rows = 50
"""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Served:
    """A workspace in which `late` v1 has `features` numbers, normal in training."""

    store: Store
    features: int

    @property
    def config(self) -> Config:
        return load_config(self.store.workspace.config)

    def log(self, matrix: Numbers, events: list[int], *, keys: list[str] | None = None, at: int = 1) -> None:
        """Log rows in batches, as the recorder does; `at` is when they arrived."""
        for start in range(0, len(events), 1_000):
            part = matrix[start : start + 1_000]
            entry = Entry(
                at=at,
                version=1,
                rows=len(part),
                latency_us=900,
                status=200,
                sent=part.tolist(),
                scores=[[score] for score in (1 / (1 + np.exp(-part[:, 0]))).tolist()],
                keys=keys[start : start + 1_000] if keys else [],
                event_times=events[start : start + 1_000],
            )
            with self.store.write("predictions") as db:
                write_entries(db.conn, "late", "late", [entry])

    def look(self, now: int) -> bool:
        """Count what came and judge the windows; say whether anything changed. No model is asked."""
        served = served_versions(self.store)
        return any([refresh_one(self.store, self.config, one, now, apart=False) for one in served])

    def rows_by_tier(self) -> dict[str, int]:
        """Return how many rows were counted in the kept minutes, hours and days."""
        from lemnis.engine.monitor.parts import unpacked

        found = self.store.rows("select tier, tally from monitor_parts")
        totals: dict[str, int] = {"minute": 0, "hour": 0, "day": 0}
        for row in found:
            totals[row["tier"]] += unpacked(row["tally"]).rows
        return totals


def served(folder: Path, features: int, *, seed: int = 1) -> Served:
    """Make a workspace whose reference of `features` normal numbers is frozen."""
    store = Store(create_workspace(folder, CONFIG))
    chance = np.random.default_rng(seed)
    matrix = chance.normal(size=(5_000, features))
    kinds = [Feature(name=f"x{place}", kind="numeric", low=-4.0, high=4.0) for place in range(features)]
    held = 1 / (1 + np.exp(-matrix[:, 0]))
    reference = Reference(
        model="late",
        version=1,
        dataset="made up",
        rows=len(matrix),
        task="binary",
        threshold=0.5,
        binnings=binned(matrix, kinds, 10),
        importance={feature.name: 1 / features for feature in kinds},
        held_out="test",
        held_out_rows=len(matrix),
    )
    keep_reference(store, describe(reference, held, (chance.random(len(matrix)) < held).astype(float), 10))
    return Served(store, features)
