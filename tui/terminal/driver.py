"""The driver: Textual's own for Unix, which counts what it sends and asks how far away the terminal is."""

import os
import re
import signal
from codecs import getincrementaldecoder
from collections.abc import Callable
from pathlib import Path
from select import select
from typing import IO, TYPE_CHECKING, cast

from textual import constants, events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from lemnis.engine.clock import monotonic_s
from lemnis.tui.terminal.capabilities import erases
from lemnis.tui.terminal.changes import Shown, draws
from lemnis.tui.terminal.colours import WITHOUT
from lemnis.tui.terminal.glyphs import substitutes
from lemnis.tui.terminal.pictures import Pace
from lemnis.tui.terminal.traffic import Traffic

if TYPE_CHECKING:
    from textual.app import App

WHERE_IS_THE_CURSOR = "\x1b[6n"  # every terminal answers it

# What older terminals would print instead of heeding: titles and pointers, kitty's keys, queries of modes.
UNHEARD = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP(?:[^\x1b]|\x1b(?!\\))*\x1b\\|\x1b\[[<>][0-9;]*u|\x1b\[\?[0-9;]*\$p"
)
PERSON = (events.Key, events.Paste, events.MouseDown, events.MouseScrollUp, events.MouseScrollDown)


class LinkMeasured(Message):
    """The terminal has answered: how long that took is in the driver's traffic."""


class TerminalGone(Message):
    """The terminal's other end was closed: nobody can see or type anything any more."""


class Outlet:
    """The terminal's file. Once the terminal is gone, what is written is dropped: nobody waits for a dead line."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.gone = file, False

    def write(self, text: str) -> int:
        self._unless_gone(self.file.write, text)
        return len(text)

    def flush(self) -> None:
        self._unless_gone(self.file.flush)

    def fileno(self) -> int:
        return self.file.fileno()

    def isatty(self) -> bool:
        return not self.gone

    def _unless_gone(self, act: Callable[..., object], *arguments: str) -> None:
        if not self.gone:
            try:
                act(*arguments)
            except (OSError, ValueError):
                self.gone = True


class TerminalDriver(LinuxDriver):
    """Draws on the terminal of this process.

    Attributes:
        traffic: What was sent, and how long an answer takes.
        pace: When pictures are drawn.
        heard: How many keys, clicks and pastes there were.
        answering: How many of them there were when the picture that is drawn now was begun.
        answered: And when the last one that was sent was begun.
        motion: Have every move of the pointer reported; over SSH only clicks, drags and the wheel are.
    """

    def __init__(
        self, app: "App[object]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("IO[str]", Outlet(self._file))
        self.traffic, self.motion = Traffic(), "SSH_TTY" not in os.environ
        self._glyphs = substitutes(as_started())
        self._plain = os.environ.get("TERM") in ("linux", *WITHOUT)
        self.pace = Pace(constants.MAX_FPS)
        self._stopping = self._stopped = False
        self._leaving: tuple[int, int] | None = None  # a pipe while the terminal is used
        self.heard, self.answering, self.answered = 0, 0, 0
        self._shown, self._held = Shown(erases=erases(os.environ)), ""

    def write(self, data: str) -> None:
        if self._plain:
            data = UNHEARD.sub("", data)
        if self._glyphs and not data.isascii():
            data = data.translate(self._glyphs)
        if data == SYNC_START:  # for a picture that may turn out to change nothing
            self._held = data
            return
        held, self._held = self._held, ""
        if data == SYNC_END and held:
            return
        data = self._shown.changes(data)
        if not data:
            self._held = held
            return
        if held:
            self._send(held)
        self._send(data)

    def _send(self, data: str) -> None:
        picture, now_s = draws(data), monotonic_s()
        self.traffic.wrote(now_s, len(data.encode("utf-8", "replace")), picture=picture)
        if picture:
            self.pace.drew(now_s, answer=self.answering != self.answered)
            self.answered = self.answering
        super().write(data)

    @property
    def stuck(self) -> bool:
        """Whether the terminal, or the link to it, has not taken all that was sent."""
        writer = self._writer_thread
        return writer is not None and not writer._queue.empty()  # pyright: ignore[reportPrivateUsage]

    def _get_terminal_size(self) -> tuple[int, int]:
        self._shown.forget()  # asked at the start and whenever the terminal says that its size is another one
        return super()._get_terminal_size()

    def forget_picture(self) -> None:
        """Send all of the next picture."""
        self._shown.forget()

    def start_application_mode(self) -> None:
        self._leaving = os.pipe()
        super().start_application_mode()
        if self._writer_thread is not None:
            self.ask()

    def ask(self) -> None:
        """Ask the terminal something, to see how long it takes."""
        self.traffic.asked(monotonic_s())
        self.write(WHERE_IS_THE_CURSOR)

    def run_input_thread(self) -> None:
        """Take what the terminal sends, until the console is left or the terminal is gone.

        Whoever ignores SIGHUP is told so by this alone; Textual's own reads on at once, for ever.
        """
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        watched = [self.fileno] if self._leaving is None else [self.fileno, self._leaving[0]]
        while not self.exit_event.is_set():
            if self.fileno in select(watched, [], [], patience_s(parser))[0]:
                sent = _read(self.fileno)
                if not sent:
                    self.send_message(TerminalGone())
                    return
                if text := decode(sent):  # not while half a letter has come
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def disable_input(self) -> None:
        if self._leaving is not None:
            os.write(self._leaving[1], b"\0")  # the thread waits for the terminal or for this
        super().disable_input()
        if self._leaving is not None:
            os.read(self._leaving[0], 1)

    def close(self) -> None:
        """Let go of the terminal, for good or until this starts again."""
        super().close()
        for end in self._leaving or ():
            os.close(end)
        self._leaving = None

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            if self.traffic.answered(monotonic_s()):
                self.ask()
            elif self._app.is_running:
                self._app.post_message(LinkMeasured())
            return
        self.heard += isinstance(message, PERSON)
        if isinstance(message, events.Resize):
            self._shown.forget()
        super().process_message(message)

    def _enable_mouse_support(self) -> None:
        if self.motion:
            super()._enable_mouse_support()
        elif self._mouse:
            self.write("\x1b[?1000h\x1b[?1002h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse and not self.motion:
            self.write("\x1b[?1002l")

    # A signal comes in the middle of anything, also of writing a picture: it is answered when that is done.

    def _sigtstp_application(self, *_: object) -> None:
        if not self._auto_restart:  # an editor has the terminal
            super()._sigtstp_application()
        elif not self._stopping:  # the shell tells the whole job, and the launcher passes it on
            self._stopping = True
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self._stopping:
            self._stopped = True
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        if self._stopped:  # by `_stop`, which waits for this
            self._go_on()
        else:
            self._stopping = False
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        # What stopped without the usual signal is put right all the same.
        if self._auto_restart and not self._stopped and self._writer_thread is not None:
            self.suspend_application_mode()
        self._stopping = self._stopped = False
        super()._sigcont_application()

    def stop_application_mode(self) -> None:
        if os.getpgrp() != _foreground(self.fileno):  # the shell has the terminal already, with modes of its own
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self.attrs_before = None
        super().stop_application_mode()


def as_started() -> dict[str, str]:
    """Return the environment with the locale this process was started in: in the C locale Python sets LC_CTYPE anew."""
    try:
        started = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return dict(os.environ)
    said = next((entry for entry in started if entry.startswith(b"LC_CTYPE=")), b"")
    return {**os.environ, "LC_CTYPE": said.partition(b"=")[2].decode("utf-8", "replace")}


def patience_s(parser: XTermParser) -> float | None:
    """Return for how long a key may still become another one, as an Esc does with what follows it; None if it can't."""
    until_s = parser._timeout_time  # pyright: ignore[reportPrivateUsage]
    return None if until_s is None else max(0.0, until_s - get_time())


def _read(terminal: int) -> bytes:
    """Return what a terminal has sent; nothing where it is gone."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def _foreground(terminal: int) -> int:
    """Return the process group that has the terminal; where that can't be told, this one."""
    try:
        return os.tcgetpgrp(terminal)
    except OSError:
        return os.getpgrp()
