"""The ways in which a console ends that nobody wished for, and what each must leave behind."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from support import until
from terminal import Terminal, lemnis

# A console whose help screen has a bug.
BROKEN = (
    "import sys\n"
    "sys.argv = ['lemnis', '--read-only']\n"
    "from lemnis.tui import commands\n"
    "launch = commands.launch\n"
    "def broken(self): raise ValueError('boom')\n"
    "def launch_broken():\n"
    "    launch()\n"
    "    from lemnis.tui.app import Console\n"
    "    Console.action_help = broken\n"
    "commands.launch = launch_broken\n"
    "commands.main()\n"
)

# A shell that heeds no SIGHUP, and neither does what it starts: that writes down how it ended.
DEAF = (
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "code = subprocess.run(sys.argv[1:]).returncode\n"
    "open('code', 'w').write(str(code))\n"
)


def asked(number: signal.Signals) -> Callable[[Terminal], None]:
    """Return what sends a signal to the process a person knows of."""

    def end(terminal: Terminal) -> None:
        terminal.signal(number)
        expect(terminal, 128 + number)

    return end


def killed(number: signal.Signals) -> Callable[[Terminal], None]:
    """Return what ends the console itself by a signal that it can't answer."""

    def end(terminal: Terminal) -> None:
        os.kill(terminal.console, number)
        expect(terminal, 128 + number)
        assert number.name in terminal.written

    return end


def broken(terminal: Terminal) -> None:
    """Meet a bug in the console."""
    terminal.press("?")
    expect(terminal, 1)
    assert "boom" in terminal.written
    assert "Traceback" not in terminal.written


def closed(terminal: Terminal) -> None:
    """Close the terminal's window: no process may stay."""
    console = terminal.console
    terminal.hang_up()
    until(lambda: not alive(console) and not alive(terminal.pid), 10)


def gone(terminal: Terminal) -> None:
    """Close the terminal's window under a console that is not told so."""
    shell = terminal.pid
    terminal.hang_up()
    until(lambda: not alive(shell), 10)
    assert (terminal.cwd / "code").read_text() == str(128 + signal.SIGHUP)


def orphaned(terminal: Terminal) -> None:
    """Kill the launcher: the console leaves by itself."""
    console = terminal.console
    terminal.signal(signal.SIGKILL)
    assert terminal.end() == 128 + signal.SIGKILL
    terminal.wait_for(lambda: not alive(console))
    terminal.wait_for(lambda: terminal.modes_left_on() == set())
    assert terminal.as_before()


def expect(terminal: Terminal, code: int) -> None:
    """Fail unless the terminal ended with this code and is as it was."""
    assert terminal.end() == code
    assert terminal.modes_left_on() == set()
    assert terminal.as_before()


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


ENDS: dict[str, Callable[[Terminal], None]] = {
    **{number.name: asked(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)},
    **{number.name: killed(number) for number in (signal.SIGKILL, signal.SIGSEGV)},
    "a bug": broken,
    "window closed": closed,
    "window closed, unheard": gone,
    "launcher killed": orphaned,
}


def opened(kind: str, workspace: Path) -> Terminal:
    """Return a console that is to end in this way."""
    commands = {"a bug": [sys.executable, "-c", BROKEN], "window closed, unheard": unheard("--read-only")}
    return Terminal(commands.get(kind, lemnis("--read-only")), cwd=workspace)


def unheard(*arguments: str) -> list[str]:
    """Return the command line of a console that isn't told when its terminal is gone."""
    return [sys.executable, "-c", DEAF, *lemnis(*arguments)]
