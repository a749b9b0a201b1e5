"""What servers spool: every whole frame is read once, whatever is killed meanwhile."""

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.deploy import recorder as recording
from lemnis.engine.deploy import spool
from lemnis.engine.deploy.predictions import Entry, PredictionLog, log_lags_s
from lemnis.engine.deploy.recorder import HOLD_S, MODULE, Recorder, leave_if_unwanted
from lemnis.engine.deploy.spool import Spool, folder_of, framed, read_frames, spools
from lemnis.engine.deploy.tensors import rows_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(create_workspace(tmp_path / "workspace", ""))
    yield opened
    opened.close()


def entry(at: int, **more: Any) -> Entry[Any]:
    return Entry(at, 1, 1, 500, 200, "", [[at, None]], [[0.25]], **more)


def logged(store: Store) -> list[tuple[int, str]]:
    return [tuple(row) for row in store.rows("select at, features from requests r join predictions p "
                                             "on p.request_id = r.id order by at", name="predictions")]  # fmt: skip


@given(st.lists(st.text(max_size=20), max_size=20), st.integers(0, 900))
def test_whole_frames_are_read_and_a_cut_off_one_is_left(texts: list[str], cut: int) -> None:
    data = b"".join(framed(msgspec.json.encode(text)) for text in texts)
    with TemporaryDirectory() as folder:
        path = _with(Path(folder) / "1.spool", data[:cut])
        found = read_frames(path, 0)
        assert data.startswith(found)
        assert data[len(found) : cut].count(b"\n") == 0
        _with(path, data)
        whole = msgspec.json.Decoder().decode_lines(found + read_frames(path, len(found)))
    assert whole == texts


def test_what_a_request_held_is_recorded_as_it_was_sent(store: Store) -> None:
    log = PredictionLog(store, "late", "late")
    log.start()
    huge, tensor = 10**30, np.array([1.5, np.nan])
    log.add(
        log.frame(
            Entry(
                5, 3, 2, 900, 200, "", rows_of({"n": [huge, True], "t": tensor}), [[0.1, 0.9], [0.7, 0.3]], ["a", "b"]
            )
        )
    )
    log.add(log.frame(Entry(6, 3, 0, 100, 400, "wind can't be 'strong'.")))
    log.close()
    assert Recorder(store).record() == 3
    rows = store.rows("select * from predictions order by id", name="predictions")
    assert [msgspec.json.decode(row["features"]) for row in rows] == [[huge, 1.5], [True, None]]
    assert [(row["row_key"], row["score"], row["answer"]) for row in rows] == [
        ("a", 0.9, "[0.1,0.9]"),
        ("b", 0.7, "[0.7,0.3]"),
    ]
    assert store.value("select error from requests where status = 400", name="predictions") == "wind can't be 'strong'."
    assert spools(store.workspace) == []  # read to its end and closed by its process


def test_a_full_disk_drops_and_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = PredictionLog(store, "late", "late")

    def full(_spool: Spool, _frames: bytes) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Spool, "append", full)
        log.add(log.frame(entry(1)))
        assert not log._flush()  # pyright: ignore[reportPrivateUsage]  # as its thread does
    log.start()
    log.add(log.frame(entry(2)))
    log.close()
    Recorder(store).record()
    assert log.dropped > 0
    assert store.value("select sum(dropped) from traffic", name="predictions") == log.dropped


def test_a_recorder_that_is_killed_goes_on_where_it_was(store: Store) -> None:
    log = PredictionLog(store, "late", "late")
    log.start()
    command = [sys.executable, "-m", MODULE, "--workspace", str(store.workspace.root)]
    recorder = subprocess.Popen(command)
    for turn in range(4):
        for at in range(turn * 2_000, turn * 2_000 + 2_000):
            log.add(log.frame(entry(at)))
        if turn < 3:
            wanted = turn * 2_000 + 1
            until(lambda wanted=wanted: store.value("select count(*) from requests", name="predictions") >= wanted)
            recorder.kill()
            recorder.wait()
            recorder = subprocess.Popen(command)
    log.close()
    until(lambda: not spools(store.workspace))
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(20) == 0
    assert [at for at, _ in logged(store)] == list(range(8_000))
    assert store.value("select sum(requests) from traffic", name="predictions") == 8_000


