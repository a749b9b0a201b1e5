"""`lemnis models card`: what is on record of a version as one document, and what differs from another."""

from typing import Annotated

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.modelcard import differences, markdown
from lemnis.engine.modelcard.text import differences_markdown
from lemnis.tui.commands import completing
from lemnis.tui.commands.group import print_json, say, session_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def card(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="MODEL@ALIAS or MODEL@VERSION.", metavar="MODEL@ALIAS", autocompletion=completing.references
        ),
    ],
    diff: Annotated[
        int, typer.Option("--diff", help="Only what differs from this version, the earlier one.", metavar="VERSION")
    ] = 0,
) -> None:
    """Print a version's model card as Markdown: problem, data, features, training, measures, explanations, monitors.

    With --json: {"model", "version", "at" (ms), "sections": [{"title", "facts": [{"name", "value", "low", "high",
    "note"}], "note"}]}; with --diff: {"model", "before", "after", "differences": [{"section", "name", "before",
    "after"}]}.
    """
    session = session_of(context)
    engine = session.engine
    found = engine.deploy.resolve(reference)
    after = engine.cards.card(found.model, found.version)
    if not diff:
        print_json(after) if session.json else say(markdown(after).rstrip())
        return
    if diff == found.version:
        raise BadInput(f"Version {diff} is the one itself.", "Name another version to compare with.")
    before = engine.cards.card(found.model, diff)
    if session.json:
        told = differences(before, after)
        print_json({"model": found.model, "before": diff, "after": found.version, "differences": told})
    else:
        say(differences_markdown(before, after).rstrip())
