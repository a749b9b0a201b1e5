"""The failing rows of a check: any page of them, or all of them into a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data import DataRoom
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore.pages import Page, plain_rows
from lemnis.engine.explore.sandbox import Limits, ask, streams
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.store import Store
from lemnis.engine.validate.compile import file_order
from lemnis.engine.validate.history import find_run, list_results
from lemnis.engine.validate.records import COUNTING, CheckResult
from lemnis.engine.validate.tables import table_files

if TYPE_CHECKING:
    import pyarrow as pa

EXPORT = Limits(wall_seconds=600, cpu_seconds=600, memory_bytes=1 << 30)
FORMATS = (".csv", ".jsonl", ".parquet")


def find_result(store: Store, name: str, check_run_id: int | None) -> tuple[CheckResult, dict[str, Path]]:
    """Return one check's result in a run (None: the latest), and the files it was about.

    Raises:
        NotFound: There is no such run or check.
        BadInput: It lists no rows.
    """
    run = find_run(store, check_run_id)
    results = {result.name: result for result in list_results(store, run.id)}
    if name not in results:
        raise NotFound(f"Run {run.id} has no check {name!r}.", f"Checks: {', '.join(results)}.")
    result = results[name]
    if result.failing is None:
        raise BadInput(f"The check {name} was not evaluated: {result.message}", "Mend that and run the checks again.")
    if result.kind in COUNTING:
        raise BadInput(f"No single row fails the check {name}.", "Look at another check.")
    return result, table_files(store, DataRoom(store).version(run.version_id))


def failing_page(store: Store, name: str, check_run_id: int | None, offset: int, limit: int) -> Page:
    """Return a page of the rows that fail a check, the checked columns first; asked of the sandbox.

    Raises:
        NotFound, BadInput: See `find_result`.
        Unavailable: The query ran past its limits.
    """
    result, files = find_result(store, name, check_run_id)
    if result.typed:
        sql = f"select * from (\n{result.sql}\n)"
    else:
        ordered = result.kind == "unique"
        sql = result.sql if ordered else file_order(result.sql, result.source, str(files[result.source]))
    sql += f" limit {limit} offset {offset}"
    table = ask([Statement(sql=sql, typed=result.sql if result.typed else "")], files)[0].table
    return Page(total=result.failing or 0, offset=offset, columns=table.column_names, rows=plain_rows(table))


def export_failing(store: Store, name: str, check_run_id: int | None, path: Path) -> int:
    """Write all rows that fail a check to a new CSV, JSON lines or Parquet file; return how many.

    Raises:
        NotFound, BadInput: See `find_result`; or the file exists, or has another ending.
        Unavailable: The query ran past its limits.
    """
    if path.suffix not in FORMATS:
        raise BadInput(f"{path.name} is none of {', '.join(FORMATS)}.", "Choose one of these endings.")
    if path.exists():
        raise BadInput(f"{path} exists already.", "Choose another name; nothing is overwritten.")
    result, files = find_result(store, name, check_run_id)
    statement = Statement(sql=result.sql, typed=result.sql if result.typed else "")
    part = path.with_name(f".{path.name}.part")
    rows = 0
    try:
        with streams([statement], files, EXPORT) as each:
            for stream in each:
                rows += write_rows(stream, part, path.suffix)
        part.rename(path)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}.", "Choose a folder you can write.") from None
    finally:
        part.unlink(missing_ok=True)
    return rows


def write_rows(stream: "pa.RecordBatchReader", path: Path, ending: str) -> int:
    """Write a stream of rows batch by batch; return how many there were."""
    import msgspec
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    rows = 0
    with path.open("wb") as file:
        # Any: either writer has write_batch and close.
        writer: Any = None
        if ending == ".parquet":
            writer = pq.ParquetWriter(file, stream.schema)
        elif ending == ".csv":
            writer = pc.CSVWriter(file, stream.schema)
        for batch in stream:
            rows += batch.num_rows
            if writer is not None:
                writer.write_batch(batch)
                continue
            for row in plain_rows(pa.Table.from_batches([batch])):
                file.write(msgspec.json.encode(dict(zip(stream.schema.names, row, strict=True))) + b"\n")
        if writer is not None:
            writer.close()
    return rows
