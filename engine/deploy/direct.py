"""The short way of small requests for predictions: answered as soon as they are read, without ASGI's task and events.

Only what comes plain and alone goes this way; everything else goes through ASGI, to the same answers. A client sends
the same head again and again: one that was read before is known by its bytes and not read anew.
"""

import math
import time
from typing import Any, NamedTuple, Protocol, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from lemnis.engine.deploy import wire
from lemnis.engine.deploy.asgi import Head, Headers, Response
from lemnis.engine.deploy.wire import BoundedHttp

END = b"\r\n\r\n"
LARGEST_BODY = 32_768
LONGEST_HEAD = 2_048
MOST_HEADS = 512
CLOSE = (b"connection", b"close")


class Known(NamedTuple):
    """A head that was read before and was fit for the short way, and how many bytes its body has."""

    head: Head
    length: int


class Direct(Protocol):
    """An application that can answer without ASGI.

    Attributes:
        heads: What was read, by its bytes: they say the same on every connection. A head with a wrong token is never
            among them, and it is found by its hash, so how long that takes tells nothing of a right one.
    """

    heads: dict[bytes, Known]

    def direct(self, path: str, headers: Headers) -> Head | None: ...

    def answer(self, head: Head, body: bytes, began: int) -> Response | None: ...


class DirectHttp(BoundedHttp):
    """One connection whose small requests are answered at once."""

    # Any: uvicorn's own records, handed through.
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._application = cast(Direct, self.app)
        self._asked: Head | None = None  # of the request that is being read, if it is fit for the short way
        self._read: Known | None = None  # of the last that was read whole and answered at once
        self._body, self._began = b"", 0
        self._held = b""  # a known head whose body is still to come
        self._between = True  # nothing of a request was read yet
        self._before = 0  # messages that had begun before the data that is being read
        self._quiet_since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if not self._between or not self._free():
            self._parse(data)
            return
        end = data.find(END, 0, LONGEST_HEAD) + len(END)
        known = self._application.heads.get(data[:end])
        if known is None:
            self._parse(data)
            # The lengths agree only if the head ended at its first empty line and nothing followed the body.
            if self._read is not None and len(data) == end + self._read.length:
                self._remember(data[:end], self._read)
            return
        if len(data) == end + known.length:
            if not self._answered(known.head, data[end:], time.perf_counter_ns()):
                self._parse(data)
        elif len(data) == end:
            self._held = data
            self.deadline = self.loop.time() + wire.BODY_S
        else:
            self._parse(data)

    def on_message_begin(self) -> None:
        self._between, self._asked, self._body = False, None, b""
        super().on_message_begin()

    def begin(self) -> None:
        # One a read: a client that sends hundreds at once must not keep the others waiting.
        if self._messages == self._before + 1 and self._free():
            self._began, self._asked = time.perf_counter_ns(), self._plain()
        if self._asked is None:
            super().begin()

    def on_body(self, body: bytes) -> None:
        if self._asked is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        self._between = True
        asked, self._asked = self._asked, None
        if asked is not None and not self.transport.is_closing():
            if self._answered(asked, self._body, self._began):
                self._read = Known(asked, len(self._body))
                return
            self._hand_over()
        super().on_message_complete()

    def shutdown(self) -> None:
        if self._held:
            self._parse(self._held)
            self._held = b""
        if self._asked is not None:  # it is still being read, and is to be answered before the connection ends
            self._asked = None
            self._hand_over()
        super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        rest = self._quiet_since + self.timeout_keep_alive - self.loop.time()
        if rest > 0 or self._held:
            self._wait_quietly(max(rest, 1.0))
        else:
            super().timeout_keep_alive_handler()

    def _parse(self, data: bytes) -> None:
        self._before, self._read = self._messages, None
        super().data_received(data)

    def _free(self) -> bool:
        """Say whether every answer before has gone out, so that the next one may."""
        ended = not self.cycle or self.cycle.response_complete
        return ended and not self.pipeline and not self.flow.write_paused and not self.transport.is_closing()

    def _plain(self) -> Head | None:
        """Return the head that was just read, None if it is not fit for the short way."""
        parser = self.parser
        assert parser is not None  # as long as it calls
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return None
        if parser.should_upgrade() or self.expect_100_continue:
            return None
        length = next(
            (int(value) for name, value in self.headers if name == b"content-length"), math.inf
        )  # chunked: inf
        return None if length > LARGEST_BODY else self._application.direct(self.url.decode("latin-1"), self.headers)

    def _hand_over(self) -> None:
        """Let ASGI answer what was meant for the short way."""
        super().begin()
        super().on_body(self._body)

    def _remember(self, head: bytes, known: Known) -> None:
        heads = self._application.heads
        if len(heads) >= MOST_HEADS:
            del heads[next(iter(heads))]
        heads[head] = known

    def _answered(self, head: Head, body: bytes, began: int) -> bool:
        """Answer a request if that can be done at once, and say so."""
        response = self._application.answer(head, body, began)
        if response is None:
            return False
        self.deadline, self._quiet_since = math.inf, self.loop.time()
        parts = [STATUS_LINE[response.status]]
        for name, value in (*self.server_state.default_headers, *response.headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"content-length: ", str(len(response.body)).encode(), END, response.body)
        self.transport.write(b"".join(parts))
        if CLOSE in response.headers:
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self._wait_quietly(self.timeout_keep_alive)
        return True

    def _wait_quietly(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
