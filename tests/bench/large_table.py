"""A generated table of any length as a dataset version: numbers, of which half repeat and some are missing, and words.

A workspace that was made once is used again: give the same folder.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.workspace import create_workspace

PIECE, SEED, NUMBERS, TEXTS = 1_000_000, 1, 14, 6


def engine_with(folder: Path, rows: int) -> Engine:
    """Return the engine of a workspace whose only version has so many rows; it is made if it is not there."""
    root = folder / f"generated-{rows}"
    if (root / "lemnis.toml").exists():
        engine = Engine.open(root)
        if engine.data.versions():
            return engine
    else:
        engine = Engine(create_workspace(root, '[problem]\ntarget = "t0"\ntask = "multiclass"\n'))
    reader = pa.RecordBatchReader.from_batches(piece(0, 1).schema, pieces(rows))
    record_version(engine.store, reader, name="generated", roles={"t0": "label"}, split={})
    return engine


def pieces(rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows a piece at a time."""
    for place in range(0, rows, PIECE):
        yield piece(place // PIECE, min(PIECE, rows - place))


def piece(number: int, rows: int) -> pa.RecordBatch:
    """Return some rows; each piece has its own."""
    random = np.random.default_rng(SEED + number)
    columns: dict[str, Any] = {}
    for place in range(NUMBERS):
        values = random.normal(size=rows) if place % 2 else random.integers(0, 10 ** (2 + place // 3), rows)
        columns[f"n{place}"] = pa.array(values, mask=random.random(rows) < 0.02 * (place % 3))
    for place in range(TEXTS):
        words = pa.array([f"word {word}" for word in range(4 ** (place + 1))])
        columns[f"t{place}"] = words.take(pa.array(random.integers(0, len(words), rows)))
    return pa.record_batch(columns)
