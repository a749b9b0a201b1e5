"""`lemnis monitor why`: what tells a window's rows from training rows."""

from typing import Annotated

import msgspec
import typer

from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor import Window
from lemnis.engine.text import safe
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.commands.monitor_performance import Wide
from lemnis.tui.format import number, share

app = typer.Typer(rich_markup_mode=None)
NAMED = 3  # features whose values are listed


@app.command()
def why(
    context: typer.Context,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
    start: Annotated[str, typer.Option(help="The window that holds this moment (ISO 8601, UTC).", metavar="DATE")] = "",
    window: Wide = None,
    again: Annotated[bool, typer.Option("--again", help="Compare again, though it was done before.")] = False,
) -> None:
    """Say what tells a window's rows from training rows: a classifier learns to, and by which features.

    The newest window with drift, else the newest, unless --start says which. Waits for the comparison.
    With --json: {"window", "auc" (0.5: no difference), "low", "high", "past" (the same for past windows, and how many),
    "differs", "rows", "reference_rows", "told": [{"feature", "share"}], "examples": [{"key", "score", "values"}]}.
    """
    session = session_of(context)
    room = session.engine.monitor
    chosen = window_at(room.windows(endpoint or None, width=window), start)
    found = None if again else room.contrast(chosen)
    if found is None:
        follow(session, room.start_contrast(chosen))
        found = room.contrast(chosen)
    assert found is not None  # a finished job has kept it
    if session.json:
        print_json({"window": iso_utc(chosen.starts), "differs": found.differs, **msgspec.to_builtins(found)})
        return
    say(found.words)
    print_table(["feature", "share"], [[one.feature, share(one.share, 0)] for one in found.told[:8]], right={"share"})
    named = [safe(one.feature) for one in found.told[:NAMED]]
    rows = [[one.key, number(one.score), *one.values[:NAMED]] for one in found.examples]
    print_table(["most unlike", "score", *named], rows, right={"score"})


def window_at(windows: list[Window], start: str) -> Window:
    """Return the window that holds a moment, or the newest that drifts, or the newest.

    Raises:
        BadInput: The moment can't be read.
        NotFound: No window holds it.
    """
    try:
        moment = parse_ms(start) if start else None
    except ValueError:
        raise BadInput(f"{start!r} is no moment.", "Write for example 2013-07-01.") from None
    inside = [one for one in windows if moment is None or one.starts <= moment < one.ends]
    if not inside:
        raise NotFound("There is no such window.", "List them with `lemnis monitor drift`.")
    return next((one for one in reversed(inside) if one.verdict == "drift"), inside[-1])
