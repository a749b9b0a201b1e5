"""Training–serving skew: served rows whose key is in a dataset version, read and scored again as training would."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import LemnisError
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.monitor.skew.records import Apart, Pair, Paired
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.data.versions import Version

NEWEST = 5_000  # logged rows with a key that are looked at
CLOSE = 1e-6  # relative, or absolute below 1: a smaller difference is none
Values = NDArray[np.float64]


class Compared(msgspec.Struct, frozen=True):
    """The same rows twice: as they were logged, and as a dataset version has them."""

    keys: list[str]
    served: list[list[Any]]  # Any: what a request held
    scores: Values
    table: Any  # Any: an Arrow table, of the features in the signature's order and the groups


def compare_paired(store: Store, key: list[object], groups: Sequence[str]) -> tuple[Paired, "Compared | None"]:
    """Return how served rows differ from the newest version of the model's dataset, and the rows themselves.

    Args:
        store: The workspace's state.
        key: Endpoint, model and version.
        groups: Declared group columns; they are read too where the dataset has them.

    Raises:
        StoreError: The model's file is not the one that was registered.
    """
    logged = store.rows(
        """select row_key, features, score, answer from predictions
           where endpoint = ? and version = ? and row_key != '' order by event_at desc limit ?""",
        [key[0], key[2], NEWEST],
        name="predictions",
    )
    if not logged:
        return Paired(why="No logged row has a key: clients send `keys` with their rows to make them comparable."), None
    row = store.row(
        """select m.path, m.sha256, m.signature, r.version_id from model_versions m join runs r on r.id = m.run_id
           where m.model = ? and m.version = ?""",
        key[1:],
    )
    if row is None or row["version_id"] is None:
        return Paired(looked=len(logged), why="The model was not registered with a dataset version."), None
    signature = msgspec.json.decode(row["signature"], type=Signature)
    try:
        version = newest_of(store, row["version_id"])
        if not version.keys:
            return Paired(dataset=version.title, looked=len(logged), why=f"{version.title} has no key column."), None
        pairs = paired_rows(version, logged, signature, groups)
    except LemnisError as error:
        return Paired(looked=len(logged), why=error.problem), None
    if not pairs.keys:
        why = (
            f"No key of the newest {len(logged):,} logged rows is in {version.title}: link newer rows to compare them."
        )
        return Paired(dataset=version.title, looked=len(logged), why=why), None
    found = differing(pairs, signature, rescored(store, row, signature, pairs))
    return msgspec.structs.replace(found, dataset=version.title, looked=len(logged)), pairs


def newest_of(store: Store, version_id: str) -> "Version":
    """Return the newest version of the dataset that a model learnt from: the one most likely to hold served rows."""
    from lemnis.engine.data.versions import find_version, list_versions

    learnt = find_version(store, version_id)
    return next(iter(list_versions(store, learnt.name)), learnt)


def paired_rows(version: "Version", logged: Sequence[Row], signature: Signature, groups: Sequence[str]) -> Compared:
    """Return the logged rows whose key a version has, beside its rows, in the order of the log.

    Raises:
        NotFound: The version lacks a feature.
        Unavailable, Damaged: Its file is gone or holds something else.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    named = {version.column(name).name for name in [*signature.names, *version.keys]}
    groups = [name for name in groups if any(column.name == name for column in version.columns)]
    rows = {row["row_key"]: row for row in reversed(logged)}  # of a key that came twice the newest
    file = pq.ParquetFile(version.file)
    first: dict[str, tuple[int, int]] = {}
    for group in range(file.num_row_groups):
        keys = joined_keys(file.read_row_group(group, columns=version.keys), version.keys)
        held = np.flatnonzero(pc.is_in(keys, value_set=pa.array(list(rows), pa.string())).to_numpy())
        for place, key in zip(held.tolist(), keys.take(pa.array(held)).to_pylist(), strict=True):
            first.setdefault(key, (group, place))
    columns = list(dict.fromkeys([*named, *groups]))
    parts: list[pa.Table] = []
    chosen: list[str] = []
    for group in sorted({group for group, _ in first.values()}):
        inside = [(key, place) for key, (found, place) in first.items() if found == group]
        chosen += [key for key, _ in inside]
        places = pa.array([place for _, place in inside], pa.int64())
        parts.append(file.read_row_group(group, columns=columns).take(places))
    if not parts:
        return Compared(keys=[], served=[], scores=np.empty(0), table=None)
    table = pa.concat_tables(parts)
    decoded = msgspec.json.decode("[" + ",".join(rows[key]["features"] for key in chosen) + "]", type=list[list[Any]])
    scores = np.array([np.nan if rows[key]["score"] is None else rows[key]["score"] for key in chosen], np.float64)
    whole = [place for place, values in enumerate(decoded) if len(values) == len(signature.names)]
    return Compared(
        keys=[chosen[place] for place in whole],
        served=[decoded[place] for place in whole],
        scores=scores[whole],
        table=table.take(pa.array(whole, pa.int64())),
    )


