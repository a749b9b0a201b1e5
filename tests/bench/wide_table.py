"""A wide table of mixed types, made a row group at a time, as a dataset version of a workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.workspace import create_workspace

GROUP, SEED, TEMPLATES = 65_536, 1, 4
START_US = 1_356_998_400_000_000  # 2013-01-01
KINDS = ("code", "code", "count", "price", "code", "word", "measure", "flag", "day", "count")


def wide_version(root: Path, rows: int, columns: int) -> tuple[Engine, Version]:
    """Return a workspace with one version of so many rows and columns; made once, then found again."""
    if (root / "lemnis.toml").exists():
        from lemnis.engine.workspace import find_workspace

        engine = Engine(find_workspace(root))
        return engine, engine.data.version()
    engine = Engine(create_workspace(root, '[problem]\ntitle = "Bench"\nquestion = "How fast?"\n'))
    first = next(batches(GROUP, columns))
    reader = pa.RecordBatchReader.from_batches(first.schema, batches(rows, columns))
    roles = {"id": "key", "at": "time", "late": "label"}
    return engine, record_version(engine.store, reader, name="wide", roles=roles, split={})


def batches(rows: int, columns: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows, a row group at a time; all but key and time repeat after some groups."""
    random = np.random.default_rng(SEED)
    templates = [template(random, columns) for _ in range(TEMPLATES)]
    for start in range(0, rows, GROUP):
        many = min(GROUP, rows - start)
        ids = np.arange(start, start + many)
        own: dict[str, Any] = {
            "id": pa.array(ids),
            "at": pa.array(START_US + ids * 3_000_000, pa.timestamp("us", tz="UTC")),
            "late": pa.array(random.random(many) < 0.2),
            "tail": pa.array([f"N{number:07}" for number in (ids * 7919) % 10_000_019]),
        }
        rest = templates[start // GROUP % TEMPLATES].slice(0, many)
        names = [*own, *rest.schema.names]
        yield pa.RecordBatch.from_arrays([*own.values(), *rest.columns], names=names)


def template(random: np.random.Generator, columns: int) -> pa.RecordBatch:
    """Return a row group of all columns but the four of its own."""
    found: dict[str, Any] = {}
    for place in range(columns - 4):
        kind = KINDS[place % len(KINDS)]
        missing = random.random(GROUP) < (0.0, 0.02, 0.3)[place % 3]
        found[f"{kind}_{place}"] = pa.array(values_of(kind, random, 2 + place % 40), mask=missing)
    return pa.RecordBatch.from_pydict(found)


def values_of(kind: str, random: np.random.Generator, many: int) -> Any:
    """Return a row group of one kind; `many` is how many categories it has."""
    if kind == "code":
        return random.integers(0, many, GROUP)
    if kind == "count":
        return random.poisson(20 * many, GROUP)
    if kind == "price":
        return np.round(random.exponential(100, GROUP), 2)
    if kind == "word":
        return np.array([f"word {number} 항공" for number in range(many * 5)])[random.integers(0, many * 5, GROUP)]
    if kind == "measure":
        return np.round(random.normal(size=GROUP), 6).astype(np.float32)
    if kind == "flag":
        return random.random(GROUP) < 0.3
    return (np.datetime64("2013-01-01") + random.integers(0, 365, GROUP)).astype("datetime64[D]")
