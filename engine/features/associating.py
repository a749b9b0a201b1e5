"""The association matrix of a version: a bounded sample, every measure, clusters; with or without a ranking."""

# pyarrow ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import load_config
from lemnis.engine.data.versions import Column, Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.features.clusters import clusters_of
from lemnis.engine.features.matrices import save_matrix
from lemnis.engine.features.pairing import Series, association_matrices
from lemnis.engine.features.records import Matrix
from lemnis.engine.features.sampling import read_sample
from lemnis.engine.features.scores import is_candidate

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

ASSOCIATION_ROWS = 20_000
MOST_COLUMNS = 300
Table = Any  # a pyarrow Table


def associate(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure how every two columns of a version go together, and keep it.

    Args:
        context: The job.
        arguments: ``version``: its id; None is the latest.

    Raises:
        BadInput: The version has fewer than two columns to associate.
    """
    config = load_config(context.workspace.config)
    version = find_version(context.store, arguments.get("version"))
    target = config.problem.target or version.label
    columns = [column for column in version.columns if is_candidate(column) and column.name != target]
    names = [column.name for column in columns] + ([version.column(target).name] if target else [])
    if len(names) < 2:
        raise BadInput(f"{version.title} has fewer than two columns to associate.", "Check the dataset's roles.")
    rows = read_sample(
        version,
        names,
        most=ASSOCIATION_ROWS,
        parts=[part for part in version.split if part != "test"],
        told=lambda share: context.progress(0.2 * share, "reading rows"),
    )
    matrix = matrix_of(
        rows, version, columns, target, config.problem.task,
        lambda share: context.progress(0.2 + 0.8 * share, "associations"),
    )  # fmt: skip
    save_matrix(context.store, matrix, context.job_id)
    return {"version": version.id, "columns": len(matrix.names), "rows": matrix.rows}


def matrix_of(
    rows: Table, version: Version, columns: Sequence[Column], target: str, task: str, told: Callable[[float], None]
) -> Matrix:
    """Return the association of every two columns, the target among them, over at most ASSOCIATION_ROWS of the rows.

    Args:
        rows: A sample.
        version: Its version.
        columns: The features; at most MOST_COLUMNS of them, the first, are taken.
        target: The target's name; empty if there is none.
        task: Says whether the target is a number or a class.
        told: Called with the share of the work done, 0..1.
    """
    started = monotonic_s()
    if rows.num_rows > ASSOCIATION_ROWS:
        rows = rows.take(pa.array(np.linspace(0, rows.num_rows - 1, ASSOCIATION_ROWS).round().astype(np.int64)))
    series = [series_of(rows, column, number=column.kind == "numeric") for column in columns[:MOST_COLUMNS]]
    if target:
        series.append(series_of(rows, version.column(target), number=task == "regression"))
    found = association_matrices(series, told)
    features = len(series) - bool(target)
    clusters = clusters_of(found["kind"][:features, :features])
    return Matrix(
        version_id=version.id,
        names=[one.name for one in series],
        numbers=[one.number for one in series],
        target=target,
        order=[*([features] if target else []), *clusters.order],
        groups=[*clusters.groups, *([0] if target else [])],
        values={measure: matrix.ravel().tolist() for measure, matrix in found.items()},
        rows=rows.num_rows,
        total=version.rows,
        elapsed_ms=round((monotonic_s() - started) * 1000),
        computed_at=now_ms(),
    )


def series_of(rows: Table, column: Column, *, number: bool) -> Series:
    """Return a column of the sample as numbers, or as codes of its categories."""
    values = rows.column(column.name)
    if column.kind == "numeric" and number:
        return Series(name=column.name, values=values.cast(pa.float64(), safe=False).to_numpy(), number=True)
    if column.kind == "boolean":
        codes = values.cast(pa.uint8())
    else:
        codes = pc.dictionary_encode(values.cast(pa.string())).combine_chunks().indices
    numbers = codes.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return Series(name=column.name, values=numbers.astype(np.float64), number=False, truth=column.kind == "boolean")
