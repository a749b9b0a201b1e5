"""The watch's cost: rows counted a second against NumPy binning the same rows, its memory, and the bytes it keeps."""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from served import START_MS, Served, served

from lemnis.engine.monitor.parts import packed
from lemnis.engine.monitor.reference import kept_reference
from lemnis.engine.monitor.tally import count_rows

FEATURES, ROWS = 20, 20_000
NOW_MS = START_MS + 100 * 86_400_000


def main() -> int:
    """Print every figure as one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        few = served(Path(folder) / "few", FEATURES)
        counted(few, "1,000 rows a second", 1)
        counted(few, "1,000 rows a second, twice as many", 2)
        sparse = served(Path(folder) / "sparse", FEATURES)
        counted(sparse, "a row a minute, replayed", 1, step_ms=60_000, at=NOW_MS)
        wide = served(Path(folder) / "wide", 200)
        log(wide, 10_000, 1)
        took, _ = timed(wide)
        print(json.dumps({"figure": "one look at 10,000 rows of 200 features", "unit": "s", "lemnis": round(took, 2)}))
        sizes(few)
    return 0


def counted(made: Served, figure: str, times: int, *, step_ms: int = 1, at: int = 1) -> None:
    """Print rows a second of one look, against binning a ready matrix column by column."""
    matrix = log(made, ROWS * times, step_ms, at)
    took, grown = timed(made)
    reference = kept_reference(made.store, "late", 1)
    assert reference is not None
    began = time.perf_counter()
    for place, binning in enumerate(reference.binnings[:-1]):
        np.bincount(np.searchsorted(np.array(binning.edges), matrix[:, place], side="right"))
    floor = time.perf_counter() - began
    document = {"figure": f"rows counted, {figure}", "unit": "rows/s", "lemnis": round(ROWS * times / took)}
    more = {"floor": round(ROWS * times / floor), "ratio": round(took / floor, 1), "grown_mib": round(grown, 1)}
    print(json.dumps(document | more), flush=True)


def log(made: Served, rows: int, step_ms: int, at: int = 1) -> np.ndarray:
    """Log new rows, `step_ms` apart."""
    matrix = np.random.default_rng(rows).normal(size=(rows, made.features))
    first = START_MS + (made.store.value("select count(*) from predictions", name="predictions") or 0) * step_ms
    made.log(matrix, [first + place * step_ms for place in range(rows)], at=at)
    return matrix


def timed(made: Served) -> tuple[float, float]:
    """Return seconds of one look, and by how many MiB this process has grown in it."""
    process = psutil.Process()
    before, began = process.memory_info().rss, time.perf_counter()
    assert made.look(NOW_MS)
    return time.perf_counter() - began, (process.memory_info().rss - before) / (1 << 20)


def sizes(made: Served) -> None:
    """Print the bytes of a minute, an hour and a day at one and at a thousand rows a second, and what is kept a day."""
    reference = kept_reference(made.store, "late", 1)
    assert reference is not None
    for rate in (1, 1_000):
        bytes_of: dict[str, int] = {}
        for tier, seconds in (("minute", 60), ("hour", 3_600), ("day", 86_400)):
            rows = min(rate * seconds, 100_000)  # more rows fill the same bins
            values = np.random.default_rng(1).normal(size=(rows, FEATURES)).tolist()
            bytes_of[tier] = len(packed(count_rows(reference.binnings, values, [0.5] * rows, 0.5)))
        first = (2_880 * bytes_of["minute"] + 2_160 * bytes_of["hour"]) / (1 << 20)
        document = {"figure": f"kept at {rate:,} rows/s, {FEATURES} features", "unit": "bytes a day"}
        print(json.dumps({**document, "lemnis": bytes_of["day"], "minutes_and_hours_mib": round(first, 1)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
