"""Tracking against MLflow (its SQLite store, and its server), Optuna's SQLite storage and Trackio, and against SQLite.

Each line is one figure as JSON: points in bulk and one by one, new runs, a search, ten runs compared. Everything that
is set beside something else was done in turn in this run; a ratio is the median of the turns' own ratios to the floor,
above 1 where it takes longer. The floor is plain SQLite as DESIGN demands it: WAL, commits of runs that survive a power
cut (synchronous=FULL), points without that. `lemnis_server` and `mlflow_server` are asked by the same unmodified client
of MLflow. Peers are spared their imports and migrations; what takes one of them a minute is measured once. MLflow is
searched as it ships, and after an ANALYZE that it never does by itself. `--small` leaves 100,000 runs out.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count as numbers
from pathlib import Path
from typing import Any

import httpx
from bench_logging import TABLE
from many_runs import fill

from lemnis.engine import Engine
from lemnis.engine.experiments.points import INSERT, PointWriter, write_points
from lemnis.engine.experiments.tracked import Announced, Logged, announce
from lemnis.engine.store import Store
from lemnis.engine.store.connection import connect
from lemnis.engine.workspace import create_workspace

HERE, TURNS, LONG_S = Path(__file__).parent, 3, 60.0
PEERS = HERE.parents[1] / "build" / "peers"
PARAMS, METRICS = [f"p{place}" for place in range(10)], [f"m{place}" for place in range(10)]
ONE_BY_ONE, BULK, RUNS, PAGE = 1_000, 100_000, 100, 100
QUERY = "metrics.auc > 0.8 and params.learning_rate = '0.1'"
FLOOR_TABLES = """
    create table runs (id integer primary key, name text, state text, at integer) strict;
    create table params (run integer, key text, value text, primary key (run, key)) strict, without rowid;
    create table latest (run integer, key text, value real, primary key (run, key)) strict, without rowid;"""
FOUND = """select m.run_id from run_metrics m where m.key = 'auc' and m.value > 0.8 and exists
             (select 1 from run_params p where p.run_id = m.run_id and p.key = 'learning_rate' and p.number = 0.1)
           order by m.value desc limit 100"""
PEER_NAMES = ("mlflow", "mlflow_server", "lemnis_server", "optuna", "trackio")
Way = Callable[[], float]


def main() -> int:
    """Print every figure."""
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as name:
        folder = Path(name)
        engine = Engine(create_workspace(folder / "lemnis", ""))
        try:
            with mlflow_server(folder) as theirs:
                writing(folder, engine, {"lemnis_server": engine.tracking.start(), "mlflow_server": theirs})
            for runs in (1_000, 10_000) if "--small" in sys.argv else (1_000, 10_000, 100_000):
                searching(folder / str(runs), runs)
        finally:
            engine.jobs.stop_supervisor()
            engine.store.close()
    return 0


def writing(folder: Path, engine: Engine, servers: dict[str, str]) -> None:
    """Time points and runs."""
    fresh = numbers()

    def peer(name: str, case: str, count: int) -> Way:
        def way() -> float:
            where = servers.get(name) or str(folder / f"{name}-{next(fresh)}")
            if name not in servers:
                Path(where).mkdir()
            return ask(name.replace("lemnis_server", "mlflow_server"), case, count, where)["seconds"]

        return way

    def ours(work: Callable[[Store, int], None]) -> Way:
        def way() -> float:
            run = announce(engine.store, Announced(name="bench"))
            return timed(lambda: work(engine.store, run))

        return way

    # Optuna has no call for many points, and Trackio none that waits until a point is on disk.
    cases = (("points", BULK, "optuna"), ("single", ONE_BY_ONE, "trackio"), ("runs", RUNS, ""))
    bulk, single, runs = (
        {name: peer(name, case, most) for name in PEER_NAMES if name != without} for case, most, without in cases
    )

    def floor(work: Callable[[Path], float]) -> Way:
        return lambda: work(folder / f"floor-{next(fresh)}.db")

    bulk = {"floor": floor(lambda path: floor_points(path, BULK, once=True)), "lemnis": ours(in_bulk), **bulk}
    single = {"floor": floor(lambda path: floor_points(path, ONE_BY_ONE)), "lemnis": ours(one_by_one), **single}
    runs = {"floor": floor(floor_runs), "lemnis": lambda: timed(lambda: new_runs(engine.store)), **runs}
    measure(f"{BULK:,} points of one run in bulk", bulk)
    measure(f"{ONE_BY_ONE:,} points, each committed", single)
    measure(f"{RUNS} runs of 10 parameters and 10 metrics", runs)


def floor_points(path: Path, points: int, *, once: bool = False) -> float:
    """Return the seconds of plain inserts: in one transaction, or each in its own."""
    connection = connect(path, durable=False)
    connection.execute(TABLE)
    rows = [(1, "loss", step, 0, 1 / (step + 1)) for step in range(points)]
    began = time.perf_counter()
    if once:
        connection.execute("begin immediate")
        connection.executemany(INSERT, rows)
        connection.execute("commit")
    else:
        for row in rows:
            connection.execute(INSERT, row)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def floor_runs(path: Path) -> float:
    """Return the seconds of plain runs with their parameters and metrics, one durable transaction each."""
    connection = connect(path, durable=True)
    connection.executescript(FLOOR_TABLES)
    began = time.perf_counter()
    for run in range(RUNS):
        connection.execute("begin immediate")
        connection.execute("insert into runs values (?, ?, 'finished', 0)", (run, f"r{run}"))
        connection.executemany("insert into params values (?, ?, ?)", [(run, key, str(run)) for key in PARAMS])
        connection.executemany("insert into latest values (?, ?, ?)", [(run, key, run / RUNS) for key in METRICS])
        connection.execute("commit")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def in_bulk(store: Store, run: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = PointWriter(store, run, Path(folder) / "spool")
        for step in range(BULK):
            writer.add("loss", step, 1 / (step + 1))
        writer.close()


def one_by_one(store: Store, run: int) -> None:
    for step in range(ONE_BY_ONE):
        write_points(store, run, [("loss", step, 0, 1 / (step + 1))])


def new_runs(store: Store) -> None:
    for number in range(RUNS):
        params, metrics = {key: str(number) for key in PARAMS}, [Logged(key, 0, 0, number / RUNS) for key in METRICS]
        ended = {"state": "finished", "started_at": 1, "ended_at": 2}
        announce(store, Announced(name=f"r{number}", params=params, metrics=metrics, **ended))


def searching(folder: Path, runs: int) -> None:
    """Time a search and a comparison, on as many runs in each."""
    engine, theirs = fill(folder / "lemnis", runs), folder / "mlflow"
    theirs.mkdir(parents=True)
    ask("mlflow", "fill", runs, str(theirs))
    room, taken = engine.experiments, dict[str, list[dict[str, float]]]()
    ids = [run.id for run in room.page(QUERY, "metrics.auc", True, 10, 0)]

    def both(find: Callable[[], object], compare: Callable[[], object]) -> dict[str, float]:
        return {
            "seconds": statistics.median(timed(find) for _ in range(9)),
            "compare_seconds": statistics.median(timed(compare) for _ in range(9)),
        }

    ways: dict[str, Callable[[], dict[str, float]]] = {
        "floor": lambda: both(lambda: by_hand(engine, FOUND), lambda: compared_by_hand(engine, ids)),
        "lemnis": lambda: both(
            lambda: room.page(QUERY, "metrics.auc", True, PAGE, 0), lambda: (room.compare(ids), curves(engine, ids))
        ),
        "mlflow": lambda: ask("mlflow", "search", 1 if runs > 10_000 else 3, str(theirs)),
    }
    for _ in range(TURNS):
        for name, way in ways.items():
            if not too_long([one["seconds"] for one in taken.get(name, [])]):
                taken.setdefault(name, []).append(way())
    analyze(theirs / "mlflow.db")
    taken["mlflow_analyzed"] = [ask("mlflow", "search", 3, str(theirs)) for _ in range(TURNS)]
    for what, key in (("first 100 of a search", "seconds"), ("10 runs compared", "compare_seconds")):
        report(f"{runs:,} runs: {what}", {name: [one[key] for one in turns] for name, turns in taken.items()})
    engine.store.close()


def by_hand(engine: Engine, sql: str) -> int:
    """Read what plain SQL finds: the runs, their parameters and their metrics."""
    listed = json.dumps([row[0] for row in engine.store.rows(sql)])
    among = "in (select value from json_each(?))"
    tables = ("runs where id", "run_params where run_id", "run_metrics where run_id")
    return sum(len(engine.store.rows(f"select * from {table} {among}", (listed,))) for table in tables)


def compared_by_hand(engine: Engine, ids: list[int]) -> int:
    """Read everything of some runs, one query a table."""
    listed, among = json.dumps(ids), "in (select value from json_each(?))"
    points = engine.store.rows(f"select * from metric_points where run_id {among}", (listed,), name="metrics")
    return by_hand(engine, f"select value from json_each('{listed}')") + len(points)


def curves(engine: Engine, ids: list[int]) -> list[object]:
    return [engine.experiments.curve(run) for run in ids]


def measure(figure: str, ways: dict[str, Way]) -> None:
    """Time every way in turn, and print the figure."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            if not too_long(taken[name]):
                taken[name].append(way())
    report(figure, taken)


