"""Session: the global options of one command, and the engine they name, opened when first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput

FLAGS = ("--json", "--read-only", "--debug")
VALUED = ("-w", "--workspace")


@dataclass
class Session:
    """What every command knows.

    Attributes:
        workspace: The folder named by -w; None for the current one.
        json: One JSON document on stdout instead of text.
        read_only: Refuse every change.
        debug: Show tracebacks.
    """

    workspace: Path | None = None
    json: bool = False
    read_only: bool = False
    debug: bool = False

    @cached_property
    def engine(self) -> Engine:
        """The workspace's engine.

        Raises:
            NoWorkspace: There is none here or above.
            StoreError: Its state can't be opened.
        """
        return Engine.open(self.workspace, read_only=self.read_only)

    @staticmethod
    def only_globals(arguments: Sequence[str]) -> bool:
        """Say whether nothing but global options was given, so that the console is meant."""
        rest = list(arguments)
        while rest:
            head = rest.pop(0)
            if head in VALUED and rest:
                rest.pop(0)
            elif head not in FLAGS and not head.startswith("--workspace="):
                return False
        return "--json" not in arguments

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Session":
        """Return the session of hoisted arguments that are global options alone."""
        session, rest = cls(), list(arguments)
        while rest:
            head = rest.pop(0)
            if head in VALUED:
                session.workspace = Path(rest.pop(0))
            elif head.startswith("--workspace="):
                session.workspace = Path(head.partition("=")[2])
            else:
                setattr(session, head.removeprefix("--").replace("-", "_"), True)
        return session


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the global options first, wherever they were written before a ``--``.

    Raises:
        BadInput: -w has no folder.
    """
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        head = left.pop(0)
        if head == "--":
            rest += [head, *left]
            break
        if head in VALUED:
            if not left:
                raise BadInput(f"{head} needs a folder.", "Write for example `lemnis -w flights status`.")
            front += [head, left.pop(0)]
        elif head in FLAGS or head.startswith("--workspace="):
            front.append(head)
        else:
            rest.append(head)
    return front + rest
