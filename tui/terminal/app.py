"""The part of the console that deals with its terminal: signals, the mouse, a crash."""

import asyncio
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from textual._context import active_message_pump
from textual.await_remove import AwaitRemove
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Size
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets._toast import ToastHolder

from lemnis.engine.clock import monotonic_s
from lemnis.tui.bugs import unexpected
from lemnis.tui.language import _
from lemnis.tui.terminal.behind import draw_behind
from lemnis.tui.terminal.caches import bound_caches
from lemnis.tui.terminal.composing import draw_seen
from lemnis.tui.terminal.driver import TerminalDriver
from lemnis.tui.terminal.pictures import draw_whole, time_by
from lemnis.tui.terminal.strips import spare_caches
from lemnis.tui.terminal.traffic import rarer
from lemnis.tui.terminal.typed import TypedApp
from lemnis.tui.widgets.bars import FactLine

LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
SLOW_PICTURES = 4  # a second
Frame = TypeVar("Frame", bound=Widget)


def is_leaving(pump: MessagePump | None) -> bool:
    """Say whether a widget is being taken away, alone or with what it is in."""
    nodes = pump.ancestors_with_self if isinstance(pump, Widget) else []
    return any(node._pruning or node._closing for node in nodes)  # pyright: ignore[reportPrivateUsage]


def searched(error: NoMatches) -> MessagePump | None:
    """Return the widget in which nothing was found; a screen calls what widgets ask it to call later, as itself."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    asked = frames[-1].f_locals.get("self") if frames else None
    return asked if isinstance(asked, MessagePump) else None


def unless_placed(screen: Screen[Any]) -> Callable[[Size], None]:
    """Return what places a screen in a size, if it isn't in that already; one that opens is told of its own."""

    def resized(size: Size) -> None:
        if screen._compositor.size != size:  # pyright: ignore[reportPrivateUsage]
            type(screen)._screen_resized(screen, size)  # pyright: ignore[reportPrivateUsage]

    return resized


