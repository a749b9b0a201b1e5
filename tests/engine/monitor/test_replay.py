# pyright: basic

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from lemnis.engine.clock import parse_ms
from lemnis.engine.deploy.predictions import Entry, record_actuals, write_entries
from lemnis.engine.errors import BadInput, Cancelled, NotFound, Unavailable
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.monitor import File
from lemnis.engine.monitor import replay as replaying
from lemnis.engine.monitor.replay import Pace, replay
from lemnis.engine.monitor.traffic import chance, read_traffic, rows_of, told_apart

DAY_MS = 86_400_000


class Endpoint:
    """A real HTTP server that logs what it is sent as the model server does; `script` decides its next answers."""

    def __init__(self, store) -> None:
        self.store, self.asked, self.script = store, [], []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = endpoint.script.pop(0) if endpoint.script else 200
                if status == 200:
                    endpoint.take(self.path, body)
                said = b'{"error": "no"}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, body: dict) -> None:
        self.asked.append((path, body))
        if path == "/feedback":
            record_actuals(self.store, "late", [(a["key"], float(a["actual"])) for a in body["actuals"]], now=1)
            return
        split, params = body["dataframe_split"], body["params"]
        entry = Entry(1, 1, len(split["data"]), 9, 200, "", split["data"], [[0.5]] * len(split["data"]), **params)
        with self.store.write("predictions") as db:
            write_entries(db.conn, "late", "late", [entry])

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def endpoint(flown) -> Iterator[Endpoint]:
    server = Endpoint(flown.store)
    yield server
    server.close()


@pytest.fixture
def plan(flown, endpoint: Endpoint) -> dict:
    return {
        "endpoint": "late",
        "url": endpoint.url,
        "version": flown.version.id,
        "features": flown.signature.names,
        "target": "late",
        "start": "2013-07-01",
        "end": "2013-08-01",
        "batch": 50,
        "delay_days": 5,
    }


def count(flown, table: str) -> int:
    return flown.store.value(f"select count(*) from {table}", name="predictions")


def test_every_row_is_sent_in_order_of_time_and_its_label_after_the_delay(flown, endpoint: Endpoint, plan) -> None:
    july = flown.between("2013-07-01", "2013-08-01")
    done = replay(JobContext.for_test(flown.store), plan)
    known = july.num_rows - july.column("late").null_count
    assert (done["rows"], done["labels"], done["errors"]) == (july.num_rows, known, 0)
    assert done["requests"] == len(endpoint.asked)
    rows = [body["params"] for path, body in endpoint.asked if path == "/invocations"]
    times = [time for params in rows for time in params["event_times"]]
    assert times == sorted(times)
    happened = {key: time for params in rows for key, time in zip(params["keys"], params["event_times"], strict=True)}
    following = None  # event time of the next rows; after the last ones time goes on without rows
    for path, body in reversed(endpoint.asked):
        if path == "/invocations":
            following = body["params"]["event_times"][0]
        elif following is not None:
            assert all(happened[actual["key"]] + 5 * DAY_MS <= following for actual in body["actuals"])
    truths = dict(zip(july.column("id").to_pylist(), july.column("late").to_pylist(), strict=True))
    told = {int(a["key"]): a["actual"] for path, body in endpoint.asked if path == "/feedback" for a in body["actuals"]}
    assert told == {key: truth for key, truth in truths.items() if truth is not None}


def test_a_replay_that_was_stopped_goes_on_where_it_was(flown, endpoint: Endpoint, plan) -> None:
    context = JobContext.for_test(flown.store)
    take = endpoint.take

    def stop_after_five(path: str, body: dict) -> None:
        take(path, body)
        if len(endpoint.asked) == 5:
            context.stop.set()

    endpoint.take = stop_after_five  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        replay(context, plan)
    sent = count(flown, "predictions")
    assert 0 < sent <= 250
    endpoint.take = take  # type: ignore[method-assign]
    done = replay(JobContext.for_test(flown.store), plan)
    assert done["already_sent"] == sent
    assert count(flown, "predictions") == 31 * 30
    assert flown.store.value("select count(distinct row_key) from predictions", name="predictions") == 31 * 30
    again = replay(JobContext.for_test(flown.store), plan)
    assert (again["rows"], again["labels"], again["requests"]) == (0, 0, 0)


