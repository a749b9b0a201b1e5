"""`lemnis lineage`: what a thing comes from and what came of it, as lines or one document."""

from typing import Annotated

import typer

from lemnis.engine.errors import NotFound
from lemnis.engine.lineage import Step
from lemnis.tui.address import parsed
from lemnis.tui.commands.group import print_json, print_table, session_of, single
from lemnis.tui.format import MISSING, when
from lemnis.tui.screens.traced import DIRECT, WAYS, lines, place_of, traced

app = single()


@app.command()
def lineage(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Such as alert/12, run/3 or model/late@champion.")],
) -> None:
    """Say where a thing comes from and what came of it: alert, window, version, run, dataset version, source.

    With --json: {"subject": {"address", "title", "state", "at"}, "origins": [the same with "depth"], "results": []}.
    """
    session, place = session_of(context), parsed(address)
    asked = traced(place)
    if asked is None:
        raise NotFound(f"`{place}` has no lineage.", f"Ask for one {', '.join(DIRECT)} or data, such as `run/3`.")
    found = session.engine.lineage(*asked)
    if session.json:
        print_json(
            {
                "subject": document(found.subject),
                "origins": [document(step) for step in found.origins],
                "results": [document(step) for step in found.results],
            }
        )
        return
    rows = [
        (WAYS[way], "  " * step.depth + address_of(step), step.title, step.state or MISSING, told(step))
        for way, step in lines(found)
    ]
    print_table(["way", "thing", "what", "state", "when"], rows)


def address_of(step: Step) -> str:
    """Return a step's address, an ellipsis for what is left out."""
    return str(place_of(step.node)) if step.node is not None else "…"


def told(step: Step) -> str:
    """Return when a step came to be."""
    return when(step.at) if step.at else MISSING


def document(step: Step) -> dict[str, object]:
    """Return a step as JSON."""
    return {"depth": step.depth, "address": address_of(step), "title": step.title, "state": step.state, "at": step.at}
