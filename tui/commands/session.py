"""Session: the global options of one command, and the engine they name, opened when first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.tui.moment import moment_ms

COMPLETING = "_LEMNIS_COMPLETE"  # set by a shell that asks what may come next
FLAGS = ("--json", "--read-only", "--debug", "--linear", "--slow")
VALUED = ("-w", "--workspace")
AT = "--at"  # global before the command's name only: a command may have one of its own
PAST = (
    "status", "problem show", "problem history", "data sources", "data snapshots", "data versions", "data show",
    "validate history", "runs list", "runs show", "runs compare", "runs curve", "models list", "models history",
    "endpoints list", "endpoints show", "monitor status", "monitor drift", "monitor performance", "alerts list",
    "alerts history", "alerts incidents", "alerts silences", "jobs list", "jobs show", "resources history",
)  # fmt: skip


@dataclass
class Session:
    """What every command knows.

    Attributes:
        workspace: The folder named by -w; None for the current one.
        json: One JSON document on stdout instead of text.
        read_only: Refuse every change.
        debug: Show tracebacks.
        at: The past time whose facts are told, as it was typed; empty for now.
        slow: Draw a few times a second only, as for a terminal that is far away.
        linear: Print what the tabs show as lines instead of drawing them.
    """

    workspace: Path | None = None
    json: bool = False
    read_only: bool = False
    debug: bool = False
    at: str = ""
    linear: bool = False
    slow: bool = False

    @cached_property
    def engine(self) -> Engine:
        """The workspace's engine.

        Raises:
            NoWorkspace: There is none here or above.
            StoreError: Its state can't be opened.
            BadInput: --at is no time that has passed since the workspace began.
        """
        engine = Engine.open(self.workspace, read_only=self.read_only)
        return engine.as_of(moment_ms(self.at, engine.now_ms())) if self.at else engine

    def check_past(self, command: str) -> None:
        """Raise BadInput if the past is asked of a command that can't tell it."""
        if self.at and command not in PAST:
            raise BadInput(f"`lemnis {command}` can't tell the past.", f"--at is for {', '.join(PAST)}.")

    @staticmethod
    def only_globals(arguments: Sequence[str]) -> bool:
        """Say whether nothing but global options was given, so that the console is meant."""
        rest = list(arguments)
        while rest:
            head = rest.pop(0)
            if head in (*VALUED, AT) and rest:
                rest.pop(0)
            elif head not in FLAGS and not head.startswith(("--workspace=", f"{AT}=")):
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
            elif head == AT:
                session.at = rest.pop(0)
            elif head.startswith(f"{AT}="):
                session.at = head.partition("=")[2]
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
        if head in VALUED or (head == AT and not rest):
            if not left:
                what = "a time" if head == AT else "a folder"
                raise BadInput(f"{head} needs {what}.", "Write for example `lemnis -w flights status`.")
            front += [head, left.pop(0)]
        elif head in FLAGS or head.startswith("--workspace=") or (head.startswith(f"{AT}=") and not rest):
            front.append(head)
        else:
            rest.append(head)
    return front + rest
