"""Searching runs against the same question as hand-written SQL over the same indexes, at 1k, 10k and 100k runs.

Each answer is the first hundred runs with all parameters, metrics and tags, or a number; both ways in turn on one
machine, so that the ratio of each round is what counts. With an argument only that many runs.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from many_runs import fill

from lemnis.engine import Engine

SIZES, ROUNDS, PAGE = (1_000, 10_000, 100_000), 9, 100
VISIBLE = "deleted_at is null and archived_at is null"
SHOWN = "m.run_id not in (select id from runs where deleted_at is not null or archived_at is not null)"
BY_AUC = "from run_metrics m where m.key = 'auc' and m.value {} and {} order by m.value desc, m.run_id desc"
RATE = "exists (select 1 from run_params p where p.run_id = m.run_id and p.key = 'learning_rate' and p.number = 0.1)"
WANTED = "metrics.auc > 0.8 and params.learning_rate = 0.1"
# What is asked, in the query language: query, sort, offset in runs of a hundred; and as SQL by hand.
QUESTIONS: dict[str, tuple[str, str, float, str]] = {
    "newest": ("", "", 0, f"select id from runs where {VISIBLE} order by id desc"),
    "best by a metric": ("", "metrics.auc", 0, f"select m.run_id {BY_AUC.format('is not null', SHOWN)}"),
    "half-way down by a metric": ("", "metrics.auc", 0.5, f"select m.run_id {BY_AUC.format('is not null', SHOWN)}"),
    "metric and parameter, by the metric": (
        WANTED,
        "metrics.auc",
        0,
        f"select m.run_id {BY_AUC.format('> 0.8', f'{SHOWN} and {RATE}')}",
    ),
    "a rare tag": (
        "tag:baseline",
        "",
        0,
        f"select r.id from run_tags t join runs r on r.id = t.run_id where t.key = 'baseline' and {VISIBLE} "
        "order by r.id desc",
    ),
    "a state": ("state = failed", "", 0, f"select id from runs where {VISIBLE} and state = 'failed' order by id desc"),
    "a word of the name": (
        "run-0007",
        "",
        0,
        f"select id from runs where {VISIBLE} and instr(lower(name || ' #' || id), 'run-0007') order by id desc",
    ),
}
COUNT = f"""select count(*) from run_metrics m where m.key = 'auc' and m.value > 0.8 and {SHOWN}
            and m.run_id in (select run_id from run_params where key = 'learning_rate' and number = 0.1)"""


def main() -> int:
    """Print one line of JSON for each question and size."""
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    for runs in sizes:
        with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
            engine = fill(Path(folder) / "runs", runs)
            measure(engine, runs)
            engine.store.close()
    return 0


def measure(engine: Engine, runs: int) -> None:
    """Ask every question both ways."""
    room = engine.experiments
    for name, (query, sort, share, sql) in QUESTIONS.items():
        offset = round(share * runs)
        report(
            f"{runs:,} runs: {name}",
            lambda query=query, sort=sort, offset=offset: [r.id for r in room.page(query, sort, True, PAGE, offset)],
            lambda sql=sql, offset=offset: [
                row["id"] for row in by_hand(engine, f"{sql} limit {PAGE} offset {offset}")
            ],
        )
    report(f"{runs:,} runs: count", lambda: room.count(WANTED), lambda: engine.store.value(COUNT))


def by_hand(engine: Engine, sql: str) -> list[dict[str, Any]]:  # Any: rows as SQL gives them
    """Return what plain SQL gives: the runs, and their parameters, metrics and tags."""
    store = engine.store
    ids = [row[0] for row in store.rows(sql)]
    listed = json.dumps(ids)
    among = "in (select value from json_each(?))"
    found = {row["id"]: dict(row) for row in store.rows(f"select * from runs where id {among}", (listed,))}
    for table in ("run_params", "run_metrics", "run_tags"):
        for run in found.values():
            run[table] = {}
        for number, key, value in store.rows(f"select run_id, key, value from {table} where run_id {among}", (listed,)):
            found[number][table][key] = value
    return [found[number] for number in ids]


def report(figure: str, ours: Callable[[], object], by_hand: Callable[[], object]) -> None:
    """Print medians and the ratio of the two, measured in turn; both must give the same."""
    assert ours() == by_hand(), figure
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for place, way in enumerate((ours, by_hand)):
            began = time.perf_counter()
            way()
            times[place].append((time.perf_counter() - began) * 1000)
    ratios = [one / other for one, other in zip(*times, strict=True)]
    document = {
        "figure": figure,
        "unit": "ms",
        "lemnis": round(statistics.median(times[0]), 2),
        "hand_written_sql": round(statistics.median(times[1]), 2),
        "ratio": round(statistics.median(ratios), 2),
        "low": round(min(ratios), 2),
        "high": round(max(ratios), 2),
    }
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    sys.exit(main())