def joined_keys(table: "pa.Table", names: Sequence[str]) -> "pa.ChunkedArray":
    """Return the key of each row, written as a replay writes it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [table.column(name).cast(pa.string()) for name in names]
    options = {"null_handling": "replace", "null_replacement": "None"}
    return pc.binary_join_element_wise(*texts, "|", **options) if len(texts) > 1 else pc.fill_null(texts[0], "None")


def rescored(store: Store, row: Row, signature: Signature, pairs: Compared) -> Values:
    """Return the model's scores of the dataset's rows, as the log keeps them."""
    from lemnis.engine.features.matrix import encode_table
    from lemnis.engine.models.files import load_model

    trained = load_model(store.workspace.hidden / row["path"], row["sha256"])
    said = trained.predict(encode_table(pairs.table, signature), num_threads=1)
    scores = signature.answers(np.asarray(said, dtype=np.float64))
    return scores.max(axis=1) if scores.ndim == 2 else scores


def differing(pairs: Compared, signature: Signature, scores: Values) -> Paired:
    """Return which rows differ in which features and in the score.

    Args:
        pairs: The same rows twice.
        signature: Says the features, in the order of the served values.
        scores: Of the dataset's rows, by the model, shape (rows,).
    """
    anywhere = np.zeros(len(pairs.keys), dtype=bool)
    features: list[Apart] = []
    for place, feature in enumerate(signature.features):
        served = [values[place] for values in pairs.served]
        trained = pairs.table.column(feature.name).to_pylist()
        apart = apart_in(feature, served, trained)
        anywhere |= apart
        if apart.any():
            features.append(told(feature.name, pairs.keys, apart, served, trained))
    off = ~close(pairs.scores, scores)
    return Paired(
        rows=len(pairs.keys),
        rows_apart=int(anywhere.sum()),
        scores=told("score", pairs.keys, off, pairs.scores.tolist(), scores.tolist()),
        unexplained=int((off & ~anywhere).sum()),
        features=sorted(features, key=lambda one: (-one.differ, one.name)),
    )


# Any below: values of a request, and of an Arrow column.
def apart_in(feature: Feature, served: Sequence[Any], trained: Sequence[Any]) -> NDArray[np.bool_]:
    """Return in which rows a feature differs; numbers by more than CLOSE."""
    if feature.kind == "numeric" and not feature.logical:
        return ~close(*(np.array([as_number(value) for value in values]) for values in (served, trained)))
    return np.array([one != other for one, other in zip(served, trained, strict=True)], dtype=bool)


def as_number(value: Any) -> float:
    """Return a value as a number, NaN where it is none."""
    try:
        return float("nan") if value is None else float(value)
    except (TypeError, ValueError):
        return float("nan")


def close(one: Values, other: Values) -> NDArray[np.bool_]:
    """Return where two lists of numbers agree; both missing is agreement."""
    return np.isclose(one, other, rtol=CLOSE, atol=CLOSE, equal_nan=True)


def told(
    name: str, keys: Sequence[str], apart: NDArray[np.bool_], served: Sequence[Any], trained: Sequence[Any]
) -> Apart:
    """Return how many rows differ, with the pair that differs most, or the first one where nothing is measured."""
    where: list[int] = np.flatnonzero(apart).tolist()
    if not where:
        return Apart(name=name, differ=0)
    gaps = np.array([abs(as_number(served[place]) - as_number(trained[place])) for place in where])
    measured = bool(np.isfinite(gaps).any())
    gaps[~np.isfinite(gaps)] = np.nan
    place = where[int(np.nanargmax(gaps))] if measured else where[0]
    pair = Pair(key=keys[place], served=shown(served[place]), trained=shown(trained[place]))
    return Apart(name=name, differ=len(where), largest=float(np.nanmax(gaps)) if measured else None, example=pair)


def shown(value: Any) -> str:
    """Return a value as a person reads it; a missing one as a dash."""
    if value is None or value != value:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else safe(value, limit=40)
