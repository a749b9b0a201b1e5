"""Metric points: nothing is lost, nobody waits, and a long curve keeps its shape."""

import resource
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import make_engine
from support import until

from lemnis.engine import Engine
from lemnis.engine.errors import StoreError
from lemnis.engine.experiments import points
from lemnis.engine.experiments.points import PointWriter, forget_points, read_curves, read_spool, write_points
from lemnis.engine.store.connection import BUSY_MS, connect


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = make_engine(tmp_path_factory.mktemp("points") / "workspace")
    yield engine
    engine.store.close()


def test_every_point_arrives_and_what_is_no_number_is_missing(shared: Engine, tmp_path: Path) -> None:
    writer = PointWriter(shared.store, 1, tmp_path / "spool")
    for step in range(1, 5001):
        writer.add("auc", step, step / 5000)
    writer.add("loss", 1, float("nan"))
    writer.add("loss", 2, float("inf"))
    writer.close()
    assert read_curves(shared.store, 1, ["auc"], 10_000)["auc"] == [(step, step / 5000) for step in range(1, 5001)]
    assert read_curves(shared.store, 1, ["loss"], 100) == {"loss": []}


def test_a_database_that_takes_nothing_loses_nothing(
    shared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = points.write_points

    def refuse(*_: Any) -> None:
        raise StoreError("The state could not be used: database is locked.")

    monkeypatch.setattr(points, "write_points", refuse)
    spool = tmp_path / "spool"
    writer = PointWriter(shared.store, 2, spool)
    for step in range(1, 2501):
        writer.add("auc", step, 0.5)
    writer.close()
    assert len(read_spool(spool)) == 2500
    with open(spool, "a") as file:
        file.write('["auc", 25')  # the line a crash cut off
    monkeypatch.setattr(points, "write_points", written)
    points.append_spool(spool, [("auc", 2500, 0, 0.5)])  # a line of its own
    assert len(read_spool(spool)) == 2501
    writer = PointWriter(shared.store, 2, spool)
    writer.add("auc", 2501, 0.75)
    writer.close()
    assert not spool.exists()
    assert len(read_curves(shared.store, 2, None, 9999)["auc"]) == 2501


def test_one_point_is_its_own_commit_replaces_its_step_and_is_part_of_a_block_around_it(shared: Engine) -> None:
    def values() -> list[object]:
        return [tuple(row) for row in other.execute("select step, at, value from metric_points where run_id = 11")]

    other = connect(shared.store.path("metrics"), durable=False, read_only=True)
    begins = list[str]()
    shared.store.connection("metrics").set_trace_callback(
        lambda sql: begins.append(sql) if sql.startswith(("begin", "commit")) else None
    )
    write_points(shared.store, 11, [("auc", 1, 5, 0.5)])
    assert (values(), begins) == ([(1, 5, 0.5)], [])
    write_points(shared.store, 11, [("auc", 1, 7, 0.75)])  # said again, later: there is one of a step
    assert values() == [(1, 7, 0.75)]
    shared.store.connection("metrics").set_trace_callback(None)
    with pytest.raises(RuntimeError), shared.store.write("metrics"):
        write_points(shared.store, 11, [("auc", 2, 8, 0.8)])
        raise RuntimeError
    assert values() == [(1, 7, 0.75)]
    other.close()


def test_one_point_that_a_database_does_not_take_is_refused_in_a_sentence(shared: Engine) -> None:
    blocker = connect(shared.store.path("metrics"), durable=False)
    blocker.execute("begin immediate")
    shared.store.connection("metrics").execute("pragma busy_timeout = 1")
    with pytest.raises(StoreError, match=r"The state could not be used: database is locked"):
        write_points(shared.store, 12, [("auc", 1, 5, 0.5)])
    blocker.execute("rollback")
    blocker.close()
    shared.store.connection("metrics").execute(f"pragma busy_timeout = {BUSY_MS}")
    write_points(shared.store, 12, [("auc", 1, 5, 0.5)])
    assert read_curves(shared.store, 12, None, 10) == {"auc": [(1, 0.5)]}


def test_the_caller_does_not_wait_for_a_locked_database(shared: Engine, tmp_path: Path) -> None:
    blocker = shared.store.connection("metrics")
    blocker.execute("begin immediate")
    writer = PointWriter(shared.store, 3, tmp_path / "spool")
    for step in range(1, 3001):
        writer.add("auc", step, 0.5)
    blocker.execute("rollback")
    writer.close()
    assert len(read_curves(shared.store, 3, None, 9999)["auc"]) == 3000


def test_a_full_disk_is_asked_ever_less_often_and_loses_nothing(
    shared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, asked = points.write_points, list[float]()

    def refuse(*_: Any) -> None:
        asked.append(time.monotonic())
        raise StoreError("The state could not be used: database or disk is full.")

    monkeypatch.setattr(points, "write_points", refuse)
    flushes: list[int] = []
    with bytes_at_most(1000):
        writer = PointWriter(shared.store, 4, tmp_path / "spool", lambda: flushes.append(1))
        for step in range(1, 30_001):
            writer.add("auc", step, 0.5)
        until(lambda: len(asked) >= 3, seconds=30)
    assert len(read_spool(tmp_path / "spool")) < 100  # whole lines or none
    monkeypatch.setattr(points, "write_points", written)
    writer.close()
    assert [later - earlier > 0.19 * 2**n for n, (earlier, later) in enumerate(pairwise(asked))] == [True, True]
    assert len(flushes) > len(asked)  # progress is told all the same
    assert len(read_curves(shared.store, 4, None, 99_999)["auc"]) == 30_000


@contextmanager
def bytes_at_most(size: int) -> Generator[None]:
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


def test_spooled_points_are_part_of_the_curve_before_they_are_written(shared: Engine) -> None:
    run_id = shared.experiments.start()
    forget_points(shared.store, run_id, Path("none"))
    write_points(shared.store, run_id, [("auc", 1, 0, 0.6), ("auc", 2, 0, 0.7)])
    folder = shared.workspace.run_dir(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "points.spool").write_text('["auc", 3, 0, 0.8]\n["auc", 4, 0, null]\n')
    assert shared.experiments.curve(run_id, ["auc"]) == {"auc": [(1, 0.6), (2, 0.7), (3, 0.8)]}


def test_going_on_from_a_checkpoint_forgets_what_came_after_it_wherever_it_is(shared: Engine, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    write_points(shared.store, 7, [("auc", step, 0, 0.5) for step in (1, 2, 3)])
    spool.write_text('["auc", 4, 0, 0.6]\n["auc", 5, 0, 0.7]\n')
    forget_points(shared.store, 7, spool, 4)
    assert read_curves(shared.store, 7, None, 99)["auc"] == [(1, 0.5), (2, 0.5), (3, 0.5), (4, 0.6)]
    assert not spool.exists()


values = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=300)


@given(values, st.integers(4, 60))
def test_a_shortened_curve_keeps_its_ends_and_its_extremes(
    shared: Engine, curve: list[float | None], most: int
) -> None:
    forget_points(shared.store, 9, Path("none"))
    write_points(shared.store, 9, [("v", step, 0, value) for step, value in enumerate(curve)])
    shown = read_curves(shared.store, 9, ["v"], most)["v"]
    whole = [(step, value) for step, value in enumerate(curve) if value is not None]
    assert shown == sorted(shown)
    assert set(shown) <= set(whole)
    if whole:
        assert {value for _, value in shown} >= {min(v for _, v in whole), max(v for _, v in whole)}
    if len(curve) <= most:
        assert shown == whole
    else:
        assert len(shown) <= most + 2
        assert {point for point in whole if point[0] in (0, len(curve) - 1)} <= set(shown)
