"""The `lemnis` command: one module per group, imported when it is used; alone it opens the console."""

import os
import sys

from lemnis.engine.errors import LemnisError
from lemnis.tui.commands.failure import report
from lemnis.tui.commands.session import COMPLETING, Session, hoisted

__all__ = ["main"]


def main() -> None:
    """Run the command line; alone, open the console. Ends the process with the exit code."""
    arguments = sys.argv[1:]
    try:
        arguments = hoisted(arguments)
        if Session.only_globals(arguments) and COMPLETING not in os.environ:
            from lemnis.tui.commands.console import open_console

            sys.exit(open_console(Session.of(arguments)))
    except LemnisError as error:
        if "--debug" in arguments:
            raise
        sys.exit(report(error, as_json="--json" in arguments))
    from lemnis.tui.commands.group import run

    sys.exit(run(arguments))
