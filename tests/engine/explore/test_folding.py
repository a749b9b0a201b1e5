"""Columns that say the same in every row of a view, by what their values are when all are read."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.explore import Asked, Filter, RowReader, View, constant_columns
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

NAN, DAY = float("nan"), datetime(2013, 1, 1, tzinfo=UTC)


def version_of(folder: Path, columns: dict[str, Any]) -> Version:
    store = Store(create_workspace(folder, ""))
    made = record_version(store, pa.table(columns), name="t", roles={}, split={}, now=1)
    _ = made.file
    store.close()
    return made


def test_one_value_missing_values_and_no_numbers(tmp_path: Path) -> None:
    rows = 70_000  # two row groups; the last row differs in `late` only
    columns: dict[str, Any] = {
        "id": list(range(rows)),
        "one": ["a"] * rows,
        "none": pa.array([None] * rows, pa.float64()),
        "some": pa.array([1.0, None] * (rows // 2)),
        "nan": [NAN] * rows,
        "late": [0] * (rows - 1) + [1],
        "when": pa.array([DAY] * rows, pa.timestamp("ns", tz="UTC")),
        "parts": [[1, None]] * rows,
    }
    version = version_of(tmp_path / "w", columns)
    with closing(RowReader(version)) as reader:
        view = View(reader, Asked())
        assert constant_columns(view) == ["one", "none", "nan", "when", "parts"]
        view = View(reader, Asked(filters=(Filter(column="id", op="in", values=(4, 6)),), order="id", descending=True))
        view.find()
        assert constant_columns(view) == ["one", "none", "some", "nan", "late", "when", "parts"]
        alone = View(reader, Asked(filters=(Filter(column="id", op="in", values=(4,)),)))
        alone.find()
        assert constant_columns(alone) == []
