"""Tables of a SQLite file as Arrow batches, read with the one SQLite library of the process."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.duck import quote
from lemnis.engine.data.parquet import ROW_GROUP
from lemnis.engine.errors import BadInput
from lemnis.engine.store import connection as store_connection
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

sqlite3 = store_connection.sqlite3


def sqlite_batches(name: str, path: Path, table: str) -> "pa.RecordBatchReader":
    """Return the rows of a table or view, all of one moment; a column's type is the widest its values have.

    Integers and reals make a double, any text makes text, blobs are refused: SQLite's columns hold what they like.

    Raises:
        BadInput: It is no SQLite file, has no such table, or a column holds blobs.
    """
    import pyarrow as pa

    place = f"sources.{name}.table"

    def refused(error: Exception) -> BadInput:
        return BadInput(f"{name}: {path.name} can't be read: {safe(error, limit=200)}.", "Check the file.", str(path))

    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        db.execute("pragma query_only = on")
        db.execute("pragma trusted_schema = off")
        db.execute("begin")  # types and rows of the same moment
        tables = [str(row[0]) for row in db.execute("select name from sqlite_schema where type in ('table', 'view')")]
        if table not in tables:
            known = ", ".join(tables[:20]) or "none"
            raise BadInput(f"{name}: {path.name} has no table {table!r}.", f"Tables: {known}.", place)
        schema = pa.schema(_fields(db, name, table))
        rows = db.execute(f"select {_selection(schema)} from {quote(table)}")
    except sqlite3.Error as error:
        raise refused(error) from None

    def batches() -> Iterator["pa.RecordBatch"]:
        try:
            while block := rows.fetchmany(ROW_GROUP):
                columns = zip(*block, strict=True)
                arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
                yield pa.record_batch(arrays, schema=schema)
        except sqlite3.Error as error:
            raise refused(error) from None
        finally:
            db.close()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _fields(db: Any, name: str, table: str) -> list[tuple[str, Any]]:  # Any: an untyped connection, Arrow types
    import pyarrow as pa

    columns = [str(row[0]) for row in db.execute("select name from pragma_table_xinfo(?)", [table])]
    tests = ", ".join(
        f"max(typeof({quote(column)}) = '{kind}')" for column in columns for kind in ("blob", "text", "real", "integer")
    )
    found = db.execute(f"select {tests} from {quote(table)}").fetchone()
    fields: list[tuple[str, Any]] = []
    for position, column in enumerate(columns):
        blob, text, real, integer = found[position * 4 : position * 4 + 4]
        if blob:
            raise BadInput(
                f"{name}: column {column!r} holds blobs.", "Make a view without it.", f"sources.{name}.table"
            )
        kind = pa.string() if text or not (real or integer) else pa.float64() if real else pa.int64()
        fields.append((column, kind))
    return fields


def _selection(schema: "pa.Schema") -> str:
    casts = {"string": "text", "double": "real", "int64": "integer"}
    return ", ".join(f"cast({quote(field.name)} as {casts[str(field.type)]})" for field in schema)
