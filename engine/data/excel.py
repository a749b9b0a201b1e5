"""Sheets of workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) as Arrow batches, read with calamine."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from lemnis.engine.config import Source
from lemnis.engine.data.delimited import MOST_COLUMNS, unlike_names
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

MOST_FILE = 256 << 20  # bytes; a workbook is read whole
MOST_UNPACKED = 1 << 30


def sheet_rows(name: str, path: Path, shown: str, source: Source) -> "pa.RecordBatchReader":
    """Return the rows of the sheet that is declared, or of the only one; the first row with a value is the header.

    Rows without a value are left out. A column is of whole numbers, numbers, truth values, dates or times if every cell
    is; else it is text. Of merged cells the first holds the value, the others are empty, as in the workbook.

    Raises:
        BadInput: It is no workbook, it is too large, has no such sheet, or its header is not accepted.
    """
    import pyarrow as pa

    rows = [row for row in cells_of(name, path, shown, source.sheet) if any(cell != "" for cell in row)]
    place = f"{shown}: {source.sheet}" if source.sheet else shown
    if not rows:
        raise BadInput(f"{name}: the sheet is empty.", "Name another with sheet.", place)
    width = max(len(row) for row in rows)
    used = [index for index in range(width) if any(row[index] != "" for row in rows)]
    if len(used) > MOST_COLUMNS:
        raise BadInput(f"{name} has {len(used):,} columns.", f"At most {MOST_COLUMNS:,} are read.", place)
    if source.header:
        names = unlike_names(name, [text_of(rows[0][index]) for index in used], place)
        rows = rows[1:]
    else:
        names = source.columns or [f"column{number}" for number in range(1, len(used) + 1)]
        if len(names) != len(used):
            problem = f"{name}: {len(names)} columns are declared, but the sheet has {len(used)}."
            raise BadInput(problem, "Name each of them.", f"sources.{name}.columns")
    nulls = {"", *source.null}
    columns = [column_of([row[index] for row in rows], nulls) for index in used]
    table = pa.Table.from_arrays(columns, names=names)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


def cells_of(name: str, path: Path, shown: str, sheet: str) -> list[list[Any]]:  # Any: a cell is what it is
    """Return the rows of a sheet as they are."""
    import python_calamine

    file_name = PurePath(shown).name
    if path.stat().st_size > MOST_FILE:
        raise BadInput(f"{name}: {file_name} is larger than {MOST_FILE:,} bytes.", "Save it as CSV.", shown)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(info.file_size for info in archive.infolist())
            if unpacked > MOST_UNPACKED:
                raise BadInput(f"{name}: {file_name} unpacks to {unpacked:,} bytes.", "Save it as CSV.", shown)
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            names = [str(one) for one in book.sheet_names]
            chosen = sheet or (names[0] if len(names) == 1 else "")
            if chosen not in names:
                has = f"has no sheet {sheet!r}" if sheet else f"has {len(names)} sheets"
                known = safe(", ".join(names), limit=300)
                raise BadInput(f"{name}: {file_name} {has}.", f"Sheets: {known}.", f"sources.{name}.sheet")
            return book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except python_calamine.PasswordError:
        raise BadInput(f"{name}: {file_name} is locked by a password.", "Save it without one.", shown) from None
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        why = safe(str(error).splitlines()[0] if str(error) else "damaged", limit=200)
        raise BadInput(f"{name}: {file_name} is no workbook: {why}.", "Save it again.", shown) from None


def column_of(cells: Sequence[Any], nulls: set[str]) -> "pa.Array":  # Any: a cell is what it is
    """Return the cells as an Arrow array of the narrowest type that holds each of them."""
    import pyarrow as pa

    values: list[Any] = [None if isinstance(cell, str) and cell in nulls else cell for cell in cells]
    kinds: set[type] = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and kinds:
        if all(value is None or (float(value).is_integer() and abs(value) < 2**53) for value in values):
            return pa.array([None if value is None else int(value) for value in values], pa.int64())
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {date}:
        return pa.array(values, pa.date32())
    if kinds and kinds <= {date, datetime}:
        moments = [value if isinstance(value, datetime) or value is None else datetime(*value.timetuple()[:3])
                   for value in values]  # fmt: skip
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def text_of(cell: object) -> str:
    """Return a cell as text: whole numbers without a fraction, moments as ISO writes them."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
