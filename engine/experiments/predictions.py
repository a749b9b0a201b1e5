"""What a run's model answers on the held-out rows of its data: scored once, kept as Parquet beside the model.

The file is `predictions.parquet` in the run's folder: at most MOST_ROWS rows of each part, some five to ten bytes each.
It is made of the model and the dataset version alone, so a lost one is made again. Rows of two runs are the same when
their `rows_sha256` is: it covers which rows were scored (by key) and their true answers, so versions that differ in
other columns only can still be compared.
"""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, NotFound, StoreError
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import write_atomic
from lemnis.engine.models.files import Model
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlite_utils import Database

FILE = "predictions.parquet"
HELD_OUT = ("validation", "test")
MOST_ROWS = 200_000  # of a part; of a larger one the same sample for every run
MOST_BYTES = 1 << 30  # of a file of elsewhere, once it is read
CHUNK = 65_536  # rows encoded and predicted at once; bounds memory
SEED = 1
Table = Any  # a pyarrow Table


class HeldOut(Struct, frozen=True, kw_only=True):
    """The rows of one part that were scored: how many, of how many with a target, and their fingerprint."""

    rows: int
    of: int
    rows_sha256: str


class Gain(Struct, frozen=True, kw_only=True):
    """What a feature did in training: summed gain of its splits, and how many; of a linear model its variance."""

    feature: str
    gain: float
    splits: int


class Kept(Struct, frozen=True, kw_only=True):
    """The predictions of a run that are on disk, and what its model's features gained.

    Attributes:
        sha256: Of the file.
        model_sha256: Of the model that answered.
        parts: By name: validation, test.
    """

    run_id: int
    sha256: str
    model_sha256: str
    bytes: int
    parts: dict[str, HeldOut]
    gains: list[Gain]
    at: int


class Predictions(Struct, frozen=True, kw_only=True):
    """Scored rows of one part, in the version's order.

    Attributes:
        target: 0 or 1, the class's place, or the number, shape (n,).
        score: Of the positive class, or the number, shape (n,); of each class, shape (n, classes).
        time: Epoch ms, shape (n,); None without a time column.
    """

    target: "NDArray[np.float64]"
    score: "NDArray[np.float64]"
    time: "NDArray[np.int64] | None"


def predicted(model: Model, signature: Signature, rows: Table, *, threads: int) -> "NDArray[np.float64]":
    """Return a model's scores: probability of the positive class or number, shape (n,); or (n, classes)."""
    import numpy as np

    from lemnis.engine.features.matrix import encode_table

    scores = [
        np.asarray(model.predict(encode_table(rows.slice(start, CHUNK), signature), num_threads=threads))
        for start in range(0, rows.num_rows, CHUNK)
    ]
    return np.concatenate(scores) if scores else np.zeros(0)


def row_times(version: Version, rows: Table) -> "NDArray[np.int64] | None":
    """Return each row's time in epoch ms, None without a time column."""
    if not version.time:
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    stamps: Any = pc.cast(rows.column(version.time), pa.timestamp("ms"), safe=False)
    return stamps.cast(pa.int64()).fill_null(0).to_numpy()


def keep_predictions(
    store: Store, run_id: int, model: Model, signature: Signature, version: Version, *, threads: int = 1
) -> Kept:
    """Score the held-out rows of a version by a run's model, keep them, and return what is kept.

    A part without a row that has a target is left out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[str, HeldOut] = {}
    tables: list[Table] = []
    for part in HELD_OUT:
        if part in version.split:
            made, found = scored_part(model, signature, version, part, threads=threads)
            if found.rows:
                tables.append(made)
                parts[part] = found
    content = b""
    if tables:
        buffer = io.BytesIO()
        pq.write_table(pa.concat_tables(tables), buffer, compression="zstd")
        content = buffer.getvalue()
        folder = store.workspace.run_dir(run_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(folder / FILE, content, mode=0o400)
    kept = Kept(
        run_id=run_id,
        sha256=hashlib.sha256(content).hexdigest(),
        model_sha256=str(store.value("select model_sha256 from runs where id = ?", [run_id])),
        bytes=len(content),
        parts=parts,
        gains=gains_of(model, signature),
        at=now_ms(),
    )
    with store.write() as db:
        note_predictions(db, kept)
    return kept


def note_predictions(db: "Database", kept: Kept) -> None:
    """Write down what is kept of a run's predictions, in place of what was."""
    row = msgspec.structs.asdict(kept)
    row |= {name: msgspec.json.encode(row[name]).decode() for name in ("parts", "gains")}
    db.table("run_predictions").insert(row, replace=True)


def scored_part(
    model: Model, signature: Signature, version: Version, part: str, *, threads: int
) -> tuple[Table, HeldOut]:
    """Return the scored rows of one part as a table of part, place, time, target and scores, and what they are."""
    import numpy as np
    import pyarrow as pa

    from lemnis.engine.features.matrix import target_vector

    time = [version.time] if version.time else []
    columns = list(dict.fromkeys([*signature.names, signature.target, *time, *version.keys]))
    rows: Table = read_table(version, columns, part)
    target = target_vector(rows, signature)
    places = np.flatnonzero(~np.isnan(target))
    of = places.size
    if of > MOST_ROWS:
        places = np.sort(np.random.default_rng(SEED).choice(places, MOST_ROWS, replace=False))
    rows, target = rows.take(pa.array(places)), target[places]
    score = predicted(model, signature, rows, threads=threads).astype(np.float32)
    times = row_times(version, rows)
    scores = score.T if score.ndim == 2 else [score]
    table = pa.table(
        {
            "part": pa.array([part] * places.size, pa.string()),
            "place": pa.array(places, pa.int32()),
            "time": pa.array(times, pa.int64()) if times is not None else pa.nulls(places.size, pa.int64()),
            "target": target,
            **{f"score_{number}": one for number, one in enumerate(scores)},
        }
    )
    return table, HeldOut(rows=places.size, of=of, rows_sha256=fingerprint(version, signature, rows, places, target))


