"""`lemnis open`: the console at a place that somebody named."""

from typing import Annotated

import typer

from lemnis.tui.address import KINDS, parsed
from lemnis.tui.commands.group import print_json, session_of, single

app = single()
EXAMPLES = "\n\n".join(f"  {kind.example:<36} {kind.words}" for kind in KINDS.values())


@app.command(epilog=EXAMPLES)
def open_place(
    context: typer.Context, address: Annotated[str, typer.Argument(help="Such as run/3; y then a copies one.")]
) -> None:
    """Open the console at an address, such as `run/3`, `model/late@champion` or `alert/12`; `at=` goes to a past time.

    With --json: {"address", "stage", "kind", "parts", "options": {}}, without opening anything.
    """
    session, place = session_of(context), parsed(address)
    if session.json:
        document = {"address": str(place), "stage": place.stage, "kind": place.kind, "parts": place.parts}
        print_json(document | {"options": dict(place.options)})
        return
    from lemnis.tui.commands.console import open_console

    raise typer.Exit(open_console(session, place=place))
