"""Metric logging against the floor: one plain SQLite transaction with executemany; and against one commit a point."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lemnis.engine import Engine
from lemnis.engine.experiments.points import INSERT, PointWriter
from lemnis.engine.store.connection import connect
from lemnis.engine.workspace import create_workspace

POINTS, ROUNDS = 100_000, 9
TABLE = """create table metric_points (run_id integer not null, key text not null, step integer not null,
           at integer not null, value real, primary key (run_id, key, step)) strict, without rowid"""


def plain_transaction(folder: Path, points: int) -> float:
    """Return the seconds that one transaction takes into a table of its own."""
    connection = connect(folder / "plain.db", durable=False)
    connection.execute(TABLE)
    began = time.perf_counter()
    connection.execute("begin immediate")
    connection.executemany(INSERT, ((1, "auc", step, 0, step / points) for step in range(points)))
    connection.execute("commit")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def logged(folder: Path, points: int) -> float:
    """Return the seconds from the first point taken until the last is written, through the writer of a run."""
    engine = Engine(create_workspace(folder / "workspace", ""))
    began = time.perf_counter()
    writer = PointWriter(engine.store, 1, folder / "spool")
    for step in range(points):
        writer.add("auc", step, step / points)
    writer.close()
    seconds = time.perf_counter() - began
    engine.store.close()
    return seconds


def in_turn(ways: dict[str, Callable[[Path, int], float]], points: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every way, measured in turn."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(way(Path(folder), points))
    return found


def main() -> None:
    """Print one JSON line: the median ratio of logging to one plain transaction."""
    times = in_turn({"logging": logged, "plain": plain_transaction}, POINTS, ROUNDS)
    ratios = [ours / floor for ours, floor in zip(times["logging"], times["plain"], strict=True)]
    figure = {
        "figure": "metric logging, 100,000 points, to one plain SQLite transaction",
        "ratio": round(statistics.median(ratios), 2),
        "low": round(min(ratios), 2),
        "high": round(max(ratios), 2),
        "rounds": ROUNDS,
        "us_per_point": round(statistics.median(times["logging"]) / POINTS * 1e6, 2),
    }
    print(json.dumps(figure))


if __name__ == "__main__":
    main()
