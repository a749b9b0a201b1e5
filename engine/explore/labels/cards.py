"""The rows that are asked about: their keys as text, and the cells of a card straight from the version's row groups."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.config import Labels
from lemnis.engine.data import Version
from lemnis.engine.data.plain import plain_column
from lemnis.engine.errors import BadInput, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_CELL = 20_000  # characters of one cell that a card shows
GROUPS_KEPT = 2


def check_labelled(version: Version, name: str, labels: Labels) -> None:
    """Refuse a version whose rows could not be found again by their key, or that lacks a column of the card.

    Raises:
        BadInput: It has no key, keys stand twice, or the label is the key.
        NotFound: A column to show is not there.
    """
    place = "lemnis.toml: dataset.key"
    if not version.keys:
        raise BadInput(f"{version.title} has no key: a label could not find its row again.", "Declare one.", place)
    if version.repeated_keys:
        raise BadInput(
            f"{version.repeated_keys:,} rows of {version.title} have a key that another row has already.",
            "Name key columns that tell every row apart.",
            place,
        )
    if labels.column in version.keys:
        raise BadInput(f"{labels.column!r} is the key.", "Label another column.", f"lemnis.toml: labels.{name}.column")
    for column in labels.show:
        version.column(column)


def shown_columns(version: Version, labels: Labels) -> list[str]:
    """Return the columns of a card: those declared, else all but the label."""
    return labels.show or [column.name for column in version.columns if column.name != labels.column]


def key_texts(table: "pa.Table", keys: Sequence[str]) -> list[str | None]:
    r"""Return each row's key as text: its key columns joined by ``|``; None where a part is missing.

    Of several columns a ``|`` or ``\`` inside a part is written ``\|`` and ``\\``.
    """
    import pyarrow as pa

    # Any: pyarrow ships no types.
    columns: list[list[Any]] = [table.column(name).cast(pa.string()).to_pylist() for name in keys]
    if len(columns) == 1:
        return columns[0]
    return [
        None if None in parts else "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
        for parts in zip(*columns, strict=True)
    ]


def key_parts(text: str, count: int) -> list[str]:
    """Return the parts of a key of `count` columns; the inverse of `key_texts`."""
    if count == 1:
        return [text]
    parts, part, escaped = list[str](), "", False
    for char in text:
        if escaped or char not in "\\|":
            part, escaped = part + char, False
        elif char == "\\":
            escaped = True
        else:
            parts.append(part)
            part = ""
    return [*parts, part]


def read_cells(version: Version, row_number: int, columns: Sequence[str]) -> dict[str, str | None]:
    """Return some cells of one row as text, at most LONGEST_CELL characters each.

    The first row of a row group reads these columns of the group; the rows after it are there already.

    Raises:
        Unavailable: The version's file is gone.
    """
    if not version.path.exists():
        raise Unavailable(
            f"The file of {version.title} is gone.", "Link it again, then make a new queue.", str(version.path)
        )
    starts = _starts(version.path)
    group = next(place for place, start in enumerate(starts[1:]) if row_number < start)
    table = _group(version.path, group, tuple(columns)).slice(row_number - starts[group], 1)
    cells: dict[str, str | None] = {}
    for name in columns:
        value = plain_column(table.column(name))[0]
        cells[name] = None if value is None else _text(value)
    return cells


def _text(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:LONGEST_CELL]


@lru_cache(maxsize=8)
def _starts(path: Path) -> list[int]:
    """Return the first row of each row group, ending with the number of rows."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    starts = [0]
    for group in range(metadata.num_row_groups):
        starts.append(starts[-1] + metadata.row_group(group).num_rows)
    return starts


@lru_cache(maxsize=GROUPS_KEPT)
def _group(path: Path, group: int, columns: tuple[str, ...]) -> "pa.Table":
    """Return some columns of one row group; the file is content-addressed, so it can't have changed."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=list(columns))
