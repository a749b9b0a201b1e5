"""Explore: the exact profile against one NumPy sort per column, DuckDB's SUMMARIZE and ydata-profiling.

Each line is one figure as JSON. All run in turn on the same Parquet file with as many threads; a ratio is the median of
the turns' own ratios, above 1 where ours takes longer. Ours is the whole job: it reads the file, begins with a sample
where the table is large, looks for outliers, spellings, gaps and what is missing together, and keeps it all in the
workspace. The floor and SUMMARIZE read the file too; ydata-profiling is spared reading it and its imports.

``--rows 10000000`` measures the generated table at another length instead, made once below build/bench. ydata-profiling
is left out there, for its time: it took 6 to 8 times ours at a million rows; ``--ydata`` takes it in.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from large_table import engine_with

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version
from lemnis.engine.demo import open_demo
from lemnis.engine.explore.jobs import profile
from lemnis.engine.jobs.context import JobContext

TURNS, THREADS, ROWS = 3, 2, 1_000_000
HERE = Path(__file__).parent
PEER = HERE.parents[1] / "build/peers/ydata_profiling/bin/python"


def say(**figure: object) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, help="Only the generated table, of so many rows.")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--ydata", action="store_true", help="Also ydata-profiling, whatever the rows.")
    options = parser.parse_args()
    if options.rows:
        engine = engine_with(Path(__file__).parents[2] / "build" / "bench", options.rows)
        compare(engine, engine.data.version(), options.turns, ydata=options.ydata)
        engine.store.close()
        return 0
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        engine = open_demo(Path(folder) / "flights")
        for start in (engine.data.start_sync, engine.data.start_link):
            engine.jobs.wait(start())
        engine.jobs.stop_supervisor()
        compare(engine, engine.data.version(), options.turns)
        engine.store.close()
        engine = engine_with(Path(folder), ROWS)
        compare(engine, engine.data.version(), options.turns)
        engine.store.close()
    return 0


def compare(engine: Engine, version: Version, turns: int, *, ydata: bool = True) -> None:
    """Profile one version with each in turn, and print the ratios."""
    context = JobContext.for_test(engine.store, cores=THREADS)
    path = version.file
    ways: dict[str, Callable[[], float]] = {
        "lemnis": lambda: timed(lambda: profile(context, {"version": version.id, "again": True})),
        "sort": lambda: timed(lambda: sort_columns(path)),
        "summarize": lambda: timed(lambda: summarize(path)),
        **({"ydata_profiling": lambda: ydata_profiling(path)} if ydata else {}),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            taken[name].append(way())
    ours = taken["lemnis"]
    say(
        what=f"exact profile of {version.name}, {version.rows:,} rows × {len(version.columns)} columns",
        threads=THREADS,
        **{f"{name}_seconds": round(statistics.median(times), 3) for name, times in taken.items()},
        **{
            f"ratio_to_{name}": round(statistics.median(a / b for a, b in zip(ours, times, strict=True)), 3)
            for name, times in taken.items()
            if name != "lemnis"
        },
    )


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def sort_columns(path: Path) -> None:
    """Do what an exact profile can't do without: sort each number, count each other value."""
    table = pq.read_table(path)

    def measure(name: str) -> None:
        column = table.column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            counts = pc.value_counts(column).field(1).to_numpy()
            np.argsort(counts)[::-1][:20]
            return
        values = column.drop_null().to_numpy()
        ordered = np.sort(values[~np.isnan(values)] if values.dtype.kind == "f" else values)
        if not len(ordered):
            return
        np.count_nonzero(ordered[1:] != ordered[:-1])
        ordered[np.linspace(0, len(ordered) - 1, 101).astype(int)]
        _ = ordered.mean(), ordered.std()
        np.searchsorted(ordered, np.linspace(float(ordered[0]), float(ordered[-1]), 21), "right")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(measure, table.column_names))


def summarize(path: Path) -> None:
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("summarize select * from read_parquet(?)", [str(path)]).fetchall()


def ydata_profiling(path: Path) -> float:
    """Return the seconds that the peer's own process took for its report."""
    said = subprocess.run([PEER, HERE / "peer_profile.py", path], capture_output=True, text=True, check=True)
    return float(json.loads(said.stdout.splitlines()[-1])["seconds"])


if __name__ == "__main__":
    raise SystemExit(main())
