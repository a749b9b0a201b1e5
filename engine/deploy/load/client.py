"""The asking side of a load test: kept connections that ask again as soon as they are answered."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.deploy.records import Cell
from lemnis.engine.features.signature import Feature, Signature

BODIES = 16  # different requests that are asked in turn
WARM_UP_S = 0.3


class Asked:
    """What came of asking.

    Attributes:
        waits: Seconds from a request's first byte to its answer's last, of those answered with 200.
        errors: Other answers, and connections that were lost.
    """

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.errors = 0


class Client(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, requests: Sequence[bytes], asked: Asked) -> None:
        self.asked = asked
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = itertools.cycle(requests)
        self._got, self._began, self._over = b"", 0.0, False

    def connection_made(self, transport: Any) -> None:  # Any: asyncio types it as a base class without write
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self._began = monotonic_s()
        self.transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < body_length(head):
            return
        if head.startswith(b"HTTP/1.1 200"):
            self.asked.waits.append(monotonic_s() - self._began)
        else:
            self.asked.errors += 1
        self._got = b""
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self.asked.errors += 1
        self.lost.set_result(None)

    def close(self) -> None:
        """End the connection, whatever is under way."""
        self._over = True
        self.transport.abort()


def body_length(head: bytes) -> int:
    """Return how long an answer's body is."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or b"0")


async def ask(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> tuple[Asked, float]:
    """Ask over several connections for a while; return what came of it and how many seconds it was."""
    loop, asked = asyncio.get_running_loop(), Asked()
    clients: list[Client] = []
    for place in range(connections):
        turned = [*requests[place % len(requests) :], *requests[: place % len(requests)]]
        _, client = await loop.create_connection(lambda turned=turned: Client(turned, asked), "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(WARM_UP_S)
    asked.waits.clear()
    began = monotonic_s()
    await asyncio.sleep(seconds)
    elapsed = monotonic_s() - began
    answered = Asked()
    answered.waits, answered.errors = list(asked.waits), asked.errors
    for client in clients:
        client.close()
        await client.lost
    return answered, elapsed


def requests_of(model: str, signature: Signature, rows: Sequence[dict[str, Cell]], batch: int) -> list[bytes]:
    """Return infer requests of so many rows each, made of the golden rows in turn."""
    turning = itertools.cycle(rows)
    return [request_of(model, signature, [next(turning) for _ in range(batch)]) for _ in range(min(BODIES, len(rows)))]


def request_of(model: str, signature: Signature, rows: Sequence[dict[str, Cell]]) -> bytes:
    """Return one request of the Open Inference Protocol as bytes."""
    inputs = [
        {
            "name": feature.name,
            "shape": [len(rows)],
            "datatype": datatype(feature),
            "data": [row[feature.name] for row in rows],
        }
        for feature in signature.features
    ]
    body = msgspec.json.encode({"inputs": inputs})
    head = (
        f"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def datatype(feature: Feature) -> str:
    """Return the protocol's name of a feature's type."""
    if feature.kind == "categorical":
        return "BYTES"
    return "BOOL" if feature.logical else "FP64"
