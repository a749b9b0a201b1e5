"""Slow clients are cut off, and the connections are bounded."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn import Config

from lemnis.engine.deploy import wire


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    monkeypatch.setattr(wire, "HEADER_S", 0.2)
    monkeypatch.setattr(wire, "BODY_S", 0.4)
    monkeypatch.setattr(wire, "MOST_CONNECTIONS", 3)
    listening = socket.create_server(("127.0.0.1", 0))
    server = wire.BoundedServer(
        Config(echo, http=wire.BoundedHttp, lifespan="off", ws="none", log_level="critical", timeout_keep_alive=1)
    )
    running = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110  # uvicorn sets a plain attribute
        await asyncio.sleep(0)
    yield listening.getsockname()
    server.should_exit = True
    await running


async def answer(address: tuple[str, int], start: bytes) -> bytes:
    """Send and read until the server closes."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(start)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until it is: one left behind is told by whatever test runs next."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12",
    ],
)
async def test_a_request_that_is_not_complete_in_time_is_cut_off(address: tuple[str, int], start: bytes) -> None:
    assert (await answer(address, start)).startswith(b"HTTP/1.1 408")


async def test_an_idle_connection_is_closed_after_its_answer(address: tuple[str, int]) -> None:
    said = await answer(address, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok")
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"ok")


async def test_pipelined_requests_are_all_answered(address: tuple[str, int]) -> None:
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok"
    said = await answer(address, request * 2000)
    assert said.count(b"HTTP/1.1 200") == 2000


async def test_a_connection_beyond_the_bound_is_dropped(address: tuple[str, int]) -> None:
    held = [await asyncio.open_connection(*address) for _ in range(3)]
    reader, writer = await asyncio.open_connection(*address)
    try:
        assert await reader.read() == b""
    except ConnectionError:
        pass
    finally:
        for _, opened in [*held, (reader, writer)]:
            await closed(opened)
