"""Scoring of whole files: CSV or Parquet in, the same columns with the model's answers out, a batch at a time."""

# pyarrow is typed in part: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.rowfiles import FORMATS, tables_of, writer_for
from lemnis.engine.errors import BadInput
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sync_folder
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

Tell = Callable[[float | None, str], None]


def check_paths(file: Path, out: Path) -> None:
    """Refuse files that can't be scored or written.

    Raises:
        BadInput: The input is no regular CSV or Parquet file nor a folder of Parquet files, or the output can't be one.
    """
    if not file.exists():
        raise BadInput("There is no such file.", "Check the path.", safe(file))
    if file.is_dir() and not parts_of(file):
        raise BadInput("The folder holds no Parquet file.", "Name one that ends in .parquet.", safe(file))
    for path in ([] if file.is_dir() else [file]) + ([] if file.is_dir() and not out.suffix else [out]):
        if path.suffix.lower() not in FORMATS:
            raise BadInput(f"{safe(path.name)} is neither CSV nor Parquet.", "Name it .csv or .parquet.", safe(path))
    if not out.parent.is_dir():
        raise BadInput("The folder for the answers does not exist.", "Make it first.", safe(out.parent))
    if out.exists() and (out.is_dir() or out.samefile(file)):
        raise BadInput("The answers can't replace what is there.", "Choose another -o.", safe(out))


def parts_of(file: Path) -> list[Path]:
    """Return the files that are scored one after the other: the Parquet files of a folder by name, or the one file."""
    return sorted(path for path in file.rglob("*.parquet") if path.is_file()) if file.is_dir() else [file]


def score_file(file: Path, out: Path, predictor: Predictor, *, progress: Tell) -> int:
    """Write the rows of `file` with the model's answers to `out`, complete or not at all; return the rows.

    Args:
        file: CSV, Parquet, or a folder of Parquet files.
        out: One file; of a folder also a folder, in which every part has its name again.
        predictor: The model.
        progress: Told the share that is done, and in words the rows and the time that is left.

    Raises:
        BadInput: A file can't be read or lacks a feature, a value is of the wrong type, or a column is there that the
            answers would replace.
    """
    check_paths(file, out)
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=".tmp"))
    scoring = Scoring(predictor, parts_of(file), progress)
    try:
        if out.suffix:
            scoring.write(scoring.parts, temporary / "all", out.suffix)
            os.replace(temporary / "all", out)
        else:
            for part in scoring.parts:
                target = temporary / "all" / part.relative_to(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                scoring.write([part], target, part.suffix)
            (temporary / "all").rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(out.parent)
    return scoring.rows


class Scoring:
    """One file or folder while it is scored."""

    def __init__(self, predictor: Predictor, parts: list[Path], progress: Tell) -> None:
        self.predictor, self.parts, self.progress = predictor, parts, progress
        self.rows, self.started = 0, monotonic_s()
        self.before = 0.0  # bytes of the parts that are done
        self.bytes = max(1, sum(part.stat().st_size for part in parts))

    def write(self, parts: Sequence[Path], target: Path, suffix: str) -> None:
        """Write parts, with the answers, into one file; raises BadInput."""
        writer: Any = None  # Any: pyarrow's CSV or Parquet writer
        schema: Any = None
        for part in parts:
            size = part.stat().st_size
            for table, share in tables_of(part, self.predictor.signature):
                scored = with_answers(table, self.predictor)
                if writer is None:
                    writer, schema = writer_for(target, suffix, scored.schema), scored.schema
                elif scored.schema != schema:
                    raise BadInput("Its columns are not those of the part before.", "Score it alone.", safe(part))
                writer.write_table(scored)
                self.rows += scored.num_rows
                self.tell((self.before + share * size) / self.bytes)
            self.before += size
        if writer is None:
            raise BadInput("The file has no rows.", "Check the path.", safe(parts[0]))
        writer.close()

    def tell(self, share: float) -> None:
        """Say how far it is."""
        seconds = (monotonic_s() - self.started) * (1 - share) / max(share, 1e-9)
        left = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
        self.progress(min(1.0, share), f"{self.rows:,} rows scored, about {left} left")


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
        answers["label"] = pa.array(class_names(signature)).take(pa.array(class_places(scores, signature)))
    for name, values in answers.items():
        if name in table.column_names:
            raise BadInput(f"The file has a column {safe(name)} already.", "Rename it.", safe(name))
        table = table.append_column(name, pa.array(values))
    return table


def class_names(signature: Signature) -> list[str]:
    """Return the names of a model's classes; of a binary one without names they are 0 and 1."""
    return signature.classes if signature.task == "multiclass" or len(signature.classes) == 2 else ["0", "1"]


def class_places(scores: NDArray[np.float64], signature: Signature) -> NDArray[np.int64]:
    """Return the place of each row's class, as `protocol.labels_of` chooses it."""
    if signature.task == "binary":
        return (scores[:, 0] >= signature.threshold).astype(np.int64)
    return scores.argmax(axis=1)
