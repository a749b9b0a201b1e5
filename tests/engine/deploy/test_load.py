"""Load tests: real HTTP to a server of its own, figures that add up, and an endpoint whose log stays untouched."""

import asyncio
from contextlib import suppress

import pytest
from late_flights import Bench

from lemnis.engine.deploy import DeployRoom, endpoints
from lemnis.engine.deploy.load.client import Asked, ask, body_length
from lemnis.engine.deploy.load.jobs import cell_of, load
from lemnis.engine.deploy.spool import spools
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs.context import JobContext


@pytest.fixture
def room(two_versions: Bench) -> DeployRoom:
    return two_versions.room


@pytest.mark.slow
def test_a_version_is_asked_over_http_and_nothing_of_it_is_logged_with_the_endpoint(room: DeployRoom) -> None:
    endpoints.start(room.store, room.jobs, "late", "late", "champion", host="127.0.0.1", port=0)
    job = room.start_load("late", connections=[1, 3], batches=[1, 7], seconds=0.2)
    arguments = room.jobs.job(job).arguments
    context = JobContext.for_test(room.store)
    load(context, arguments)
    (found,) = room.load_tests(model="late", version=1)
    assert room.load_tests(run_id=found.version + 99) == []
    assert [(one.connections, one.batch) for one in found.cells] == [(1, 1), (3, 1), (1, 7), (3, 7)]
    for one in found.cells:
        assert one.errors == 0
        assert one.requests > 0
        assert one.rows_per_s == pytest.approx(one.requests_per_s * one.batch, rel=0.01)
        assert 0 < (one.p50_ms or 0) <= (one.p90_ms or 0) <= (one.p99_ms or 0) <= (one.p999_ms or 0)
    assert found.cold_start_ms > 10
    assert found.idle_bytes > 1 << 20
    assert room.store.value("select count(*) from requests", name="predictions") == 0
    assert spools(room.store.workspace) == []
    assert not list(context.directory.glob("*/scratch"))


def test_what_can_not_be_asked_is_refused_before_it_is_queued(room: DeployRoom) -> None:
    with pytest.raises(NotFound):
        room.start_load("late")
    endpoints.start(room.store, room.jobs, "late", "late", "champion", host="127.0.0.1", port=0)
    plans: tuple[tuple[list[int], list[int], float], ...] = (
        ([0], [1], 1),
        ([1], [10_001], 1),
        ([1], [1], 0),
        ([], [1], 1),
    )
    for connections, batches, seconds in plans:
        with pytest.raises(BadInput, match="can't be made"):
            room.start_load("late", connections=connections, batches=batches, seconds=seconds)


def test_a_row_costs_what_the_core_costs_that_it_needed() -> None:
    cell = cell_of([0.001, 0.002, 0.003], 1, (2, 100), 2.0, 0.6, price=0.36)
    assert (cell.requests, cell.errors, cell.requests_per_s, cell.rows_per_s) == (3, 1, 1.5, 150.0)
    assert cell.p50_ms == pytest.approx(2.0)
    assert cell.cpu_us_per_row == pytest.approx(2000.0)
    assert cell.cost_per_million == pytest.approx(0.2)  # 2,000 s of a core
    nothing = cell_of([], 0, (1, 1), 1.0, 0.1, price=0.0)
    assert (nothing.p50_ms, nothing.cpu_us_per_row, nothing.cost_per_million) == (None, None, None)


async def test_an_answer_that_is_no_200_is_an_error_and_parts_of_an_answer_are_put_together() -> None:
    answers = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = 0
        with suppress(ConnectionError):
            while await reader.read(100):
                text = answers[place % 2]
                place += 1
                for part in (text[:10], text[10:]):
                    writer.write(part)
                    await asyncio.sleep(0.001)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    asked, _ = await ask(server.sockets[0].getsockname()[1], [b"ask"], 1, 0.1)
    await asyncio.wait_for(left.wait(), 10)
    server.close()
    assert isinstance(asked, Asked)
    assert asked.waits
    assert asked.errors
    assert body_length(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: 1") == 12
