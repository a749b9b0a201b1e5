"""The `lemnis` command: one module per group, imported when it is used; alone it opens the console."""

import sys

from lemnis.tui.commands.session import Session, hoisted

__all__ = ["main"]


def main() -> None:
    """Run the command line; alone, open the console."""
    arguments = hoisted(sys.argv[1:])
    if Session.only_globals(arguments):
        from lemnis.tui.commands.console import open_console

        sys.exit(open_console(Session.of(arguments)))
    from lemnis.tui.commands.group import run

    sys.exit(run(arguments))
