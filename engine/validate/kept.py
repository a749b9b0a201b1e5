"""The identities of failing rows, kept a file a run, and what they tell against the run before."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.errors import LemnisError
from lemnis.engine.explore.sandbox import Limits, ask
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.files import write_atomic
from lemnis.engine.store import Store
from lemnis.engine.validate.identity import KEPT, identifying, identities_sql
from lemnis.engine.validate.questions import Questions
from lemnis.engine.validate.records import COUNTING, CheckResult, Compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.uint64]

RUNS_KEPT = 100  # files; older runs keep their verdicts, counts and first rows
BY = b"lemnis.by"  # metadata of the file: what identifies the rows of each check


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Identities of failing rows by check, sorted, at most KEPT of each; `by` names what identifies a row."""

    ids: "Mapping[str, Ids]"
    by: Mapping[str, list[str]]


def collect(
    results: Sequence[CheckResult],
    questions: Questions,
    views: Mapping[str, Path],
    keys: Mapping[str, list[str]],
    *,
    threads: int = 1,
) -> Kept:
    """Return the identities of the rows that fail each check of a run; those of a typed query come from the sandbox."""
    ids: dict[str, Ids] = {}
    by: dict[str, list[str]] = {}
    for result in results:
        if result.listable and result.sample.columns:
            columns = identifying(result.sample.columns, keys.get(result.source, []))
            sql = identities_sql(result.sql, columns)
            try:
                if result.typed:
                    table = ask([Statement(sql=sql, typed=result.sql)], views, Limits(threads=threads))[0].table
                else:
                    table = questions.table(sql)
            except LemnisError:
                continue  # the verdict stands; such a check is not compared
            ids[result.name], by[result.name] = table.column("id").to_numpy(), columns
        elif result.failing == 0 and result.kind not in COUNTING:
            ids[result.name], by[result.name] = _none(), []
    return Kept(ids=ids, by=by)


def compare(now: Kept, before: Kept, run: int) -> dict[str, Compared]:
    """Return for each check that both runs know which of its failing rows are new, persist and are fixed."""
    import numpy as np

    found: dict[str, Compared] = {}
    for name, ours in now.ids.items():
        theirs = before.ids.get(name)
        if theirs is None or not (len(ours) or len(theirs)):
            continue
        by, by_before = now.by[name] or before.by[name], before.by[name] or now.by[name]
        if by != by_before:
            continue  # other columns identify a row now
        whole = len(ours) < KEPT and len(theirs) < KEPT
        if not whole:  # both are samples by the smallest hash: what lies below both ends is comparable
            end = min(ids[-1] for ids in (ours, theirs) if len(ids) >= KEPT)
            ours, theirs = ours[ours <= end], theirs[theirs <= end]
        both = len(np.intersect1d(ours, theirs, assume_unique=True))
        found[name] = Compared(
            run=run, new=len(ours) - both, persisting=both, fixed=len(theirs) - both, whole=whole, by=by
        )
    return found


def kept_path(store: Store, name: str) -> Path:
    """Return where a file of identities lies."""
    return store.workspace.hidden / "failures" / name


def save(store: Store, name: str, kept: Kept) -> None:
    """Write the identities of a run to a file of this name, whole or not at all, and remove the oldest files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pa.array([check for check, ids in kept.ids.items() for _ in range(len(ids))], pa.string())
    ids = pa.chunked_array([pa.array(ids) for ids in kept.ids.values()], pa.uint64())
    table = pa.table({"check": names.dictionary_encode(), "id": ids})
    table = table.replace_schema_metadata({BY: msgspec.json.encode(kept.by)})
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    path = kept_path(store, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomic(path, out.getvalue().to_pybytes())
    files = sorted(path.parent.glob("*.parquet"), key=lambda each: each.stat().st_mtime)
    for old in files[:-RUNS_KEPT]:
        old.unlink(missing_ok=True)


def load(store: Store, name: str) -> Kept | None:
    """Return the identities of a run; None when its file is gone or can't be read."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = kept_path(store, name)
    if not name or not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        by = msgspec.json.decode((table.schema.metadata or {})[BY], type=dict[str, list[str]])
    except (pa.ArrowInvalid, OSError, KeyError, msgspec.DecodeError):
        return None
    checks = table.column("check").cast(pa.string())
    ids = {check: table.filter(pc.equal(checks, check)).column("id").to_numpy() for check in by}
    return Kept(ids=ids, by=by)


def _none() -> "Ids":
    import numpy as np

    return np.empty(0, np.uint64)
