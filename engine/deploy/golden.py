"""Golden rows: real rows whose recorded answers every process must reproduce before it may serve a model."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from lemnis.engine.deploy.records import Answers, Cell
from lemnis.engine.features.signature import Feature, Signature

if TYPE_CHECKING:
    import pyarrow as pa

SPREAD = 48  # rows taken evenly from the whole table
MOST = 128  # rows, with those that cover missing values, extremes and categories
TOLERANCE = 1e-9


def golden_rows(table: "pa.Table", signature: Signature) -> list[dict[str, Cell]]:
    """Return up to MOST rows of the table as JSON objects: every kind of value first, then an even spread.

    For each feature: a row without a value, the rows with its smallest and largest value, and a row for each of its
    categories, as far as MOST allows.
    """
    import numpy as np

    picked = dict.fromkeys(place for feature in signature.features for place in telling_rows(table, feature))
    cover = list(picked)[: MOST - min(SPREAD, table.num_rows)]
    spread = np.linspace(0, table.num_rows - 1, min(SPREAD, table.num_rows)).astype(int).tolist() if table else []
    places = sorted({*cover, *spread})
    chosen = table.select(signature.names)
    rows = [chosen.slice(place, 1).to_pylist()[0] for place in places]
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def telling_rows(table: "pa.Table", feature: Feature) -> Iterator[int]:
    """Yield the places of the rows that show what one feature can be."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.column(feature.name)
    missing = pc.is_null(column, nan_is_null=pa.types.is_floating(column.type)).to_numpy()
    if missing.any():
        yield int(missing.argmax())
    if feature.kind == "categorical":
        codes = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        found, places = np.unique(np.nan_to_num(codes, nan=-1), return_index=True)
        yield from places[found >= 0].tolist()
        return
    values = pc.cast(column, pa.float64(), safe=False).to_numpy().astype(np.float64)
    finite = np.isfinite(values)
    if finite.any():
        yield int(np.where(finite, values, np.inf).argmin())
        yield int(np.where(finite, values, -np.inf).argmax())


def plain(value: Cell) -> Cell:
    """Return an Arrow value as JSON has it: NaN and infinities are missing, decimals are numbers."""
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def disagreement(answers: Sequence[Sequence[float]], recorded: Answers) -> str:
    """Say how answers differ from the recorded ones; empty when all are finite and equal within TOLERANCE."""
    if len(answers) != len(recorded):
        return f"it answered {len(answers)} of {len(recorded)} golden rows"
    for place, (got, wanted) in enumerate(zip(answers, recorded, strict=True)):
        if len(got) != len(wanted):
            return f"golden row {place} got {len(got)} scores instead of {len(wanted)}"
        if not all(map(math.isfinite, got)):
            return f"golden row {place} got {list(got)}, which is not finite"
        apart = max(abs(a - b) for a, b in zip(got, wanted, strict=True))
        if apart > TOLERANCE:
            return f"golden row {place} got {got[0]!r}, recorded is {wanted[0]!r}"
    return ""
