"""`lemnis --linear [TAB …]`: what the console would show, as lines."""

import asyncio
import os
from collections.abc import Sequence

from lemnis.engine.errors import BadInput
from lemnis.tui.commands.session import AT, FLAGS, VALUED, Session
from lemnis.tui.stages import BY_NAME


def tell(arguments: Sequence[str]) -> int:
    """Print the tabs that are named behind the global options (all without a name); returns the exit code.

    Raises:
        BadInput: There is no such tab.
    """
    rest = list(arguments)
    front: list[str] = []
    while rest and rest[0].startswith("-"):
        head = rest.pop(0)
        front += [head, rest.pop(0)] if head in (*VALUED, AT) else [head]
        if head not in (*VALUED, AT, *FLAGS) and "=" not in head:
            raise BadInput(f"There is no option {head}.", "See `lemnis --help`.")
    unknown = next((name for name in rest if name not in BY_NAME), None)
    if unknown is not None:
        raise BadInput(f"There is no tab {unknown!r}.", f"Tabs: {', '.join(BY_NAME)}.")
    return tell_tabs(Session.of(front), rest)


def tell_tabs(session: Session, names: Sequence[str]) -> int:
    """Print these tabs of a session's workspace, all ten without a name; returns the exit code."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    engine = session.engine
    from lemnis.tui.keys.declared import declared_keys
    from lemnis.tui.linear import Unseen, tabs_told
    from lemnis.tui.terminal.driver import as_started
    from lemnis.tui.terminal.glyphs import substitutes

    known = substitutes(as_started())

    async def printed() -> None:
        async for line in tabs_told(Unseen(engine, keymap=declared_keys()), names or tuple(BY_NAME)):
            print(line.translate(known) if known else line, flush=True)

    asyncio.run(printed())
    return 0
