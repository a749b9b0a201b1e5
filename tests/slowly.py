"""Clients that send one byte a second: `python slowly.py PORT COUNT`, until stdin is closed.

Prints how many are connected once all are, and at the end how often one was cut off and came again.
"""

import asyncio
import sys
from contextlib import suppress

HEAD = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Slow: "
PAUSE_S = 1.0


class Crowd:
    """So many slow clients, all at once."""

    def __init__(self, port: int, count: int) -> None:
        self.port, self.count = port, count
        self.connected = self.cut = 0
        self.stop = asyncio.Event()

    async def hang_on(self) -> None:
        """Be one client that never completes a request."""
        while not self.stop.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(PAUSE_S)
                continue
            self.connected += 1
            if self.connected == self.count:
                print(self.connected, flush=True)
            try:
                writer.write(HEAD)
                while not self.stop.is_set() and not reader.at_eof():
                    writer.write(b"z")
                    await writer.drain()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1), PAUSE_S)
            except OSError:
                pass
            finally:
                self.cut += 1
                self.connected -= 1
                writer.close()

    async def run(self) -> None:
        """Hang on until stdin is closed."""
        clients = [asyncio.create_task(self.hang_on()) for _ in range(self.count)]
        await asyncio.to_thread(sys.stdin.read)
        self.stop.set()
        await asyncio.wait(clients, timeout=5)
        print(self.cut, flush=True)


if __name__ == "__main__":
    asyncio.run(Crowd(int(sys.argv[1]), int(sys.argv[2])).run())