def report(figure: str, taken: dict[str, list[float]]) -> None:
    """Print medians in ms, and the ratios to the floor of the same turn."""
    ratios = {
        f"{name}_to_floor": round(statistics.median(a / b for a, b in zip(times, taken["floor"], strict=False)), 2)
        for name, times in taken.items()
        if name != "floor"
    }
    medians = {f"{name}_ms": round(statistics.median(times) * 1000, 2) for name, times in taken.items()}
    print(json.dumps({"figure": figure, **medians, **ratios}), flush=True)


def too_long(times: list[float]) -> bool:
    return bool(times) and times[0] > LONG_S


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ask(peer: str, case: str, count: int, where: str) -> dict[str, Any]:  # Any: JSON
    """Return what a peer's own process says of its work."""
    environment = PEERS / ("trackio" if peer == "trackio" else "mlflow") / "bin" / "python"
    command = [environment, HERE / "peer_tracking.py", peer, case, str(count), where]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=QUIET)
    assert said.returncode == 0, said.stderr[-2000:]
    return json.loads(said.stdout.splitlines()[-1])


QUIET = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}


def analyze(path: Path) -> None:
    connection = connect(path, durable=False)
    connection.execute("analyze")
    connection.close()


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run MLflow's own server over a SQLite store of its own; yields its address."""
    url = "http://127.0.0.1:5077"
    command = [PEERS / "mlflow" / "bin" / "mlflow", "server", "--port", "5077", "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "art")]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=QUIET, start_new_session=True)
    try:
        for _ in range(600):
            with suppress(httpx.HTTPError):
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    sys.exit(main())
