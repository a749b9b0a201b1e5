"""Small requests are answered at once, with the same answers as through ASGI, however their bytes arrive."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from lemnis.engine.deploy import direct, wire
from lemnis.engine.deploy.asgi import Head, Headers, Response, error_response, read_body
from lemnis.engine.deploy.direct import DirectHttp, Known
from lemnis.engine.deploy.server import server_config
from lemnis.engine.deploy.wire import BoundedHttp

PLAIN = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
STREAM = [
    PLAIN + b"first",
    PLAIN + b"large",
    PLAIN + b"later",  # the application wants it through ASGI
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Trace: 1\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST /other HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
    b"POST /echo HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + b"x" * 40_000,
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\r\n" + PLAIN + b"\r\n\r\n\r",
    b"\r\n\r\n" + PLAIN + b"first",
    f"POST /echo HTTP/1.1\r\nContent-Length: {len(PLAIN) + 5}\r\n\r\n".encode() + PLAIN + b"first",
]


class Echo:
    """Answers with what it was sent, at once or through ASGI."""

    def __init__(self) -> None:
        self.heads: dict[bytes, Known] = {}
        self.at_once = 0

    def direct(self, path: str, headers: Headers) -> Head | None:
        return Head(path, headers, "", None) if path == "/echo" else None

    def answer(self, head: Head, body: bytes, began: int) -> Response | None:
        if body == b"later":
            return None
        self.at_once += 1
        return error_response(413, "large") if body == b"large" else Response(200, body)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(receive)
        await asyncio.sleep(0)
        said = error_response(413, "large") if body == b"large" else Response(200, body)
        headers = [*said.headers, (b"content-length", str(len(said.body)).encode())]
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        await send({"type": "http.response.body", "body": said.body})


class Wire:
    """The other side of a connection: keeps what is written."""

    def __init__(self) -> None:
        self.said, self.closed = b"", False

    def get_extra_info(self, name: str) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.said += data

    def close(self) -> None:
        self.closed = True


async def conversation(kind: type[BoundedHttp], pieces: list[bytes], echo: Echo) -> bytes:
    """Return all that a connection answers to pieces that arrive one after another."""
    config = server_config(echo, kind)
    config.load()
    state, side = ServerState(), Wire()
    connection: Any = kind(config, state, {}, asyncio.get_running_loop())
    connection.connection_made(side)
    for piece in pieces:
        if not side.closed:
            connection.data_received(piece)
        await asyncio.sleep(0)
    while state.tasks:  # noqa: ASYNC110  # uvicorn sets a plain attribute
        await asyncio.sleep(0)
    connection.connection_lost(None)
    return side.said


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    whole = b"".join(draw(st.lists(st.sampled_from(STREAM), min_size=1, max_size=6)))
    telling = [found.end() for found in re.finditer(rb"\r\n\r\n|first|later|hi", whole)]
    places = sorted(draw(st.sets(st.sampled_from(telling) | st.integers(1, len(whole)), max_size=8)))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(cut_streams())
@example([PLAIN + b"first", PLAIN + b"later", PLAIN + b"first"])
@example([b"\r\n\r\n" + PLAIN + b"first", b"\r\n\r\nPOST "])
def test_however_the_bytes_arrive_the_answers_are_those_of_asgi(pieces: list[bytes]) -> None:
    echo = Echo()
    for _ in range(2):  # the second time with heads that are known
        said = asyncio.run(conversation(DirectHttp, pieces, echo))
        assert said == asyncio.run(conversation(BoundedHttp, pieces, Echo()))


async def test_what_comes_whole_is_answered_at_once_and_its_head_is_read_once() -> None:
    echo = Echo()
    said = await conversation(DirectHttp, [STREAM[0], STREAM[0], PLAIN, b"again"], echo)
    assert said.count(b"HTTP/1.1 200") == 3
    assert echo.at_once == 3
    assert list(echo.heads) == [PLAIN]


async def test_of_many_at_once_one_is_answered_before_others_get_their_turn() -> None:
    echo = Echo()
    said = await conversation(DirectHttp, [STREAM[0] * 20], echo)
    assert said.count(b"HTTP/1.1 200") == 20
    assert echo.at_once == 1


async def test_the_heads_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MOST_HEADS", 3)
    echo = Echo()
    asked = [PLAIN.replace(b"localhost", f"host{n}".encode()) + b"first" for n in range(9)]
    await conversation(DirectHttp, asked, echo)
    assert list(echo.heads) == [one.removesuffix(b"first") for one in asked[-3:]]


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    monkeypatch.setattr(wire, "BODY_S", 0.4)
    listening = socket.create_server(("127.0.0.1", 0))
    config = server_config(Echo(), DirectHttp)
    config.timeout_keep_alive = 1
    server = wire.BoundedServer(config)
    running = asyncio.create_task(server._serve([listening]))  # pyright: ignore[reportPrivateUsage]  # `run` takes the loop
    while not server.started:  # noqa: ASYNC110  # uvicorn sets a plain attribute
        await asyncio.sleep(0)
    yield listening.getsockname()
    server.should_exit = True
    await running


@pytest.mark.parametrize(("more", "ends"), [(b"", b"first"), (PLAIN, b"too long."), (PLAIN + b"ab", b"too long.")])
async def test_a_kept_connection_ends_when_it_is_quiet_or_slow(
    address: tuple[str, int], more: bytes, ends: bytes
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(STREAM[0])
    said = await reader.readuntil(b"first")
    writer.write(STREAM[0])
    said += await reader.readuntil(b"first")
    writer.write(more)
    said += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert said.endswith(ends)


@pytest.mark.parametrize("sent", [PLAIN, PLAIN + b"fi"])
async def test_a_request_that_is_being_read_is_answered_before_the_server_ends(sent: bytes) -> None:
    echo = Echo()
    config = server_config(echo, DirectHttp)
    config.load()
    state, side = ServerState(), Wire()
    connection: Any = DirectHttp(config, state, {}, asyncio.get_running_loop())
    connection.connection_made(side)
    connection.data_received(STREAM[0])
    connection.data_received(sent)
    connection.shutdown()
    assert not side.closed
    connection.data_received((PLAIN + b"first").removeprefix(sent))
    while state.tasks:  # noqa: ASYNC110  # uvicorn sets a plain attribute
        await asyncio.sleep(0)
    assert side.said.endswith(b"connection: close\r\n\r\nfirst")
    assert side.closed
    connection.connection_lost(None)
