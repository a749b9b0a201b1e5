"""The rows that differ: any page of them, straight from the row groups they lie in."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.data.diff.kept import AFTER, BEFORE
from lemnis.engine.data.diff.records import CHANGES, Change, Diff, DiffPage, DiffRow, Listing
from lemnis.engine.data.plain import Cell, plain_column
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_PAGE = 10_000
GROUPS_KEPT = 24  # decoded row groups of some columns, so that scrolling back and forth stays in them


class Sources(NamedTuple):
    """A comparison with the files its rows are read from."""

    diff: Diff
    file: Path
    before: Version
    after: Version


def read_page(sources: Sources, listing: Listing, offset: int, limit: int) -> DiffPage:
    """Return rows that differ: the changed, then the removed, then the added ones, in the order of their versions.

    Raises:
        NotFound: There is no such column, or the rows are not kept any more.
        BadInput: A bound is wrong.
        Unavailable, Damaged: A version's file is gone or holds something else.
    """
    if offset < 0 or not 0 <= limit <= LONGEST_PAGE:
        raise BadInput(f"Rows {offset} and {limit} more are no page.", f"Ask for 0 to {LONGEST_PAGE:,} rows.")
    places = listed(sources, listing)
    some = places[offset : offset + limit]
    rows = [row for change, part in parts(sources.diff, some) for row in _rows(sources, listing, change, part)]
    return DiffPage(total=len(places), offset=offset, rows=rows)


def listed(sources: Sources, listing: Listing) -> "NDArray[np.int64] | range":
    """Return the places in the file of all rows that are asked for."""
    diff = sources.diff
    starts = dict(zip(CHANGES, (0, diff.changed, diff.changed + diff.removed), strict=True))
    if listing.column and listing.change in ("", "changed"):
        place = _place(diff, listing.column)
        return _marked(sources.file, place) if diff.columns[place].changed else range(0)
    if listing.column:
        _place(diff, listing.column)
    if not listing.change:
        return range(diff.differing)
    start = starts[listing.change]
    return range(start, start + diff.count(listing.change))


def parts(diff: Diff, places: "NDArray[np.int64] | range") -> list[tuple[Change, NDArray[np.int64]]]:
    """Return ascending places cut by what became of their rows, without empty parts."""
    cut = np.split(np.asarray(places, np.int64), np.searchsorted(places, [diff.changed, diff.changed + diff.removed]))
    return [(change, part) for change, part in zip(CHANGES, cut, strict=True) if len(part)]


def _place(diff: Diff, name: str) -> int:
    for place, column in enumerate(diff.columns):
        if column.name == name:
            return place
    if name in diff.key:
        raise BadInput(f"{name} is part of the key: it is equal in the rows that are compared.", "Name another column.")
    known = ", ".join(column.name for column in diff.columns)
    raise NotFound(f"Neither version has a column {name!r}.", f"Columns: {known}.")


def _rows(sources: Sources, listing: Listing, change: Change, places: NDArray[np.int64]) -> Generator[DiffRow]:
    """Yield the rows at some places, all of one kind."""
    diff = sources.diff
    if change == "changed":
        wanted = [listing.column] if listing.column else []
        marks = _marks(sources.file, diff, places) if not wanted else {wanted[0]: np.ones(len(places), np.bool_)}
        before, after = _sides(sources, places, [*diff.key, *marks])
        for row in range(len(places)):
            names = [name for name, changed in marks.items() if changed[row]]
            was, now = ({name: side[name][row] for name in names} for side in (before, after))
            yield DiffRow(change=change, key={name: after[name][row] for name in diff.key}, before=was, after=now)
        return
    version = sources.before if change == "removed" else sources.after
    names = [column.name for column in version.columns if column.name not in diff.key]
    if listing.column:
        names = [name for name in names if name == listing.column]
    at = places_of(sources.file, places, BEFORE if change == "removed" else AFTER)
    table = plain(take(version.file, at, [*diff.key, *names]))
    for row in range(len(places)):
        key, values = ({name: table[name][row] for name in some} for some in (diff.key, names))
        yield DiffRow(change=change, key=key, **{"before" if change == "removed" else "after": values})


def _sides(sources: Sources, places: NDArray[np.int64], names: list[str]) -> list[dict[str, list[Cell]]]:
    """Return columns of changed rows in both versions, as plain values."""
    return [
        plain(take(version.file, places_of(sources.file, places, side), names))
        for version, side in ((sources.before, BEFORE), (sources.after, AFTER))
    ]


def _marks(file: Path, diff: Diff, places: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return in which columns changed rows differ, for those columns where one of them does."""
    names = {str(place): column.name for place, column in enumerate(diff.columns) if column.changed}
    table = take(file, places, list(names))
    found = {names[place]: table.column(place).to_numpy() for place in names}
    return {name: changed for name, changed in found.items() if changed.any()}


def places_of(file: Path, places: NDArray[np.int64], side: str) -> NDArray[np.int64]:
    """Return where rows lie in the version of one side."""
    return take(file, places, [side]).column(side).to_numpy()


def plain(table: "pa.Table") -> dict[str, list[Cell]]:
    """Return columns as plain values; not a number is the text NaN, for null is another value."""
    found = {name: plain_column(table.column(name)) for name in table.column_names}
    return {name: ["NaN" if value != value else value for value in column] for name, column in found.items()}


def take(path: Path, rows: NDArray[np.int64], names: Sequence[str]) -> "pa.Table":
    """Return rows of a Parquet file by their places, in that order, reading only the row groups they lie in.

    Raises:
        NotFound: The file is of a comparison and can't be read any more.
    """
    import pyarrow as pa

    try:
        stamp = path.stat().st_mtime_ns
        starts = _starts(path, stamp)
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        groups = np.searchsorted(starts, ascending, side="right") - 1
        pieces: list[Any] = [
            _group(path, stamp, group, tuple(names)).take(ascending[groups == group] - starts[group])
            for group in np.unique(groups).tolist()
        ]
        if not pieces:
            return schema_of(path).empty_table().select(list(names))
    except (OSError, pa.ArrowInvalid) as error:
        raise NotFound("The rows of this comparison are not kept any more.", "Compare again.", str(path)) from error
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return pa.concat_tables(pieces).take(places)


def schema_of(path: Path) -> "pa.Schema":
    """Return the columns of a Parquet file."""
    import pyarrow.parquet as pq

    return pq.read_schema(path)


@lru_cache(maxsize=16)
def _starts(path: Path, modified_ns: int) -> NDArray[np.int64]:
    """Return the first row of each row group, ending with the number of rows."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


@lru_cache(maxsize=GROUPS_KEPT)
def _group(path: Path, modified_ns: int, group: int, names: tuple[str, ...]) -> "pa.Table":
    """Return some columns of one row group."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=list(names)).select(list(names))


@lru_cache(maxsize=4)
def _marked_at(path: Path, modified_ns: int, place: int) -> NDArray[np.int64]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return np.flatnonzero(file.read(columns=[str(place)]).column(0).to_numpy())


def _marked(path: Path, place: int) -> NDArray[np.int64]:
    """Return the places of the rows that changed in one column.

    Raises:
        NotFound: The file can't be read any more.
    """
    import pyarrow as pa

    try:
        return _marked_at(path, path.stat().st_mtime_ns, place)
    except (OSError, pa.ArrowInvalid) as error:
        raise NotFound("The rows of this comparison are not kept any more.", "Compare again.", str(path)) from error
