"""A bounded sample of a version's rows, read from a bounded number of row groups whatever the version's size."""

# pyarrow ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportUnknownParameterType=false

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lemnis.engine.data.split import time_within
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import Unavailable

MOST_GROUPS = 16  # of 65,536 rows: what is read grows with the columns, not with the rows
SEED = 1
Table = Any  # a pyarrow Table


def read_sample(
    version: Version,
    names: Sequence[str],
    *,
    most: int,
    parts: Sequence[str] = (),
    told: Callable[[float], None] = lambda share: None,
) -> Table:
    """Return at most `most` rows, spread evenly over the version and drawn by a fixed seed, in order of time.

    Without a time column they are in the version's order.

    Args:
        version: The version.
        names: The columns; the time column comes with them.
        most: How many rows at most.
        parts: Only rows in these parts of the split; all rows if none are given.
        told: Called with the share of the reading done, 0..1.

    Raises:
        Unavailable: The version's file is gone.
    """
    if not version.path.exists():
        raise Unavailable(
            f"The file of {version.title} is gone.", "Make it again with `lemnis data link`.", str(version.path)
        )
    columns = list(dict.fromkeys([*names, *([version.time] if version.time else [])]))
    with pq.ParquetFile(version.file) as file:
        inside = {group: rows_inside(file, group, version, parts) for group in range(file.metadata.num_row_groups)}
        groups = spread([group for group, rows in inside.items() if rows.size], MOST_GROUPS)
        share = min(1.0, most / max(1, sum(inside[group].size for group in groups)))
        random = np.random.default_rng(SEED)
        found: list[Table] = []
        for done, group in enumerate(groups):
            told(done / len(groups))
            rows = inside[group]
            take = rows if share == 1 else np.sort(random.choice(rows, round(rows.size * share), replace=False))
            found.append(file.read_row_group(group, columns=columns).take(pa.array(take)))
        schema = file.schema_arrow
    if not found:
        return pa.schema([schema.field(name) for name in columns]).empty_table()
    table = pa.concat_tables(found).select(columns)
    if not version.time:
        return table
    return table.take(pc.array_sort_indices(table.column(version.time).combine_chunks()))


def rows_inside(file: Any, group: int, version: Version, parts: Sequence[str]) -> Any:
    """Return the numbers of a row group's rows that lie in some parts of the split."""
    rows = int(file.metadata.row_group(group).num_rows)
    if not parts:
        return np.arange(rows)
    time = file.read_row_group(group, columns=[version.time])
    time = time.append_column("#", pa.array(np.arange(rows)))
    column = version.column(version.time)
    spans = [version.part(part) for part in parts]
    kept = [time.filter(time_within(column, span.start, span.end)).column("#").to_numpy() for span in spans]
    return np.sort(np.concatenate(kept))


def spread(groups: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of some groups, evenly spread from the first to the last."""
    if len(groups) <= most:
        return list(groups)
    return [groups[place] for place in np.unique(np.linspace(0, len(groups) - 1, most).round().astype(int))]
