"""What is typed, in its order: a key is given on once all that the one before it asked for is done.

Textual gives every key at once to what has the focus by then. Keys come together where the link is slow or a program
types them, and of `/x` the x would still go to the table, which stops a job for it.
"""

import asyncio
from collections import deque

from textual.events import Event, Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump

from lemnis.tui.theme import ThemedApp

PATIENCE_S = 0.5  # for a key whose way does not end, as what it went to was taken away or waits for a person


class Followed(Message):
    """Goes the way of a key behind it, through the same queues: it comes back after what the key has done.

    Attributes:
        event: The key.
        to: Where that way began.
    """

    def __init__(self, event: Event, to: MessagePump) -> None:
        super().__init__()
        self.event, self.to = event, to


class TypedApp(ThemedApp[None]):
    """An app that takes keys and pastes one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._line: deque[Event] = deque()  # those that wait
        self._taken: Event | None = None  # the one that is being done
        self._patience: asyncio.TimerHandle | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._taken is None:
            await self._take(event)
        else:
            self._line.append(event)

    async def _take(self, event: Event) -> None:
        self._taken, to = event, self._typed_to()
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self.call_later, self._take_next, event)
        await super().on_event(event)
        self._follow(event, to)

    def _typed_to(self) -> MessagePump:
        """Return what a key would go to now."""
        return self.focused or (self.screen if self.screen_stack else self)

    def _follow(self, event: Event, to: MessagePump) -> None:
        if not to.post_message(Followed(event, to)):
            self.call_later(self._take_next, event)

    def on_followed(self, message: Followed) -> None:
        message.stop()
        self.call_later(self._done, message.event, message.to)  # behind what moves the focus

    async def _done(self, event: Event, to: MessagePump) -> None:
        """Take the next key, unless this one moved the focus or opened something that is not there yet."""
        if self._taken is event and (now := self._typed_to()) is not to:
            self._follow(event, now)
        else:
            await self._take_next(event)

    async def _take_next(self, event: Event) -> None:
        if self._taken is event:
            self._taken = None
            if self._patience is not None:
                self._patience.cancel()
            if self._line:
                await self._take(self._line.popleft())
