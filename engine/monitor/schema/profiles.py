"""Profiles of columns: of values as sent, of the training reference, of what a window has counted. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from lemnis.engine.monitor.schema.compare import is_number
from lemnis.engine.monitor.schema.records import QUANTILES, Profile
from lemnis.engine.monitor.tally import Binning, Column
from lemnis.engine.text import safe

Holds: TypeAlias = Literal["number", "truth", "text", "time", "nothing"]
EXAMPLES = 5
CODES = 500  # different texts; a column with more is no list of codes


def of_values(name: str, values: Sequence[Any], rows: int | None = None) -> Profile:
    """Return the profile of values as JSON has them; its type is that of most of them.

    Args:
        name: The column's.
        values: Some of them. Any: what a request held.
        rows: Of how many, where these are a sample.
    """
    kinds: Counter[Holds] = Counter(holds_of(value) for value in values if value is not None)
    holds: Holds = kinds.most_common(1)[0][0] if kinds else "nothing"
    held = [value for value in values if value is not None and holds_of(value) == holds]
    codes = Counter(held) if holds == "text" else Counter[str]()
    return Profile(
        name=name,
        holds=holds,
        rows=len(values) if values else rows or 0,
        missing=sum(value is None for value in values),
        quantiles=quantiles_of(held) if holds == "number" else [],
        codes=dict(codes.most_common(CODES)),
        whole=len(codes) <= CODES,
        readable=sum(rows for code, rows in codes.items() if is_number(code)),
        strange={code: rows for code, rows in codes.most_common() if not is_number(code)},
        examples=[safe(value, limit=40) for value in dict.fromkeys(map(str, held))][:EXAMPLES],
    )


def holds_of(value: object) -> Holds:
    """Return what a value of a request is."""
    return "truth" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "text"


def quantiles_of(numbers: Sequence[float]) -> list[float]:
    """Return the quantiles of finite numbers, ascending; none for none."""
    finite = [number for number in map(float, numbers) if math.isfinite(number)]
    return np.quantile(np.array(finite), QUANTILES).tolist() if finite else []


def of_reference(binning: Binning) -> Profile:
    """Return the profile of a feature's training rows."""
    rows, missing = sum(binning.counts), binning.counts[-1] if binning.counts else 0
    facts = {"name": binning.name, "rows": rows, "missing": missing or int(binning.nullable)}
    if binning.kind == "categorical":
        own = dict(zip(binning.categories, binning.counts, strict=False))
        codes = {code: own.get(code, 0) for code in [*own, *binning.known]}
        return msgspec.convert({**facts, "holds": "text", "codes": codes}, Profile)
    if binning.logical:
        return msgspec.convert({**facts, "holds": "truth"}, Profile)
    return msgspec.convert({**facts, "holds": "number", "quantiles": reference_quantiles(binning)}, Profile)


def reference_quantiles(binning: Binning) -> list[float]:
    """Return the quantiles of the training rows, from the cells they were counted in."""
    counts = np.array(binning.counts[:-1], float)
    if binning.low is None or binning.high is None or not counts.sum():
        return []
    ends = np.array([binning.low, *binning.edges, binning.high])
    shares = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    return np.maximum.accumulate(np.interp(QUANTILES, shares, ends)).tolist()


def of_column(binning: Binning, column: Column, sample: Sequence[Any]) -> Profile:
    """Return the profile of what was counted of a feature; quantiles come from a sample. Any: what requests held."""
    rows, missing = sum(column.counts), column.counts[-1]
    facts = {"name": binning.name, "rows": rows, "missing": missing}
    if missing == rows:
        return msgspec.convert({**facts, "holds": "nothing"}, Profile)
    if binning.kind == "categorical":
        own = {code: count for code, count in zip(binning.categories, column.counts, strict=False) if count}
        return msgspec.convert({**facts, "holds": "text", "codes": own | column.unknown}, Profile)
    if binning.logical:
        return msgspec.convert({**facts, "holds": "truth"}, Profile)
    numbers = [value for value in sample if holds_of(value) == "number"]
    quantiles = quantiles_of(numbers) or [0.0] * len(QUANTILES)
    if column.low is not None and column.high is not None:
        quantiles = [column.low, *np.clip(quantiles[1:-1], column.low, column.high).tolist(), column.high]
    examples = [f"{value:g}" for value in dict.fromkeys(numbers)][:EXAMPLES]
    return msgspec.convert({**facts, "holds": "number", "quantiles": quantiles, "examples": examples}, Profile)
