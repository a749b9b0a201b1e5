"""What a terminal sends: each key that is pressed, as bytes, as its name, and as what the console would do."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence

from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.message import Message

from lemnis.engine.text import safe
from lemnis.tui.actions import ACTIONS
from lemnis.tui.keys.action import GLOBAL, TABLE, Action
from lemnis.tui.keys.keymap import Keymap, labelled

ASK, UNASK = "\x1b[>1u", "\x1b[<u"  # as the console does: kitty's protocol tells ctrl+i from tab
WAIT_S = 0.15  # an escape that nothing follows by then is the escape key
SHOWN = 4  # actions that are named


def probe(keymap: Keymap) -> None:
    """Tell of each key that is pressed until q is pressed twice or ctrl+c once; the terminal is left as it was."""
    descriptor = sys.stdin.fileno()
    saved = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        sys.stdout.write(ASK)
        say(f"TERM={os.environ.get('TERM', '')}{between(os.environ)}. Press keys; q twice or ctrl+c ends.")
        last = ""
        for sent, names in presses(descriptor):
            say(told(sent, names, keymap))
            if not sent or names[-1:] == ["ctrl+c"] or (names == ["q"] and last == "q"):
                break
            last = names[-1] if names else ""
    finally:
        sys.stdout.write(UNASK)
        sys.stdout.flush()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)


def presses(descriptor: int) -> Iterator[tuple[bytes, list[str]]]:
    """Yield what arrived at once and the names of the keys it is; empty bytes at the end of input."""
    parser = XTermParser()
    while True:
        sent = os.read(descriptor, 1024)
        if not sent:
            yield b"", []
            return
        read = [*parser.feed(sent.decode("utf-8", "replace"))]
        while select.select([descriptor], [], [], WAIT_S)[0]:  # the rest of a sequence, or of what was pasted
            more = os.read(descriptor, 1024)
            if not more:
                break
            sent += more
            read += parser.feed(more.decode("utf-8", "replace"))
        read += parser.tick()
        yield sent, names_of(read)


def names_of(read: Sequence[Message]) -> list[str]:
    """Return the names of the keys among what was read."""
    return [message.key for message in read if isinstance(message, Key)]


def told(sent: bytes, names: Sequence[str], keymap: Keymap) -> str:
    """Return the line about what was sent."""
    shown = " ".join(f"{byte:02x}" for byte in sent[:12]) + (" …" if len(sent) > 12 else "")
    if not names:
        return f"{shown:<24} no key"
    does = done_by(names[0], keymap, ACTIONS) if len(names) == 1 else []
    more = f", {len(does) - SHOWN} more" if len(does) > SHOWN else ""
    return f"{shown:<24} {' '.join(labelled(name) for name in names[:8]):<16} {', '.join(does[:SHOWN])}{more}".rstrip()


def done_by(key: str, keymap: Keymap, actions: Sequence[Action]) -> list[str]:
    """Return what a key does, and where: ``Train (experiments)``."""
    found = [action for action in actions if key in keymap.keys(action).split(",")]
    found.sort(key=lambda action: {GLOBAL: 0, TABLE: 1}.get(action.scope, 2))
    return [f"{action.label} ({action.scope})" for action in found]


def between(environment: Mapping[str, str]) -> str:
    """Return what stands between this program and the terminal, in words, and which key it keeps."""
    if environment.get("TMUX"):
        return ", in tmux, which keeps its prefix (ctrl+b, unless it is set)"
    return ", in screen, which keeps ctrl+a" if environment.get("STY") else ""


def say(text: str) -> None:
    """Print a line in raw mode."""
    sys.stdout.write(safe(text) + "\r\n")
    sys.stdout.flush()
