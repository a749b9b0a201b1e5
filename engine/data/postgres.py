"""Tables and queries of a PostgreSQL server as Arrow batches, read in one read-only transaction."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lemnis.engine.config import Source
from lemnis.engine.data.duck import quote
from lemnis.engine.data.elsewhere import check_secrets, expanded, without_secrets
from lemnis.engine.data.sources import Origin
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

CONNECT_S = 10
BEGIN = (
    "begin transaction isolation level repeatable read read only",
    "set local synchronize_seqscans = off",  # an unchanged table gives its rows in the same order each time
    "set local timezone = 'UTC'",
)


def server_origin(name: str, source: Source) -> Origin:
    """Return what stands for a database: it can't be looked at without asking it.

    Raises:
        BadInput: Nothing is asked, or a password stands in the address.
    """
    if not source.table and not source.query:
        raise BadInput(f"{name}: nothing is asked of the server.", "Set table or query.", f"sources.{name}")
    check_secrets(name, source.path)
    return Origin(source=name, name=source.path, path=None, bytes=0, modified_ns=0)


def server_rows(name: str, source: Source) -> "pa.RecordBatchReader":
    """Return the rows of the table or the query, all of one moment.

    Numbers of arbitrary precision become text unless the query casts them, for a float would not hold them.

    Raises:
        Unavailable: The server can't be reached, or refuses.
        BadInput: The server does not accept what is asked.
    """
    import adbc_driver_manager as manager
    import pyarrow as pa
    from adbc_driver_postgresql import dbapi

    place = f"sources.{name}.{'query' if source.query else 'table'}"

    def refused(error: Exception) -> Unavailable | BadInput:
        said = safe(without_secrets(message_of(error), source.path), limit=300)
        if isinstance(error, manager.ProgrammingError):
            return BadInput(f"{name}: PostgreSQL refuses this: {said}.", f"Mend {place}.", place)
        return Unavailable(f"{name}: {said}.", "Check the server, the address and who you are there.", place)

    try:
        connection: Any = dbapi.connect(with_timeout(expanded(name, source.path)), autocommit=True)  # Any: untyped
    except manager.Error as error:
        raise refused(error) from None
    cursor = connection.cursor()
    try:
        for statement in BEGIN:
            cursor.execute(statement)
        cursor.execute(source.query.rstrip().rstrip(";") or f"select * from {table_name(source.table)}")
        reader: pa.RecordBatchReader = cursor.fetch_record_batch()
    except (manager.Error, pa.ArrowException) as error:
        connection.close()
        raise refused(error) from None
    schema = pa.schema([pa.field(field.name, plain_type(field.type)) for field in reader.schema])

    def batches() -> Iterator["pa.RecordBatch"]:
        try:
            for batch in reader:
                arrays = [plain_array(column, kind) for column, kind in zip(batch.columns, schema.types, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except (manager.Error, pa.ArrowException, OSError) as error:
            raise refused(error) from None
        finally:
            cursor.close()
            connection.close()

    return pa.RecordBatchReader.from_batches(schema, batches())


def plain_type(kind: Any) -> Any:  # Any: Arrow types
    """Return the type a column is kept in: what Parquet readers and DuckDB agree on."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_large_string(kind) or pa.types.is_nested(kind) or pa.types.is_interval(kind):
        return pa.string()
    return kind


def plain_array(column: Any, kind: Any) -> Any:
    """Return a column in the type it is kept in; lists become text."""
    import msgspec
    import pyarrow as pa

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_nested(column.type) or pa.types.is_interval(column.type):
        values = [
            None if value is None else msgspec.json.encode(value, enc_hook=str).decode() for value in column.to_pylist()
        ]
        return pa.array(values, kind)
    return column.cast(kind)


def table_name(table: str) -> str:
    """Return ``schema.table`` or ``table`` as SQL."""
    schema, dot, name = table.partition(".")
    return f"{quote(schema)}.{quote(name)}" if dot else quote(table)


def with_timeout(address: str) -> str:
    """Return the address with a limit for connecting, unless it has one."""
    if "connect_timeout=" in address:
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}connect_timeout={CONNECT_S}"


def message_of(error: Exception) -> str:
    """Return what the server said, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.strip().startswith("^")]
    return " ".join(lines[:2]).rstrip(".")
