"""A console that counts on request what it keeps: `python counted.py FILE [ARGUMENT …]`, then SIGUSR2.

It writes the tasks of its event loop, its widgets, and the kinds of objects there are most of as JSON into the file;
with LEMNIS_SOAK_TRACE also where the memory was asked for that came since the request before.
"""

# pyright: basic

import asyncio
import gc
import json
import os
import signal
import sys
import tracemalloc
from collections import Counter
from typing import Any

from lemnis.tui import commands

MOST = 60
FILE = sys.argv[1]
before: list[tracemalloc.Snapshot] = []


def count(*_: object) -> None:
    from textual.widget import Widget

    objects = gc.get_objects()
    kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in objects)
    widgets = sum(issubclass(type(each), Widget) for each in objects)  # isinstance would ask proxies
    tasks = len(asyncio.all_tasks())
    found: dict[str, Any] = {"tasks": tasks, "widgets": widgets, "kinds": dict(kinds.most_common(MOST))}
    if tracemalloc.is_tracing():
        now = tracemalloc.take_snapshot()
        found["traced"] = [str(each) for each in now.compare_to(before[-1], "lineno")[:MOST]] if before else []
        before[:] = [now]
    with open(f"{FILE}.new", "w") as file:
        json.dump(found, file)
    os.replace(f"{FILE}.new", FILE)


def launch_counting() -> None:
    launch()
    signal.signal(signal.SIGUSR2, count)
    if os.environ.get("LEMNIS_SOAK_TRACE"):
        tracemalloc.start(4)


launch, commands.launch = commands.launch, launch_counting
sys.argv = ["lemnis", *sys.argv[2:]]
commands.main()
