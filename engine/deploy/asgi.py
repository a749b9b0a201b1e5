"""ASGI in and out: the headers and the bounded body of a request, and the responses that go back."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from lemnis.engine.deploy.protocol import Answered
from lemnis.engine.deploy.tensors import TooLarge
from lemnis.engine.errors import BadInput, LemnisError

# Any: ASGI's scope and events are dictionaries of mixed values.
Scope: TypeAlias = dict[str, Any]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

LARGEST_BODY = 16 << 20
LONGEST_READ = 4 * LARGEST_BODY  # of a body that is refused, so that its sender lives to read why
JSON = (b"content-type", b"application/json")


class Response(NamedTuple):
    """What goes back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = (JSON,)


class Head(NamedTuple):
    """What is asked for predictions with, before the body.

    Attributes:
        headers: With lower-case names.
        header_length: Bytes of the JSON part, None without binary tensors.
    """

    path: str
    headers: Headers
    content_type: str
    header_length: int | None


def head_of(path: str, headers: Headers) -> Head:
    """Return the head of a request for predictions.

    Raises:
        BadInput: The length of the JSON part is no number.
    """
    content_type, length = "", None
    for name, value in headers:
        if name == b"content-type":
            content_type = value.decode("latin-1")
        elif name == b"inference-header-content-length":
            if not value.isdigit() or len(value) > 12:
                raise BadInput("Inference-Header-Content-Length is no number.", "Give the length of the JSON part.")
            length = int(value)
    return Head(path, headers, content_type, length)


async def read_body(receive: Receive) -> bytes:
    """Return a whole body of at most LARGEST_BODY bytes.

    Raises:
        TooLarge: It is longer; what was sent is not kept.
        ConnectionError: The client left.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part, more = event.get("body", b""), event.get("more_body", False)
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        else:  # whoever still sends would see a broken connection instead of the reason
            parts.clear()
            more = more and size <= LONGEST_READ
    if size > LARGEST_BODY:
        raise TooLarge(f"The body is longer than {LARGEST_BODY:,} bytes.", "Send fewer rows at once.")
    return b"".join(parts)


def document(content: Any) -> Response:
    """Return a 200 with a JSON body. Any: what msgspec can encode."""
    return Response(200, msgspec.json.encode(content))


def sentence(error: LemnisError) -> str:
    """Return an error as the one line a client reads: what, where, and what to send instead."""
    place = f" ({error.place})" if error.place else ""
    return f"{error.problem}{place} {error.remedy}".strip()


def answer_response(answered: Answered) -> Response:
    """Return a 200 with predictions."""
    if answered.header_length is None:
        return Response(200, answered.body)
    length = (b"inference-header-content-length", str(answered.header_length).encode())
    return Response(200, answered.body, ((b"content-type", b"application/octet-stream"), length))


def error_response(status: int, reason: str, *headers: tuple[bytes, bytes]) -> Response:
    """Return a refusal in the protocol's form; a refused body is not read, so the connection ends with it."""
    closing = ((b"connection", b"close"),) if status in (401, 403, 413, 415) else ()
    return Response(status, msgspec.json.encode({"error": reason}), (JSON, *closing, *headers))