def fingerprint(version: Version, signature: Signature, rows: Table, places: Any, target: Any) -> str:
    """Return a hash of which rows these are and of their true answers. Any: NumPy arrays.

    A row is known by its key columns, or, in a version without any, by the version and its place in the part.
    """
    import pyarrow as pa

    found = hashlib.sha256(msgspec.json.encode([signature.task, signature.target, signature.classes]))
    if version.keys:
        for name in version.keys:
            found.update(name.encode() + b"\0")
            found.update("\0".join(rows.column(name).cast(pa.string()).fill_null("\1").to_pylist()).encode())
    else:
        found.update(version.id.encode() + places.tobytes())
    found.update(target.tobytes())
    return found.hexdigest()


def gains_of(model: Model, signature: Signature) -> list[Gain]:
    """Return what each feature gained in training, largest first."""
    gain, splits = model.feature_importance("gain"), model.feature_importance("split")
    found = [
        Gain(feature=name, gain=float(gained), splits=int(count))
        for name, gained, count in zip(signature.names, gain, splits, strict=True)
    ]
    return sorted(found, key=lambda one: -one.gain)


def kept_predictions(store: Store, run_ids: Sequence[int]) -> dict[int, Kept]:
    """Return the kept predictions of those runs that have some by the model they have now."""
    marks = ", ".join("?" * len(run_ids))
    rows = store.rows(
        f"""select p.* from run_predictions p join runs r on r.id = p.run_id and r.model_sha256 = p.model_sha256
            where p.run_id in ({marks})""",
        list(run_ids),
    )
    found: dict[int, Kept] = {}
    for row in rows:
        values = dict(row)
        values["parts"] = msgspec.json.decode(row["parts"], type=dict[str, HeldOut])
        values["gains"] = msgspec.json.decode(row["gains"], type=list[Gain])
        found[row["run_id"]] = Kept(**values)
    return found


def check_predictions(path: Path, parts: dict[str, HeldOut]) -> None:
    """Look whether a file of elsewhere holds predictions as `keep_predictions` writes them, of these parts' rows.

    Raises:
        BadInput: It does not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    plain = {"part": pa.string(), "place": pa.int32(), "time": pa.int64(), "target": pa.float64()}
    rows = sum(part.rows for part in parts.values())
    remedy = "Ask for it to be pushed or exported again."
    try:
        facts: Any = pq.read_metadata(path)
        size = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
        schema: Any = facts.schema.to_arrow_schema()
        scores = {f"score_{number}": pa.float32() for number in range(len(schema.names) - len(plain))}
        fits = schema.equals(pa.schema(plain | scores)) and scores and size <= MOST_BYTES and facts.num_rows == rows
        table: Table = pq.read_table(path) if fits else None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"Predictions can't be read: {safe(error, limit=120)}.", remedy, str(path)) from None
    if not fits or not parts or any(part not in HELD_OUT or one.rows > MOST_ROWS for part, one in parts.items()):
        raise BadInput("A file of predictions holds something else.", remedy, str(path))
    found = {part: pc.sum(pc.equal(table.column("part"), part)).as_py() for part in parts}
    numbers = [table.column(name) for name in ("target", *scores)]
    if found != {part: one.rows for part, one in parts.items()} or any(
        column.null_count or not pc.all(pc.is_finite(column)).as_py() for column in numbers
    ):
        raise BadInput("A file of predictions is not of the rows that its run tells of.", remedy, str(path))


def load_predictions(store: Store, kept: Kept, part: str) -> Predictions:
    """Return the predictions of one part, after the file's hash was found right.

    Raises:
        NotFound: The file is gone, or has no rows of this part.
        StoreError: The file is not the one that was written.
    """
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = store.workspace.run_dir(kept.run_id) / FILE
    try:
        content = path.read_bytes()
    except OSError:
        raise NotFound(f"The predictions of run {kept.run_id} are missing.", "Compare it again.", str(path)) from None
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise StoreError(f"The predictions of run {kept.run_id} were changed.", "Compare it again.", str(path))
    table: Table = pq.read_table(io.BytesIO(content), filters=pc.field("part") == part)
    if not table.num_rows:
        raise NotFound(f"Run {kept.run_id} was not scored on {part} rows.", "Give the split such a part.", str(path))
    names = [name for name in table.column_names if name.startswith("score_")]
    scores = [table.column(name).to_numpy().astype(np.float64) for name in names]
    timed = table.column("time").null_count == 0
    return Predictions(
        target=table.column("target").to_numpy(),
        score=scores[0] if len(scores) == 1 else np.column_stack(scores),
        time=table.column("time").to_numpy() if timed else None,
    )
