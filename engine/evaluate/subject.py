"""What is evaluated: a run's model, its signature, and the rows of its dataset version."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.split import Part
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.evaluate.results import PARTS
from lemnis.engine.experiments.predictions import predicted, row_times
from lemnis.engine.features.matrix import target_vector
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import Model, load_model
from lemnis.engine.store import Store

Values = NDArray[np.float64]
DAY_MS = 86_400_000
SEED = 1
Table = Any  # a pyarrow Table


class Subject(Struct, frozen=True, kw_only=True):
    """A trained model and the version it is measured on.

    Attributes:
        model: From a file whose hash was right.
    """

    run_id: int
    model: Model
    signature: Signature
    version: Version
    path: Path
    load_ms: float

    @property
    def columns(self) -> list[str]:
        """The columns that are read: features, target, time and keys."""
        time = [self.version.time] if self.version.time else []
        return list(dict.fromkeys([*self.signature.names, self.signature.target, *time, *self.version.keys]))


def open_subject(store: Store, run_id: int) -> Subject:
    """Load a finished run's model, its hash checked, with its signature and version.

    Raises:
        NotFound: There is no such run, or its files are gone.
        BadInput: The run has no model (yet).
    """
    row = store.row("select state, why, model_sha256, version_id from runs where id = ?", [run_id])
    if row is None:
        raise NotFound(f"There is no run {run_id}.", "List them with `lemnis runs list`.")
    if not row["model_sha256"] or not row["version_id"]:
        raise BadInput(
            f"Run {run_id} has no model: it is {row['state']} ({row['why']}).",
            "Evaluate a finished training of Lemnis.",
            f"run {run_id}",
        )
    folder = store.workspace.run_dir(run_id)
    signature = Signature.load(folder / "signature.json")
    import_module("lightgbm")  # loading the library is no part of loading the model
    started = monotonic_s()
    model = load_model(folder / "model.txt", row["model_sha256"])
    load_ms = (monotonic_s() - started) * 1000
    if model.num_feature() != len(signature.features):
        raise BadInput(f"The model of run {run_id} does not fit its signature.", "Train the run again.", str(folder))
    return Subject(
        run_id=run_id,
        model=model,
        signature=signature,
        version=find_version(store, row["version_id"]),
        path=folder / "model.txt",
        load_ms=load_ms,
    )


def read_rows(subject: Subject, part: str | None = None) -> Table:
    """Return the columns that evaluating needs, of one part or of all rows, in the version's order."""
    return read_table(subject.version, subject.columns, part)


def predict(subject: Subject, rows: Table, *, threads: int) -> Values:
    """Return the model's scores: probability of the positive class or number, shape (n,); or (n, classes)."""
    return predicted(subject.model, subject.signature, rows, threads=threads)


def targets(subject: Subject, rows: Table) -> Values:
    """Return the target, NaN where it is missing, shape (n,)."""
    return target_vector(rows, subject.signature)


def times(subject: Subject, rows: Table) -> NDArray[np.int64] | None:
    """Return each row's time in epoch ms, None without a time column."""
    return row_times(subject.version, rows)


def part_members(
    subject: Subject, known: NDArray[np.bool_], time: NDArray[np.int64] | None
) -> tuple[dict[str, NDArray[np.int64]], dict[str, Part]]:
    """Return the rows of each part that have a target, and the parts' spans; without a split all are ``test``.

    Args:
        subject: The model and its version.
        known: Which rows have a target, shape (n,).
        time: Their times in epoch ms.

    Raises:
        BadInput: No row of any part has a target.
    """
    spans = {part: subject.version.split[part] for part in PARTS if part in subject.version.split}
    if time is None or not spans:
        spans, members = {}, {"test": np.flatnonzero(known)}
    else:
        members = {p: np.flatnonzero(known & (time >= s.start) & (time < s.end)) for p, s in spans.items()}
    members = {part: places for part, places in members.items() if places.size}
    if not members:
        raise BadInput(f"{subject.version.title} has no rows with a target to evaluate.", "Check target and split.")
    return members, spans


def held_out(subject: Subject) -> tuple[str, Table, NDArray[np.int64]]:
    """Return the last part that has rows with a target: its name, those rows, and their numbers in the version.

    Raises:
        BadInput: There is none.
    """
    rows = read_rows(subject)
    members, _ = part_members(subject, ~np.isnan(targets(subject, rows)), times(subject, rows))
    part, places = list(members.items())[-1]
    return part, rows.take(pa.array(places)), places


def thinned(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return a seeded sample of row numbers, in order."""
    if places.size <= most:
        return places
    return np.sort(np.random.default_rng(SEED).choice(places, most, replace=False))


def some(rows: Table, most: int) -> Table:
    """Return a seeded sample of rows."""
    everything = np.arange(int(rows.num_rows), dtype=np.int64)
    return rows.take(pa.array(thinned(everything, most)))


def months_of(time: NDArray[np.int64]) -> list[str]:
    """Return each row's calendar month in UTC as ``2013-07``."""
    return time.astype("datetime64[ms]").astype("datetime64[M]").astype(str).tolist()


def row_keys(version: Version, rows: Table, numbers: NDArray[np.int64]) -> list[str]:
    """Return the key of each row: its key columns joined by ``|``, else # and its number in the version."""
    if not version.keys:
        return [f"#{number}" for number in numbers]
    texts = [rows.column(name).cast(pa.string()).to_pylist() for name in version.keys]
    return ["|".join(str(part) for part in parts) for parts in zip(*texts, strict=True)]


def find_row(subject: Subject, key: str) -> tuple[Table, int]:
    """Return one row of the version by its key or by # and its number, and that number.

    Raises:
        NotFound: No row has this key.
    """
    version = subject.version
    rows: Table = read_table(version, subject.columns)
    if key.startswith("#") and key[1:].isdecimal() and int(key[1:]) < rows.num_rows:
        return rows.slice(int(key[1:]), 1), int(key[1:])
    if version.keys:
        texts = [rows.column(name).cast(pa.string()).fill_null("None") for name in version.keys]
        joined: Any = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "|")
        place = int(pc.index(joined, key).as_py())
        if place >= 0:
            return rows.slice(place, 1), place
    named = " | ".join(version.keys) or "none, so give # and the row's number"
    raise NotFound(f"{version.title} has no row with the key {key!r}.", f"Key columns: {named}.", version.title)
