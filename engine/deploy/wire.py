"""HTTP on the wire: uvicorn's httptools protocol with bounds on headers, time and connections."""

import math
from typing import Any

from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEADER_S = 5.0
BODY_S = 10.0
MOST_CONNECTIONS = 1024
LONGEST_URL = 8_192
LONGEST_HEADERS = 32_768
MOST_HEADERS = 100


class BoundedHttp(HttpToolsProtocol):
    """One connection that can't make the server wait or remember without end."""

    # Any: uvicorn's own records, handed through.
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deadline = self.loop.time() + HEADER_S
        self._heading = True
        self._messages = self._received = self._header_bytes = 0

    def connection_made(self, transport: Any) -> None:  # Any: asyncio's and uvloop's transports
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.deadline == math.inf:
            self.deadline = self.loop.time() + HEADER_S
        begun = self._messages
        super().data_received(data)
        if self._heading and self._messages == begun:  # still inside the headers that an earlier read began
            self._received += len(data)
            if self._received > LONGEST_HEADERS:
                self.refuse(431, "The headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.deadline = self.loop.time() + HEADER_S
        self._messages += 1
        self._heading, self._received, self._header_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LONGEST_URL:
            self.refuse(414, "The address is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > LONGEST_HEADERS or len(self.headers) > MOST_HEADERS:
            self.refuse(431, "The headers are too long.")

    def on_headers_complete(self) -> None:
        self._heading = False
        self.deadline = self.loop.time() + BODY_S
        if not self.transport.is_closing():
            self.begin()

    def begin(self) -> None:
        """Let the application answer; the body is still to come."""
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.deadline = math.inf
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def refuse(self, status: int, reason: str) -> None:
        """Answer once, and close."""
        if self.transport.is_closing():
            return
        body = reason.encode()
        length = str(len(body)).encode()
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: text/plain; charset=utf-8\r\ncontent-length: "
            + length
            + b"\r\nconnection: close\r\n\r\n"
            + body
        )
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.refuse(400, msg)


class BoundedServer(Server):
    """A uvicorn server that cuts slow connections off once a second."""

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            self.cut_off()
        return await super().on_tick(counter)

    def cut_off(self) -> None:
        """Close every connection whose request is not complete in time."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedHttp) and connection.deadline < connection.loop.time():
                connection.refuse(408, "The request took too long.")
