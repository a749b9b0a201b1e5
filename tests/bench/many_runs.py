"""A workspace with very many finished runs, made by bulk SQL: 20 parameters, 20 metrics and 100 points each."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from lemnis.engine import Engine
from lemnis.engine.workspace import create_workspace

PARAMS = ("learning_rate", "num_leaves", "boosting", *(f"p{place:02}" for place in range(17)))
METRICS = ("auc", "logloss", *(f"m{place:02}" for place in range(18)))
CURVES, STEPS = ("auc", "logloss", "m00", "m01", "m02"), 20
BASELINE = 0.001  # the share of runs with this tag
START_MS, APART_MS = 1_760_000_000_000, 60_000
TABLES = ("runs", "run_params", "run_metrics", "run_tags")
RUN = """insert into runs (id, name, state, why, preset, task, target, version_id, features, seed, device, machine,
           code_version, libraries, rounds, rounds_done, best_round, user, created_at, started_at, ended_at)
         values (?, ?, ?, '', ?, 'binary', 'late', ?, ?, ?, 'cpu', ?, ?, ?, 200, 200, ?, 'ana', ?, ?, ?)"""
VERSION = """insert into versions (id, name, number, rows, bytes, columns, snapshots, recipe, split, target_summary,
           repeated_keys, created_at, linked_at) values (?, 'flights', ?, 1, 1, '[]', '{}', '', '{}', '{}', 0, 0, 0)"""
FEATURES = json.dumps([f"feature_{place:02}" for place in range(20)])
MACHINE = json.dumps({"host": "bench", "cores": 8, "processor": "a processor", "memory_bytes": 1 << 34, "os": "linux"})
LIBRARIES = json.dumps({"lightgbm": "4.7.0", "numpy": "2.4.6", "python": "3.11.7"})


def fill(root: Path, runs: int, *, points: bool = False) -> Engine:
    """Return the engine of a new workspace with so many runs; the same ones every time.

    Triggers and indexes of the filled tables are made again afterwards, as they were.
    """
    engine = Engine(create_workspace(root, '[problem]\ntitle = "Bench"\nquestion = "How fast?"\ntarget = "late"\n'))
    store = engine.store
    marks = ", ".join("?" * len(TABLES))
    apart = store.rows(
        f"""select type, name, sql from sqlite_master
            where tbl_name in ({marks}) and type != 'table' and sql is not null""",
        TABLES,
    )
    with store.write() as db:
        for row in apart:
            db.execute(f"drop {row['type']} {row['name']}")
        db.conn.executemany(VERSION, [(f"{number:064x}", number) for number in range(1, 6)])
        rng = random.Random(7)
        db.conn.executemany(RUN, run_rows(runs, rng))
        db.conn.executemany("insert into run_params values (?, ?, ?, ?)", param_rows(runs, rng))
        db.conn.executemany(
            "insert into run_metrics (run_id, key, value, step) values (?, ?, ?, 200)", metric_rows(runs, rng)
        )
        tagged = [(number, "baseline", "", None) for number in range(1, runs + 1) if rng.random() < BASELINE]
        db.conn.executemany("insert into run_tags values (?, ?, ?, ?)", tagged)
        for row in apart:
            db.execute(row["sql"])
    if points:
        with store.write("metrics") as db:
            sql = "insert into metric_points (run_id, key, step, at, value) values (?, ?, ?, ?, ?)"
            db.conn.executemany(sql, point_rows(runs, rng))
    return engine


def run_rows(runs: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, runs + 1):
        at = START_MS + number * APART_MS
        state = rng.choices(("finished", "failed", "cancelled"), (0.9, 0.07, 0.03))[0]
        yield (
            *(number, f"run-{number:06}", state, rng.choice(("default", "wide", "deep"))),
            *(f"{1 + number * 5 // (runs + 1):064x}", FEATURES, rng.randrange(100), MACHINE),
            *(
                f"{rng.getrandbits(160):040x}",
                LIBRARIES,
                rng.randrange(1, 200),
                at,
                at,
                at + rng.randrange(5000, 90000),
            ),
        )


def param_rows(runs: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, runs + 1):
        for key in PARAMS:
            if key == "boosting":
                yield number, key, rng.choice(("gbdt", "dart", "goss")), None
                continue
            text = {
                "learning_rate": rng.choice(("0.01", "0.03", "0.1", "0.3")),
                "num_leaves": str(rng.randrange(7, 255)),
            }
            value = text.get(key) or f"{rng.random():.6f}"
            yield number, key, value, float(value)


def metric_rows(runs: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, runs + 1):
        for place, key in enumerate(METRICS):
            yield number, key, (0.5 if place == 0 else 0.0) + rng.random() / (2 if place == 0 else 1)


def point_rows(runs: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, runs + 1):
        for key in CURVES:
            for step in range(1, STEPS + 1):
                yield number, key, step, 0, rng.random()