def test_a_process_that_died_inside_a_frame_loses_that_one_alone_and_a_damaged_file_is_put_aside(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = PredictionLog(store, "late", "late")
    log.start()
    log.add(log.frame(entry(1)))
    log.close()
    (dead,) = spools(store.workspace)
    dead.write_bytes(dead.read_bytes() + log.frame(entry(2))[:20])
    (damaged := folder_of(store.workspace) / "0.spool").write_bytes(framed(b"no frame of ours"))
    Recorder(store).record()
    assert [at for at, _ in logged(store)] == [1]
    assert [path.name for path in folder_of(store.workspace).iterdir()] == ["0.damaged"]
    assert not damaged.exists()
    monkeypatch.setattr(spool, "CHUNK", 10)
    monkeypatch.setattr(spool, "LONGEST", 30)
    with pytest.raises(ValueError, match="a frame of more than 30"):
        read_frames(_with(folder_of(store.workspace) / "1.spool", b"x" * 50), 0)


def test_a_spool_is_not_removed_while_it_is_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    locked, recorder = fcntl.flock, Recorder(store)

    def late(descriptor: int, how: int) -> None:
        if how == fcntl.LOCK_SH:
            recorder.record()  # as the recorder's process may, just between making the file and locking it
        locked(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    log = PredictionLog(store, "late", "late")
    log.start()
    log.add(log.frame(entry(1)))
    log.close()
    recorder.record()
    assert [at for at, _ in logged(store)] == [1]


def test_a_rush_is_brought_in_together_soon_after_and_metrics_say_how_much_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, recorder = PredictionLog(store, "late", "late"), Recorder(store)
    now, counted = 100.0, "select count(*) from requests"
    monkeypatch.setattr(recording, "monotonic_s", lambda: now)

    def rush(*times: int) -> None:
        for at in times:
            log.add(log.frame(entry(at)))
        assert log._flush()  # pyright: ignore[reportPrivateUsage]  # as its thread does
        recorder.record(hold=True)

    assert log_lags_s(store, now=9_000) == {}
    rush(1)
    rush(*range(2, 1_000))
    (store.workspace.hidden / "spool" / "damaged.spool").write_bytes(b"{}\n[]\n")  # takes no other with it
    assert (store.value(counted, name="predictions"), log_lags_s(store, now=9_002)) == (1, {"late": 9.0})
    now += HOLD_S
    rush(*range(1_000, 2_000))
    assert (store.value(counted, name="predictions"), log_lags_s(store, now=9_002)) == (1_999, {})
    rush(*range(2_000, 3_000))
    monkeypatch.setattr(recording, "HOLD_BYTES", 1_000)
    rush(*range(3_000, 4_000))
    assert store.value(counted, name="predictions") == 3_999
    monkeypatch.undo()
    rush(*range(4_000, 5_000))
    rush(5_000)  # the rush is over
    assert [at for at, _ in logged(store)] == list(range(1, 5_001))
    log._spool.close()  # pyright: ignore[reportPrivateUsage]


def test_the_recorder_leaves_only_where_no_server_is_wanted(store: Store) -> None:
    with store.write() as db:
        for name in ("recorder", "endpoint:late"):
            db.execute("insert into services (name, module, arguments, updated_at) values (?, 'm', '[]', 0)", [name])
    wanted = "select wanted from services where name = 'recorder'"
    leave_if_unwanted(store)
    assert store.value(wanted) == "up"
    with store.write() as db:
        db.execute("update services set wanted = 'down' where name = 'endpoint:late'")
    leave_if_unwanted(store)
    assert store.value(wanted) == "down"


def until(true: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def _with(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
