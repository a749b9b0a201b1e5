"""What the sampled rows say of each column before any model is trained: the facts that the leakage rules judge."""

# pyarrow ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportUnknownParameterType=false

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lemnis.engine.data.versions import Column, Version
from lemnis.engine.features.association import spearman
from lemnis.engine.features.importance import Alone, Sample, alone
from lemnis.engine.features.leakage import LIMITS, Evidence, suspicion

HASH = re.compile(r"[0-9a-f]{8,}|[0-9A-F]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9+/_-]{20,}={0,2}")
LOOKED_AT = 500  # texts that decide whether a column looks like hashes
Table = Any  # a pyarrow Table
Facts = dict[str, Any]  # fields of Evidence by name


def row_facts(rows: Table, columns: Sequence[Column], target: str, after: Sequence[str]) -> list[Facts]:
    """Return what the rows themselves say of each column: what is missing, what is different, what rises."""
    no_target = pc.is_null(rows.column(target))
    found: list[Facts] = []
    for column in columns:
        values = rows.column(column.name)
        absent = pc.is_null(values)
        found.append(
            {
                "declared": column.name in after,
                "missing": count(absent),
                "target_missing": count(no_target),
                "both_missing": count(pc.and_(absent, no_target)),
                "known": len(values) - values.null_count,
                "distinct": int(pc.count_distinct(values).as_py()),
                "whole": column.kind == "categorical" or "int" in column.type,
                "hash_like": column.kind == "categorical" and looks_drawn(values),
                "rising": rising(values) if column.kind == "numeric" else 0.0,
            }
        )
    return found


def count(mask: Any) -> int:
    """Return how many values of a truth column are true."""
    return int(pc.sum(mask).as_py() or 0)


def looks_drawn(values: Any) -> bool:
    """Say whether texts have one length and look like hashes, UUIDs or tokens."""
    texts = values.drop_null().slice(0, LOOKED_AT).cast(pa.string()).to_pylist()
    if not texts or len({len(text) for text in texts}) != 1:
        return False
    with_digits = sum(any(character.isdigit() for character in text) for text in texts)
    return all(HASH.fullmatch(text) for text in texts) and with_digits > len(texts) / 2


def rising(values: Any) -> float:
    """Return the rank correlation of numbers with the order of the rows; 0 where it is not defined."""
    numbers = values.cast(pa.float64(), safe=False).to_numpy()
    found = spearman(numbers, np.arange(len(numbers), dtype=np.float64))
    return 0.0 if np.isnan(found) else found


def stamped_later(rows: Table, version: Version, stamps: Sequence[Column]) -> dict[str, Facts]:
    """Return, by source, the time column of it that lies furthest after the dataset's time, if any lies after it.

    Args:
        rows: The sample with the time column and the stamps.
        version: Its version.
        stamps: Time columns of linked sources.
    """
    found: dict[str, Facts] = {}
    if not version.time:
        return found
    decided = milliseconds(rows.column(version.time))
    for stamp in stamps:
        lag = pc.subtract(milliseconds(rows.column(stamp.name)), decided)
        later = pc.greater(lag, 0)
        share = count(later) / max(1, len(lag) - lag.null_count)
        if share > found.get(stamp.source, {}).get("later", 0.0):
            lags = lag.filter(later).to_numpy()
            facts = {"source": stamp.source, "stamp": stamp.name, "time": version.time, "later": share}
            found[stamp.source] = facts | {"lag_s": float(np.median(lags)) / 1000}
    return found


def milliseconds(column: Any) -> Any:
    """Return times of any type as epoch ms."""
    return column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())


def single_scores(samples: Iterable[Sample], told: Callable[[int, str], None]) -> list[list[Alone]]:
    """Return by column and fold how a prediction from this column alone does.

    Args:
        samples: One a fold.
        told: Called with the number of the fold and the column's name.
    """
    found: list[list[Alone]] = []
    for fold, sample in enumerate(samples):
        for place, name in enumerate(sample.signature.names):
            told(fold, name)
            if fold == 0:
                found.append([])
            found[place].append(alone(sample, place))
    return found


def evidence_of(
    facts: Sequence[Facts], columns: Sequence[Column], later: Mapping[str, Facts], singles: list[list[Alone]], task: str
) -> list[Evidence]:
    """Put together what is known of each column."""
    found = [
        Evidence(
            **one,
            **later.get(column.source, {}),
            single=float(np.mean([score.judged for score in scores])),
            learned=float(np.mean([score.learned for score in scores])),
        )
        for one, column, scores in zip(facts, columns, singles, strict=True)
    ]
    limits = LIMITS[task]
    honest = [
        one.single
        for one in found
        if one.single is not None and one.single < limits.single and not suspicion(one, task).why
    ]
    best = max(honest, default=0.0 if task == "regression" else 0.5)
    return [msgspec.structs.replace(one, best_other=best) for one in found]
