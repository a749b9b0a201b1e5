"""When pictures are drawn: the answer to a key at once, everything else with it or a moment later, never too often."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.screen import Screen

from lemnis.engine.clock import monotonic_s
from lemnis.tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import App

TOGETHER_S = 0.008  # what nobody typed for waits for what comes with it, and so does a screen that opens
STUCK_S = 0.01  # so often it is looked whether a terminal takes more
MOST_PUT_OFF = 10  # times a screen that opens is waited for
WINDOW_S = 1.0


class Pace:
    """Says how long the next picture has to wait.

    Two answers to keys, and any picture after another, are a period apart; no second has more pictures than fit in it
    so. A key that is pressed after a while is answered at once, whatever was drawn just before it.
    """

    def __init__(self, most: int) -> None:
        """Allow so many pictures in any second."""
        self._most = most
        self._drawn: deque[float] = deque(maxlen=most)
        self._answered_s = -WINDOW_S

    def slow_down(self, most: int) -> None:
        """Allow so many pictures in any second from now on."""
        self._most = most
        self._drawn = deque(self._drawn, maxlen=most)

    def drew(self, now_s: float, *, answer: bool) -> None:
        """Count a picture; whether it answers a key."""
        self._drawn.append(now_s)
        if answer:
            self._answered_s = now_s

    def wait_s(self, now_s: float, *, answer: bool) -> float:
        """Return after how many seconds the next picture may be drawn; whether it answers a key."""
        full = len(self._drawn) == self._most
        free_s = self._drawn[0] + WINDOW_S if full else now_s
        last_s = self._answered_s if answer else self._drawn[-1] if self._drawn else -WINDOW_S
        begun = len(self._drawn) > 1  # the second ends the first: scroll bars come once what they move is placed
        return max(free_s, last_s + WINDOW_S / self._most) - now_s if begun else 0.0


class Typed(Protocol):
    """A terminal that counts what a person typed, and of that what a picture answered."""

    pace: Pace
    heard: int
    answering: int
    answered: int

    @property
    def stuck(self) -> bool:
        """Whether pictures that were sent have not been taken yet."""
        ...


class PictureTimer:
    """Stands in for the timer by which a screen is drawn, which ticks on a grid: a key could wait for two ticks.

    A screen is drawn by it alone, and once what it is made of is there: Textual draws one that opens before that, with
    all that is behind it, and again whenever it is placed.
    """

    def __init__(self, screen: Screen[Any], terminal: Typed) -> None:  # Any: a screen's answer is its own affair
        self.screen, self.terminal = screen, terminal
        self._due: asyncio.TimerHandle | None = None
        self._drawing, self._put_off = False, 0
        self._heard = 0  # what was typed when it was asked for

    def resume(self, *, complete: bool = False) -> None:
        """Draw the screen as soon as the pace allows it; one that is not known to be complete a moment later."""
        terminal = self.terminal
        if self._due is not None and self._heard == terminal.heard:
            return
        self.pause()
        self._heard = terminal.heard
        answer = terminal.heard != terminal.answered
        wait_s = terminal.pace.wait_s(monotonic_s(), answer=answer)
        whole = self.screen._repaint_required  # pyright: ignore[reportPrivateUsage]
        least_s = TOGETHER_S if not complete and (whole or not answer) else 0.0
        self._due = asyncio.get_running_loop().call_later(max(wait_s, least_s), self._draw)

    def pause(self) -> None:
        """Draw nothing until it is asked for again."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    stop = pause

    def refresh(self) -> None:
        """Draw what has changed where it is time to; else as soon as it is."""
        screen = self.screen
        if not self._drawing:
            self.resume()
        elif screen._compositor._dirty_regions or not self._behind:  # pyright: ignore[reportPrivateUsage]
            type(screen)._compositor_refresh(screen)  # pyright: ignore[reportPrivateUsage]

    @property
    def _behind(self) -> bool:
        """Whether another screen stands over this one, and draws what is seen of it when it opens."""
        return self.screen.app.screen is not self.screen

    def _draw(self) -> None:
        if self.terminal.stuck:  # a later picture is worth more than all that would stand in line before it
            self._due = asyncio.get_running_loop().call_later(STUCK_S, self._draw)
            return
        # A key that came meanwhile: the picture is to show what it does.
        if self._heard != self.terminal.heard or self._opens():
            self._heard = self.terminal.heard
            self._due = asyncio.get_running_loop().call_later(TOGETHER_S, self._draw)
            return
        self._due = None
        app = cast("App[Any]", self.screen.app)
        if app._exit:  # pyright: ignore[reportPrivateUsage]
            return
        self.terminal.answering, self._drawing = self._heard, True
        try:
            self._draw_once()
            self.screen._on_timer_update()  # pyright: ignore[reportPrivateUsage]
            self._draw_rest()
        except Exception as error:  # as in Textual's timer
            app._handle_exception(error)  # pyright: ignore[reportPrivateUsage]
        finally:
            self._drawing = False

    def _opens(self) -> bool:
        """Say whether to wait for what a screen that opens is to show."""
        self._put_off += 1
        return self._put_off <= MOST_PUT_OFF and isinstance(self.screen, Dialog) and not self.screen.complete

    def _draw_once(self) -> None:
        """Have a screen that is placed anew and drawn whole do so in one picture; Textual makes two.

        Its size is the one it is placed in: of a terminal that has just been resized the screen is told a moment later.
        """
        screen = self.screen
        placed = screen.is_current and not screen.app._batch_count  # pyright: ignore[reportPrivateUsage]
        if placed and self._behind and not screen._layout_required:  # pyright: ignore[reportPrivateUsage]
            screen._repaint_required = False  # pyright: ignore[reportPrivateUsage]  # what opened over it drew it too
        if placed and screen._layout_required and screen._repaint_required:  # pyright: ignore[reportPrivateUsage]
            screen._repaint_required = False  # pyright: ignore[reportPrivateUsage]
            screen._compositor._dirty_regions.add(screen.outer_size.region)  # pyright: ignore[reportPrivateUsage]

    def _draw_rest(self) -> None:
        """Draw what was placed before its time had come, and did not change otherwise."""
        screen = self.screen
        placed = screen.is_current and not screen.app._batch_count  # pyright: ignore[reportPrivateUsage]
        if placed and screen._compositor._dirty_regions:  # pyright: ignore[reportPrivateUsage]
            screen._compositor_refresh()  # pyright: ignore[reportPrivateUsage]


def time_by(terminal: Typed, screen: Screen[Any]) -> None:  # Any: a screen's answer is its own affair
    """Have a screen drawn when a terminal's pace allows it."""
    own = vars(screen)
    if not own["_Screen__update_timer"]:
        own["_Screen__update_timer"] = timer = PictureTimer(screen, terminal)
        own["_compositor_refresh"] = timer.refresh


def draw_whole(screen: Screen[Any]) -> None:  # Any: a screen's answer is its own affair
    """Draw a screen to which nothing more will come as soon as the terminal's pace allows it."""
    timer = vars(screen)["_Screen__update_timer"]
    if isinstance(timer, PictureTimer):
        timer.pause()
        timer.resume(complete=True)