class TerminalApp(TypedApp):
    """An app on the terminal of this process.

    Attributes:
        mouse_on: Whether the mouse is reported; off, the terminal itself selects text.
        debug_crash: Show the traceback of a crash.
        slow: Whether the link is slow: asked for, or measured.
        held: Nothing is drawn yet: what is to be seen next is being read.
    """

    def __init__(self) -> None:
        spare_caches()
        bound_caches()
        super().__init__()
        self.mouse_on, self.debug_crash, self.slow, self.held = True, False, False, False
        self._awaited = set[str]()  # what the picture that is held waits for
        self._holding: Timer | None = None
        draw_behind()
        draw_seen()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what changes lines before they are drawn: not Textual's copy of each in which every colour is RGB.

        Ours are that already, and a terminal knows the others itself.
        """
        return [kept for kept in super().get_line_filters() if not isinstance(kept, ANSIToTruecolor)]

    def timed(self, screen: Screen[Any]) -> Screen[Any]:
        """Have a screen drawn when the terminal's pace allows it; returns the screen."""
        if isinstance(self._driver, TerminalDriver):
            time_by(self._driver, screen)
            vars(screen)["_screen_resized"] = unless_placed(screen)
        return screen

    # Any: as Textual's own, which takes a name or a screen and returns a screen of that kind.
    def get_screen(self, screen: Any, screen_class: Any = None) -> Any:
        return self.timed(super().get_screen(screen, screen_class))

    def hold_picture(self, *parts: str, seconds: float) -> None:
        """Draw nothing before all these parts have come, for so long at most.

        A picture of what isn't true any more costs as much as a full one, and over SSH the next one waits for its turn.
        Not where a program looks on: that waits for what is drawn.
        """
        if not self.is_headless and not self.held:
            self.held, self._awaited = True, set(parts)
            self._begin_batch()
            self._holding = self.set_timer(seconds, self.give_picture)

    def place_unseen(self) -> bool:
        """Place what the picture that is held will show; returns whether there was something to place."""
        screen = self.screen
        required = screen._layout_required  # pyright: ignore[reportPrivateUsage]
        if required:
            screen._layout_required = False  # pyright: ignore[reportPrivateUsage]
            screen._refresh_layout()  # pyright: ignore[reportPrivateUsage]
        return required

    def has_come(self, part: str) -> None:
        """Draw, if this is the last part of the picture that is held."""
        self._awaited.discard(part)
        if not self._awaited:
            self.give_picture()

    def give_picture(self) -> None:
        """Draw what there is, and from now on what changes."""
        if self.held:
            self.held = False
            if self._holding is not None:
                self._holding.stop()
            self._end_batch()
            self.screen.refresh()
            draw_whole(self.screen)

    def on_link_measured(self) -> None:
        """Draw more rarely where the terminal is far away."""
        driver = self._driver
        if not self.slow and isinstance(driver, TerminalDriver) and driver.traffic.slow:
            self.slow = True
            driver.pace.slow_down(SLOW_PICTURES)
            self.notify(
                _("{link}: drawn {times} times a second, read {rarer} times more rarely.").format(
                    link=self._link(), times=SLOW_PICTURES, rarer=self.rarer
                ),
                title=_("Slow link"),
                markup=False,
            )

    def framing(self, kind: type[Frame]) -> Sequence[Frame]:
        """Return the widget of this kind around the stages; none while the console is leaving."""
        around = self.screen_stack[0].children if self.screen_stack else ()
        return [widget for widget in around if isinstance(widget, kind)]  # a query would look at every tab's widgets

    def action_redraw(self) -> None:
        """Send the whole picture, whatever the terminal shows."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.forget_picture()
        self.refresh(layout=True)

    def action_link(self) -> None:
        """Say how far away the terminal is and how much is sent to it."""
        self.notify(self._link() if isinstance(self._driver, TerminalDriver) else "A browser draws this.", markup=False)

    @property
    def rarer(self) -> int:
        """How many times more rarely than near the engine things are read again."""
        if not self.slow:
            return 1
        return rarer(self._driver.traffic.round_trip_s if isinstance(self._driver, TerminalDriver) else None)

    def _link(self) -> str:
        if not isinstance(self._driver, TerminalDriver):
            return ""
        traffic = self._driver.traffic
        sent, pictures = traffic.rates(monotonic_s())
        round_trip = "no answer yet" if traffic.round_trip_s is None else f"{traffic.round_trip_s * 1000:.0f} ms"
        return f"Round trip {round_trip}; {sent:,.0f} bytes and {pictures:.1f} pictures a second"

    def heed_signals(self) -> None:
        """Leave on the signals that ask for it, with 128 + n as the exit code."""
        if not self.is_headless:
            for number in LEAVING:
                asyncio.get_running_loop().add_signal_handler(number, self.leave, 128 + number)

    def leave(self, code: int) -> None:
        """Leave with an exit code; the terminal is restored on the way out."""
        self.exit(return_code=code)

    # Any: whatever the function takes.
    def call_later(self, callback: Callable[..., object], *arguments: Any, **options: Any) -> bool:
        """Call a function soon; one of a widget that was taken away by then, as threads call it, is not called."""
        asked = getattr(callback, "__self__", None)

        def called() -> object:
            gone = isinstance(asked, Widget) and (is_leaving(asked) or not asked.is_attached)
            return None if gone else callback(*arguments, **options)

        return super().call_later(called)

    def _refresh_notifications(self) -> None:
        """Show what is to be told, and take away what Textual leaves of what was told: a widget each, for ever.

        That is where the time of a notification is over before the timer of its toast.
        """
        super()._refresh_notifications()
        self.call_later(self._sweep_toasts)

    def _sweep_toasts(self) -> None:
        for holder in self.screen.query(ToastHolder) if self.screen_stack else ():
            if holder.is_mounted and not holder.children:
                holder.remove()

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Take widgets away, and place anew what they were in: not what was under a screen, which is drawn as it is."""
        return super()._prune(*nodes, parent=None if parent is self else parent)

    def _handle_exception(self, error: Exception) -> None:
        """End on what went wrong, unless that is because the console or one of its screens is being left.

        Nothing can be mounted in a console that leaves, and a screen that leaves has no widgets any more to draw on.
        """
        if isinstance(error, NoMatches) and any(map(is_leaving, (active_message_pump.get(None), searched(error)))):
            return
        if not self._exit or self.is_headless or self.debug_crash:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End on a bug: the traceback for those who asked for it, a sentence for everybody else."""
        error = sys.exc_info()[1]
        if self.debug_crash or self.is_headless or error is None:
            super()._fatal_error()
            return
        from rich.text import Text

        told = unexpected(error)
        self.panic(Text(f"error: {told.problem}\n  try: {told.remedy}"))

    def action_mouse(self) -> None:
        """Turn mouse reports on or off; off, the terminal itself selects text."""
        self.mouse_on = not self.mouse_on
        driver = self._driver
        if driver is not None:
            switch = "_enable_mouse_support" if self.mouse_on else "_disable_mouse_support"
            driver._mouse = True  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
            getattr(driver, switch, lambda: None)()
        self.query_one(FactLine).mouse_off = not self.mouse_on
        said = _("The mouse is on.") if self.mouse_on else _("The mouse is off: select text with it.")
        self.notify(said, markup=False)
