"""The walk itself, for a minute, and what its verdict calls worse."""

# pyright: basic

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from mmap import ACCESS_READ, PAGESIZE, mmap
from pathlib import Path
from random import Random
from typing import Any

import pytest
from gauges import Sample, busy, memory
from lived import lived
from scenes import LARGEST, SCENES, STAGES, USUAL, Step, each_key, of_stage, scenes
from support import until
from typed import typed
from verdict import MIB, complaints, figures, lows, rise
from walked import Walk

from lemnis.tui.actions import ACTIONS

KEYS_MS = (8.0, 9.0, 10.0, 11.0, 12.0)
STEADY = [
    Sample(10.0 * at, 90 * MIB, 80 * MIB, 9, 30, 40, 300, tuple(ms + at % 3 for ms in KEYS_MS)) for at in range(181)
]


def wrongs(samples: list[Sample]) -> list[str]:
    return list(complaints(figures(samples)))


def test_what_stays_as_it_was_is_not_complained_of() -> None:
    assert wrongs(STEADY) == []
    warmed = [replace(each, uss=each.uss - 20 * MIB) if each.at_s < 300 else each for each in STEADY]
    assert wrongs(warmed) == []  # caches fill in the first minutes
    odd = [replace(each, uss=each.uss + 60 * MIB) if place % 20 == 3 else each for place, each in enumerate(STEADY)]
    assert wrongs(odd) == []
    busy = [replace(each, keys_ms=(*KEYS_MS[:-1], 400.0)) if each.at_s > 1500 else each for each in STEADY]
    assert wrongs(busy) == []  # something else had the processor now and then


@pytest.mark.parametrize(
    ("worse", "told"),
    [
        (lambda each: {"uss": each.uss + int(each.at_s * 3500)}, "Memory grows by 2.0"),
        (lambda each: {"threads": each.threads + int(each.at_s / 240)}, "threads it came to"),
        (lambda each: {"descriptors": each.descriptors + int(each.at_s / 300)}, "descriptors it came to"),
        (lambda each: {"keys_ms": tuple(ms * (1 + each.at_s / 4000) for ms in each.keys_ms)}, "A key was answered"),
    ],
)
def test_what_gets_worse_is_complained_of(worse: Callable[[Sample], dict[str, Any]], told: str) -> None:
    (complaint,) = wrongs([replace(each, **worse(each)) for each in STEADY])
    assert told in complaint


def test_what_is_open_for_a_while_or_loaded_once_is_no_growth() -> None:
    def opened(at_s: float) -> int:
        return int(900 <= at_s < 1200 or 1500 <= at_s < 1700)  # rows that are browsed, at the end of a part too

    browsed = [
        replace(
            each,
            uss=each.uss + (40 * opened(each.at_s) + 20 * (each.at_s > 1000)) * MIB,
            threads=each.threads + 9 * opened(each.at_s) + (each.at_s > 1100),
            descriptors=each.descriptors + 30 * opened(each.at_s) + 6 * (each.at_s > 800),
        )
        for each in STEADY
    ]
    assert wrongs(browsed) == []
    leaking = [replace(each, uss=each.uss + int(each.at_s * 10_000)) for each in browsed]
    assert "Memory grows" in wrongs(leaking)[0]


def test_tabs_that_are_open_are_no_growth_and_hide_none() -> None:
    for seed in range(20):
        chance = Random(seed)
        opened = [chance.choice((70, 150, 250, 350)) for _ in STEADY[::20]]  # and so for some minutes
        open_tasks = [opened[place // 20] for place in range(len(STEADY))]
        tabs = [
            replace(each, tasks=tasks, uss=each.uss + tasks * MIB // 50 + chance.randrange(MIB // 2))
            for each, tasks in zip(STEADY, open_tasks, strict=True)
        ]
        assert wrongs(tabs) == []
        leaking = [replace(each, uss=each.uss + int(each.at_s * 5000)) for each in tabs]
        assert "Memory grows" in wrongs(leaking)[0]


def test_what_falls_again_is_no_growth() -> None:
    fallen = [
        replace(each, descriptors=each.descriptors + (int(each.at_s / 240) if each.at_s < 1600 else -1))
        for each in STEADY
    ]
    assert wrongs(fallen) == []


def test_a_rise_is_that_of_the_least_values_of_most_parts() -> None:
    points = [(float(x), 3.0 * x + (1000 if x % 7 == 0 else 0)) for x in range(1, 121)]
    assert rise(points) == pytest.approx(3.0 * 600, rel=0.05)
    assert rise(points[:1]) == 0.0
    assert lows(points, parts=2) == [3.0, 183.0]


def test_every_declared_key_can_be_typed() -> None:
    assert all(typed(action) for action in ACTIONS)


def test_the_same_seed_walks_the_same_way_and_never_leaves() -> None:
    def first(seed: int, count: int = 400) -> list[tuple[str, list[Step]]]:
        return [(name, list(steps)) for (name, steps), _ in zip(scenes(seed), range(count), strict=False)]

    walked = first(7)
    assert walked == first(7)
    assert walked != first(8)
    assert {name for name, _ in walked} == {each_key.__name__, *(scene.__name__ for scene in SCENES)}
    pressed = {step.keys for name, steps in walked if name == each_key.__name__ for step in steps}
    assert pressed >= {typed(action) for stage in STAGES for action in of_stage(stage)}
    assert not [step for _, steps in walked for step in steps if "q" in step.keys]
    sizes = [step.size for name, steps in walked if name == each_key.__name__ for step in steps if step.size]
    assert sizes == [LARGEST, USUAL] * len(STAGES)
    assert all(list(scene(Random(1))) for scene in SCENES)


@pytest.mark.parametrize(("does", "is_busy"), [("while True: pass", True), ("input()", False)])
def test_a_process_is_busy_while_it_runs_and_not_while_it_waits_for_keys(does: str, is_busy: bool) -> None:
    code = f"print('ready', flush=True)\n{does}"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            until(lambda: busy(process.pid) == is_busy)
        finally:
            process.kill()


def test_what_is_only_read_of_a_file_is_no_memory_of_a_process(tmp_path: Path) -> None:
    file, size = tmp_path / "library", 16 * MIB
    file.touch()
    os.truncate(file, size)
    before = memory(os.getpid())[1]
    with file.open("rb") as opened, mmap(opened.fileno(), size, access=ACCESS_READ) as mapped:
        assert not any(mapped[at] for at in range(0, size, PAGESIZE))
        assert memory(os.getpid())[1] < before + size / 2
    with mmap(-1, size) as own:
        own[::PAGESIZE] = b"x" * len(own[::PAGESIZE])
        assert memory(os.getpid())[1] > before + size / 2


@pytest.mark.slow
def test_what_was_walked_once_leaves_nothing_more_the_second_time(tmp_path: Path) -> None:
    with lived(tmp_path / "flights", 120):
        walk = Walk(tmp_path / "flights", seed=7)
        try:
            walk.go(60, 5, lambda sample: None)  # what is read and drawn for the first time is loaded then
            once = len(walk.samples)
            walk.go(60, 5, lambda sample: None)
            assert walk.leave() == 0, walk.terminal.text()
        finally:
            walk.close()
    first, second = walk.samples[once // 2 : once], walk.samples[once:]
    assert walk.pressed > 300
    # The least of several looks: a time that was just left is let go of a moment later.
    for held, more in (("threads", 2), ("descriptors", 8), ("uss", 64 * MIB)):
        before, after = (min(getattr(sample, held) for sample in samples) for samples in (first, second))
        assert after <= before + more, held
