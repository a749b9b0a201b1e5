"""Scoring of whole files: CSV or Parquet in, the same columns with the model's answers out, a batch at a time."""

# pyarrow is typed in part: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.protocol import labels_of
from lemnis.engine.errors import BadInput
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sync_folder
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet")
BATCH_ROWS = 65_536


def check_paths(file: Path, out: Path) -> None:
    """Refuse files that can't be scored or written.

    Raises:
        BadInput: The input is no regular CSV or Parquet file, or the output is neither, or the same file.
    """
    for path in (file, out):
        if path.suffix.lower() not in FORMATS:
            raise BadInput(f"{safe(path.name)} is neither CSV nor Parquet.", "Name it .csv or .parquet.", safe(path))
    if not file.is_file():
        raise BadInput("There is no such file.", "Check the path.", safe(file))
    if not out.parent.is_dir():
        raise BadInput("The folder for the answers does not exist.", "Make it first.", safe(out.parent))
    if out.exists() and (out.is_dir() or out.samefile(file)):
        raise BadInput("The answers can't replace what they are computed from.", "Choose another -o.", safe(out))


def score_file(file: Path, out: Path, predictor: Predictor, *, progress: Callable[[float | None, str], None]) -> int:
    """Write the rows of `file` with the model's answers to `out`, complete or not at all; return the rows.

    Raises:
        BadInput: A file can't be read or lacks a feature, or a column is there that the answers would replace.
    """
    import pyarrow as pa

    check_paths(file, out)
    descriptor, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".tmp")
    os.close(descriptor)
    rows = 0
    writer: Any = None  # Any: pyarrow's CSV or Parquet writer
    try:
        for table, share in tables_of(file, predictor.signature):
            scored = with_answers(table, predictor)
            writer = writer or writer_for(out, temporary, scored.schema)
            writer.write_table(scored)
            rows += scored.num_rows
            progress(share, f"{rows:,} rows scored")
        if writer is None:
            raise BadInput("The file has no rows.", "Check the path.", safe(file))
        writer.close()
        os.replace(temporary, out)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError) as error:
        raise BadInput(f"The file can't be read: {safe(error, limit=300)}.", "Mend the file.", safe(file)) from None
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(out.parent)
    return rows


def tables_of(file: Path, signature: Signature) -> "Iterator[tuple[pa.Table, float | None]]":
    """Yield a file's rows as tables, each with the share of the file that is read then."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if file.suffix.lower() == ".parquet":
        source = pq.ParquetFile(file)
        done, total = 0, max(1, source.metadata.num_rows)
        for chunk in source.iter_batches(BATCH_ROWS):
            done += chunk.num_rows
            yield pa.Table.from_batches([chunk]), done / total
        return
    types = {
        f.name: pa.string() if f.kind == "categorical" else pa.bool_() if f.logical else pa.float64()
        for f in signature.features
    }
    options = pc.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
    with open(file, "rb") as stream:
        size = max(1, os.fstat(stream.fileno()).st_size)
        for chunk in pc.open_csv(stream, convert_options=options):
            yield pa.Table.from_batches([chunk]), min(1.0, stream.tell() / size)


def with_answers(table: "pa.Table", predictor: Predictor) -> "pa.Table":
    """Return a table with the model's answers as further columns.

    Raises:
        BadInput: It lacks a feature, or has one of the columns already.
    """
    import pyarrow as pa

    from lemnis.engine.features.matrix import encode_table

    signature = predictor.signature
    absent = [name for name in signature.names if name not in table.column_names]
    if absent:
        raise BadInput(f"The file lacks the feature {safe(absent[0])}.", "Add the column.", safe(absent[0]))
    scores = predictor.many(encode_table(table, signature))
    answers: dict[str, Any] = {}  # Any: arrays of numbers or text
    if signature.task == "regression":
        answers["value"] = scores[:, 0]
    else:
        names = signature.classes if signature.task == "multiclass" else [""]
        answers |= {f"probability{'_' + name if name else ''}": scores[:, place] for place, name in enumerate(names)}
        answers["label"] = np.asarray(labels_of(scores.tolist(), signature), dtype=object)
    for name, values in answers.items():
        if name in table.column_names:
            raise BadInput(f"The file has a column {safe(name)} already.", "Rename it.", safe(name))
        table = table.append_column(name, pa.array(values))
    return table


def writer_for(out: Path, temporary: str, schema: "pa.Schema") -> Any:
    """Return pyarrow's writer for the output's format. Any: the two writers share no type."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if out.suffix.lower() == ".parquet":
        return pq.ParquetWriter(temporary, schema, compression="zstd")
    return pc.CSVWriter(temporary, schema)
