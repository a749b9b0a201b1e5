"""The `lemnis` command: one module per group, imported when it is used; alone it opens the console."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from lemnis.tui.launcher import launch, opens_console

__all__ = ["main"]


def main() -> None:
    """Run the command line; alone, open the console. Ends the process with the exit code."""
    arguments = sys.argv[1:]
    if opens_console(arguments):
        launch()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started it
            setattr(sys, name, os.fdopen(nowhere(), "w"))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # who reads a pipe waits for what was said, as at a terminal
    try:
        code = answer(arguments)
    except KeyboardInterrupt:
        code = 130
    drop_unwritten()
    sys.exit(code)


def drop_unwritten() -> None:
    """Let go of what nobody is there to read any more; Python would end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere(), stream.fileno())


def nowhere() -> int:
    """Return a descriptor to which can be written what nobody reads."""
    return os.open(os.devnull, os.O_WRONLY)


def answer(arguments: Sequence[str]) -> int:
    """Do what the arguments say, and return the exit code."""
    from lemnis.engine.errors import LemnisError
    from lemnis.tui.commands.failure import report
    from lemnis.tui.commands.session import COMPLETING, Session, hoisted

    try:
        arguments = hoisted(arguments)
        if "--linear" in arguments:
            from lemnis.tui.commands.linear import tell

            return tell(arguments)
        if Session.only_globals(arguments) and COMPLETING not in os.environ:
            from lemnis.tui.commands.console import open_console

            return open_console(Session.of(arguments))
    except LemnisError as error:
        if "--debug" in arguments:
            raise
        return report(error, as_json="--json" in arguments)
    except Exception as error:
        if "--debug" in arguments:
            raise
        from lemnis.tui.bugs import unexpected

        return report(unexpected(error), as_json="--json" in arguments)
    from lemnis.tui.commands.group import run

    return run(arguments)