def test_a_sample_is_the_same_rows_every_time_and_nested_in_a_larger_one(flown) -> None:
    span = {"start": parse_ms("2013-07-01"), "end": parse_ms("2013-10-01")}
    small, large, whole = (
        set(read_traffic(rows_of(flown.version, "late"), ["wind"], sample=share, **span).keys)
        for share in (0.2, 0.5, 1.0)
    )
    assert small < large < whole
    assert len(small) / len(whole) == pytest.approx(0.2, abs=0.03)
    assert small == {key for key in whole if chance(key) < 0.2}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_any_file_with_times_is_replayed_and_goes_on_where_it_was(
    flown, endpoint: Endpoint, monkeypatch, tmp_path, suffix: str
) -> None:
    monkeypatch.setattr("lemnis.engine.jobs.JobsRoom.ensure_supervisor", lambda _: None)
    rows = flown.between("2013-07-01", "2013-07-03").rename_columns(
        ["id", "flown", "carrier", "wind", "distance", "holiday", "was_late"]
    )
    rows = pa.concat_tables([rows, rows.slice(0, 1)]).drop_columns("id")
    path = tmp_path / f"other.{suffix}"
    (pacsv.write_csv if suffix == "csv" else pq.write_table)(rows, path)
    with flown.store.write() as db:
        db.execute("update endpoints set port = ?", [endpoint.server.server_port])
    job_id = flown.room.start_replay("late", source=File(path=path, time="flown", label="was_late"), delay_days=1)
    arguments = json.loads(flown.store.value("select arguments from jobs where id = ?", [job_id]))
    done = replay(JobContext.for_test(flown.store), arguments)
    known = 61 - rows.column("was_late").null_count
    assert (done["rows"], done["labels"], done["errors"]) == (61, known, 0)
    sent = [row for path, body in endpoint.asked if "inv" in path for row in body["dataframe_split"]["data"]]
    assert sorted(map(str, sent)) == sorted(
        str(list(row.values())) for row in rows.select(flown.signature.names).to_pylist()
    )
    again = replay(JobContext.for_test(flown.store), arguments)
    assert (again["already_sent"], again["requests"]) == (61, 0)


