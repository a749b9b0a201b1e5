"""Two columns side by side: every measure, and what is drawn of them: a cloud, a table, or one box a category."""

# pyarrow ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.config import load_config
from lemnis.engine.data.versions import Column, Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.features.associating import series_of
from lemnis.engine.features.association import cramers_v, mutual_information, pearson, spearman
from lemnis.engine.features.pairing import Series, chosen_measure, ratio_of
from lemnis.engine.features.records import Box, PairDetail
from lemnis.engine.features.sampling import read_sample

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

ROWS = 60_000
CLOUD = (64, 24)  # cells of a cloud, across and up
TAIL = 0.005  # of the rows at either end of a number that a cloud leaves out
MOST_ROWS, MOST_COLUMNS, MOST_BOXES = 14, 6, 24  # categories that are shown
LONGEST = 60  # characters of a category
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Values = NDArray[np.float64]


def pair(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure and draw two columns of a version.

    Args:
        context: The job.
        arguments: ``version``, ``first``, ``second``.

    Returns:
        A `PairDetail` as JSON has it.

    Raises:
        NotFound: The version lacks a column.
        BadInput: It is one column twice, or a time.
    """
    task = load_config(context.workspace.config).problem.task
    version = find_version(context.store, arguments["version"])
    columns = [version.column(str(arguments[name])) for name in ("first", "second")]
    if columns[0].name == columns[1].name:
        raise BadInput("A column goes with itself wholly.", "Choose two columns.", columns[0].name)
    context.progress(0.1, "reading rows")
    parts = [part for part in version.split if part != "test"]
    rows = read_sample(version, [column.name for column in columns], most=ROWS, parts=parts)
    return msgspec.to_builtins(pair_detail(rows, columns[0], columns[1], version=version, task=task))


def pair_detail(rows: Any, first: Column, second: Column, *, version: Version, task: str) -> PairDetail:
    """Return what is known of two columns on some rows. Any: a pyarrow Table."""
    for column in (first, second):
        if column.kind == "time":
            raise BadInput(f"{column.name} is a time and has no association.", "Derive a number from it.", column.name)
    a, b = (
        series_of(
            rows, column, number=column.kind == "numeric" and (column.name != version.label or task == "regression")
        )
        for column in (first, second)
    )
    known = ~(np.isnan(a.values) | np.isnan(b.values))
    scaled = all(one.number or one.truth for one in (a, b))
    measures = {
        "pearson": pearson(a.values, b.values) if scaled else math.nan,
        "spearman": spearman(a.values, b.values) if scaled else math.nan,
        "cramers_v": cramers_v(a.codes, b.codes),
        "ratio": ratio(a, b),
        "information": mutual_information(a.codes, b.codes),
    }
    detail = PairDetail(
        first=first.name,
        second=second.name,
        measure=chosen_measure(a.number, b.number),
        measures={name: None if math.isnan(value) else value for name, value in measures.items()},
        rows=int(known.sum()),
        missing=int((~known).sum()),
    )
    if a.number and b.number:
        return cloud(detail, a.values[known], b.values[known])
    if not (a.number or b.number):
        return table(detail, texts(rows, first.name, known), texts(rows, second.name, known))
    amount, group = (a, second) if a.number else (b, first)
    return boxes(detail, texts(rows, group.name, known), amount.values[known])


def ratio(a: Series, b: Series) -> float:
    """Return the correlation ratio of a category and a number in either order, NaN for two of one kind."""
    if a.number == b.number:
        return math.nan
    group, amount = (b, a) if a.number else (a, b)
    return ratio_of(group.codes, amount.values)


def texts(rows: Any, name: str, known: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return a column's values as text of at most LONGEST characters, of the known rows. Any: a pyarrow Table."""
    column = pc.utf8_slice_codeunits(rows.column(name).cast(pa.string()).fill_null(""), 0, LONGEST)
    return np.array(column.to_pylist(), dtype=np.str_)[known]


def cloud(detail: PairDetail, x: Values, y: Values) -> PairDetail:
    """Return the detail with how many rows fall into each cell of a grid; a long thin tail is left out."""
    if not x.size:
        return detail
    ranges = [[*np.quantile(values, [TAIL, 1 - TAIL], method="nearest")] for values in (x, y)]
    ranges = [[low, high] if high > low else [low - 0.5, high + 0.5] for low, high in ranges]
    counts, _, _ = np.histogram2d(x, y, bins=CLOUD, range=ranges)
    return msgspec.structs.replace(
        detail,
        grid=[[int(count) for count in line] for line in counts.T[::-1]],
        across=[float(value) for value in ranges[0]],
        up=[float(value) for value in ranges[1]],
    )


def commonest(values: NDArray[np.str_], most: int) -> list[str]:
    """Return the most frequent texts, the commonest first."""
    distinct, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [str(distinct[place]) for place in order]


def table(detail: PairDetail, first: NDArray[np.str_], second: NDArray[np.str_]) -> PairDetail:
    """Return the detail with how often the commonest categories meet; a rest is summed in the last row or column."""
    lines, columns = commonest(first, MOST_ROWS), commonest(second, MOST_COLUMNS)
    counts = [[int(((first == line) & (second == column)).sum()) for column in columns] for line in lines]
    for line, row in zip(lines, counts, strict=True):
        row.append(int((first == line).sum()) - sum(row))
    totals = [int((second == column).sum()) for column in columns]
    totals.append(len(second) - sum(totals))
    counts.append([total - sum(row[at] for row in counts) for at, total in enumerate(totals)])
    return msgspec.structs.replace(detail, lines=[*lines, "others"], columns=[*columns, "others"], counts=counts)


def boxes(detail: PairDetail, groups: NDArray[np.str_], amount: Values) -> PairDetail:
    """Return the detail with five quantiles of the number in each of the commonest categories, by their median."""
    found: list[Box] = []
    for name in commonest(groups, MOST_BOXES):
        inside = amount[groups == name]
        found.append(Box(name=name, rows=len(inside), quantiles=[float(q) for q in np.quantile(inside, QUANTILES)]))
    found.sort(key=lambda box: -box.quantiles[2])
    return msgspec.structs.replace(detail, boxes=found)
