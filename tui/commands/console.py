"""Opening the console: `lemnis` alone."""

from lemnis.tui.commands.session import Session


def open_console(session: Session, *, stage: str = "problem") -> int:
    """Run the console until it is left; returns the exit code."""
    from lemnis.tui.app import Console

    app = Console(session.engine, stage=stage)
    app.run()
    return app.return_code or 0
