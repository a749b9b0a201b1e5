"""Uses the console for half an hour, and says whether it is then as it was at first.

usage: python tests/soak/soak.py

LEMNIS_SOAK_MINUTES says for how long, LEMNIS_SOAK_SEED which walk. The last line is the verdict as JSON, the exit code
1 if something got worse. With LEMNIS_SOAK_TRACE the console runs under tracemalloc, and where memory grew is told too.
"""

# pyright: basic

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1]))

from gauges import Sample
from lived import lived
from verdict import MIB, SETTLED, complaints, figures
from walked import Fell, Walk

MINUTES, SEED, EVERY_S = 30.0, 7, 10.0
GROWN = 15  # kinds of objects that are told of
LINE = "{:>7}  {:>8}  {:>8}  {:>7}  {:>5}  {:>5}  {:>7}  {:>8}"
HEAD = ("seconds", "USS MiB", "PSS MiB", "threads", "files", "tasks", "widgets", "key ms")


def main() -> int:
    """Walk, print each sample and the verdict; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was begun is stopped then too
    seconds = 60 * float(os.environ.get("LEMNIS_SOAK_MINUTES", MINUTES))
    seed = int(os.environ.get("LEMNIS_SOAK_SEED", SEED))
    with tempfile.TemporaryDirectory(prefix="lemnis-soak-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        print("a workspace is made …", flush=True)
        with lived(Path(folder) / "flights", seconds):
            print(LINE.format(*HEAD), flush=True)
            return soaked(Walk(Path(folder) / "flights", seed), seconds)


def soaked(walk: Walk, seconds: float) -> int:
    """Walk for so long, tell what was seen, and return the exit code."""
    wrong: list[str] = []
    try:
        walk.go(seconds, EVERY_S, tell)
        if code := walk.leave():
            wrong.append(f"It was left with exit code {code}:\n{walk.terminal.text()}")
    except Fell as error:
        wrong.append(str(error))
    finally:
        walk.close()
    found: dict[str, Any] = figures(walk.samples)
    wrong += complaints(found)
    grown(walk.counts)
    print("\n".join(wrong))
    scenes = dict(walk.done.most_common())
    print(json.dumps({"soak": found, "keys": walk.pressed, "scenes": scenes, "wrong": len(wrong)}), flush=True)
    return 1 if wrong else 0


def tell(sample: Sample) -> None:
    """Print a sample as a line."""
    keys = sorted(sample.keys_ms)
    cells = (
        *(f"{sample.at_s:.0f}", f"{sample.uss / MIB:.1f}", f"{sample.pss / MIB:.1f}", sample.threads),
        *(sample.descriptors, sample.tasks, sample.widgets, f"{keys[len(keys) // 2]:.1f}" if keys else "-"),
    )
    print(LINE.format(*cells), flush=True)


def grown(counts: list[dict[str, Any]]) -> None:
    """Print of which kinds of objects there came more after the first third of the time, and where memory went."""
    first, last = counts[int(SETTLED * len(counts))], counts[-1]
    more = {kind: count - first["kinds"].get(kind, 0) for kind, count in last["kinds"].items()}
    for kind, count in sorted(more.items(), key=lambda pair: -pair[1])[:GROWN]:
        if count > 0:
            print(f"{count:>+8}  {kind}")
    print("\n".join(last.get("traced", [])))


if __name__ == "__main__":
    sys.exit(main())
