"""Data: two versions compared by key against one full outer join written by hand in DuckDB.

Each line is one figure as JSON; `python tests/bench/bench_diff.py [ROWS]`. Both take the same Parquet files with as
many threads; a ratio is the median of the turns' own ratios, above 1 where ours takes longer. The join counts rows
added, removed and changed and the changed cells of each column, no more; ours is the whole job: it also measures means,
missing values, PSI and codes, and keeps which rows differ. Pages are the first and a later one of a changed column.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.data.diff import Listing
from lemnis.engine.data.diff.jobs import diff
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

TURNS, THREADS, SEED, ROWS = 3, 2, 1, 1_000_000
NUMBERS, TEXTS = 10, 4
EDITED, MOVED = 0.02, 0.01  # shares of cells edited in half of the columns, and of rows that came and went


def say(**figure: object) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    """Print every figure."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        engine = Engine(create_workspace(Path(folder) / "w", '[problem]\ntitle = "Diff"\n'))
        before, after = generated(rows)
        first = kept(engine, before)
        compare(engine, "rows in one order", first, kept(engine, after))
        order = np.random.default_rng(SEED).permutation(after.num_rows)
        compare(engine, "rows shuffled", first, kept(engine, after.take(order)))
        engine.store.close()
    return 0


def kept(engine: Engine, table: pa.Table) -> Version:
    return record_version(engine.store, table, name="generated", roles={"id": "key"}, split={})


def generated(rows: int) -> tuple[pa.Table, pa.Table]:
    """Return numbers and categories by an id, and the same with cells edited and rows that came and went."""
    random = np.random.default_rng(SEED)
    before: dict[str, Any] = {"id": np.arange(rows)}
    after: dict[str, Any] = {"id": np.arange(rows)}
    words = [np.array([f"word {number}" for number in range(10 ** (place % 3 + 1))]) for place in range(TEXTS)]
    for place in range(NUMBERS + TEXTS):
        name = f"c{place}"
        text = words[place - NUMBERS] if place >= NUMBERS else None
        values = random.normal(size=rows) if text is None else text[random.integers(0, len(text), rows)]
        edited = values.copy()
        if place % 2:
            hit = random.random(rows) < EDITED
            edited[hit] = edited[hit] + 1 if text is None else text[0]
        before[name], after[name] = values, edited
    gone = int(rows * MOVED)
    later = pa.table(after).slice(gone)
    extra = later.slice(0, gone).set_column(0, "id", pa.array(np.arange(rows, rows + gone)))
    return pa.table(before), pa.concat_tables([later, extra]).combine_chunks()


def compare(engine: Engine, what: str, before: Version, after: Version) -> None:
    """Compare with each in turn, and print the ratios."""
    context = JobContext.for_test(engine.store, cores=THREADS)
    arguments = {"before": before.id, "after": after.id, "key": ["id"]}
    ways: dict[str, Callable[[], float]] = {
        "lemnis": lambda: timed(lambda: diff(context, arguments)),
        "join": lambda: timed(lambda: full_join(before, after)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            taken[name].append(way())
    found = engine.data.diffs.find(before, after, ["id"])
    assert found is not None
    counts = full_join(before, after)
    assert (found.added, found.removed, found.changed) == counts[:3], "both must say the same"
    column = max(found.columns, key=lambda one: one.changed)
    listing = Listing(column=column.name)

    def page(offset: int) -> float:
        return timed(lambda: engine.data.diffs.rows(found, listing, offset, 200))

    pages = [page(0), page(column.changed // 2)]
    say(
        what=f"diff of {before.rows:,} × {len(before.columns)}, {what}: {found.changed:,} rows changed",
        threads=THREADS,
        **{f"{name}_seconds": round(statistics.median(times), 3) for name, times in taken.items()},
        ratio_to_join=round(statistics.median(a / b for a, b in zip(taken["lemnis"], taken["join"], strict=True)), 3),
        page_seconds=[round(seconds, 3) for seconds in pages],
    )


def full_join(before: Version, after: Version) -> tuple[int, ...]:
    """Return rows added, removed and changed, and the changed cells of each column."""
    names = [column.name for column in before.columns if column.name != "id"]
    changed = [f"(b.{name} is distinct from a.{name})" for name in names]
    both = "b.id is not null and a.id is not null"
    cells = ", ".join(f"count(*) filter ({both} and {one})" for one in changed)
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("set enable_progress_bar = false")
        return connection.execute(
            f"""select count(*) filter (b.id is null), count(*) filter (a.id is null),
                count(*) filter ({both} and ({" or ".join(changed)})), {cells}
                from read_parquet(?) b full join read_parquet(?) a on b.id is not distinct from a.id""",
            [str(before.file), str(after.file)],
        ).fetchall()[0]


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