def test_a_file_that_can_not_be_replayed_is_refused_in_words(flown, tmp_path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("flown,carrier,wind\n10,AA,1.5\n")
    for file, said in (
        (File(path=tmp_path / "none.csv", time="flown"), "There is no file"),
        (File(path=path, time="flown"), "no column distance and holiday"),
        (File(path=Path(__file__), time="flown"), "no Parquet or CSV file"),
    ):
        with pytest.raises((BadInput, NotFound), match=said):
            flown.room.start_replay("late", source=file)
    path.write_text("flown,carrier,wind,distance,holiday\n10,AA,1.5,1,true\n")
    with pytest.raises(BadInput, match="holds int64, no times"):
        flown.room.start_replay("late", source=File(path=path, time="flown"))
    assert told_apart(["a", "b", "a", "a"]) == ["a", "b", "a-1", "a-2"]


def test_an_endpoint_that_is_being_restarted_is_waited_for(flown, endpoint: Endpoint, plan, monkeypatch) -> None:
    monkeypatch.setattr(replaying, "AGAIN_S", 0.01)
    endpoint.script = [200, 503, 503, 200]
    done = replay(JobContext.for_test(flown.store), plan | {"end": "2013-07-08"})
    assert (done["rows"], done["errors"]) == (210, 0)


def test_a_refused_batch_is_counted_and_the_rest_still_goes(flown, endpoint: Endpoint, plan) -> None:
    endpoint.script = [400]
    done = replay(JobContext.for_test(flown.store), plan)
    assert done["errors"] == 1
    assert done["rows"] == 31 * 30 - 50


def test_an_endpoint_that_refuses_everything_ends_the_replay_with_its_words(flown, endpoint: Endpoint, plan) -> None:
    endpoint.script = [422] * 99
    with pytest.raises(BadInput, match=r'5 requests in a row: 422 .*"no"'):
        replay(JobContext.for_test(flown.store), plan)


def test_an_endpoint_that_is_gone_is_said_to_be_away(flown, endpoint: Endpoint, plan, monkeypatch) -> None:
    monkeypatch.setattr(replaying, "PATIENCE_S", 0.05)
    monkeypatch.setattr(replaying, "AGAIN_S", 0.01)
    with pytest.raises(Unavailable, match="was away"):
        replay(JobContext.for_test(flown.store), plan | {"url": "http://127.0.0.1:1"})


def test_a_paced_replay_keeps_event_time_and_stops_at_once(flown) -> None:
    context = JobContext.for_test(flown.store)
    waits = []

    class Stop:
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            context.stop = threading.Event()
            context.stop.set()
            return True

        def is_set(self) -> bool:
            return False

    context.stop = Stop()  # type: ignore[assignment]
    pace = Pace(DAY_MS / 1000)
    pace.wait(0, context)
    assert waits == []
    pace.wait(DAY_MS // 2, context)
    assert waits == [pytest.approx(0.5, abs=0.05)]


def test_a_replay_is_queued_for_what_the_endpoint_serves(flown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.engine.jobs.JobsRoom.ensure_supervisor", lambda _: None)
    job_id = flown.room.start_replay("late", start="2013-07-01", end="2013-08-01", sample=0.1)
    arguments = json.loads(flown.store.value("select arguments from jobs where id = ?", [job_id]))
    assert arguments["features"] == flown.signature.names
    assert arguments["version"] == flown.version.id
    assert [replay.job_id for replay in flown.room.replays()] == [job_id]
    assert flown.store.value("select module from services where name = 'monitor'") == "lemnis.engine.monitor.watch"
    with pytest.raises(BadInput, match="already"):
        flown.room.start_replay("late", start="2013-07-01", end="2013-08-01")
    flown.room.stop_replay(job_id)
    assert flown.room.replays() == []
    assert [replay.job_id for replay in flown.room.status().paused] == [job_id]
    flown.room.resume_replay(job_id)
    assert [replay.state for replay in flown.room.replays()] == ["queued"]
    assert flown.room.status().paused == []


def test_what_a_replay_would_send_is_counted_without_sending_it(flown, tmp_path) -> None:
    rows = flown.between("2013-07-01", "2013-07-03")
    path = tmp_path / "other.parquet"
    pq.write_table(rows, path)
    found = flown.room.plan_replay("late", source=File(path=path), speed=86_400.0, delay_days=0.0)
    assert (found.title, found.rows, found.begins) == ("other.parquet", len(rows), parse_ms("2013-07-01"))
    assert found.seconds == pytest.approx((found.ends - found.begins) / 86_400_000)
    july = flown.room.plan_replay("late", start="2013-07-01", end="2013-07-03", sample=0.5)
    assert (july.rows, july.seconds) == (len(rows) // 2, None)
    with pytest.raises(BadInput, match="No row of other"):
        flown.room.plan_replay("late", source=File(path=path), start="2014-01-01")
    assert flown.room.columns_of(File(path=path))[1] == ["flown"]
    pq.write_table(rows.drop_columns("flown"), path)
    with pytest.raises(BadInput, match="has no column of times"):
        flown.room.plan_replay("late", source=File(path=path))
    assert flown.room.replays() == []


@pytest.mark.parametrize(
    ("start", "end", "sample", "error"),
    [
        ("July", "2013-08-01", 1.0, BadInput),
        ("2013-08-01", "2013-07-01", 1.0, BadInput),
        ("2013-07-01", "2013-08-01", 0.0, BadInput),
    ],
)
def test_a_replay_that_can_not_be_is_refused(flown, start: str, end: str, sample: float, error) -> None:
    with pytest.raises(error):
        flown.room.start_replay("late", start=start, end=end, sample=sample)


def test_a_replay_to_nowhere_is_refused(flown) -> None:
    with pytest.raises(NotFound):
        flown.room.start_replay("nowhere", start="2013-07-01", end="2013-08-01")


def test_feedback_is_judged_by_the_target(flown) -> None:
    assert flown.room.feedback("late", [("1", 1), ("2", "0"), ("3", True)]) == 3
    assert count(flown, "actuals") == 3
    with pytest.raises(BadInput, match="no value of late"):
        flown.room.feedback("late", [("4", "maybe")])
    assert count(flown, "actuals") == 3
