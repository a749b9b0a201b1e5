"""`lemnis init`: a workspace, with a first declaration made from files."""

from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine import Engine
from lemnis.engine.config import parse_config
from lemnis.engine.jobs import user_name
from lemnis.engine.proposal import Proposal, declaration, propose
from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.format import number

app = single()


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; the current folder if left out.")] = Path("."),
    files: Annotated[list[Path], typer.Option("--from", help="A data file; may be repeated.")] = [],  # noqa: B006
) -> None:
    """Make a workspace; with files, declare them as sources and propose base, key, time, target and first checks.

    With --json: {"workspace", "sources": [name], "base", "rows_seen", "columns": [{"name", "type", "missing",
    "distinct"}], "targets": [{"column", "task"}], "time", "key", "split"}.
    """
    session = session_of(context)
    root = session.workspace or folder
    proposal = propose(files, root) if files else None
    text = declaration(root.absolute().name, proposal)
    parse_config(text)
    engine = Engine(create_workspace(root, text))
    engine.problem.record(user_name(), "made by lemnis init")
    if session.json:
        print_json(document(engine, proposal))
        return
    say(f"{engine.workspace.config} is written.")
    if proposal is not None:
        tell(proposal)
    say("Next: state the question and the target in it, then open the console with `lemnis`.")


def document(engine: Engine, proposal: Proposal | None) -> dict[str, object]:
    """Return what was made as JSON."""
    made: dict[str, object] = {"workspace": str(engine.workspace.root), "sources": []}
    if proposal is None:
        return made
    return made | {
        "sources": list(proposal.sources),
        "base": proposal.base,
        "rows_seen": proposal.rows_seen,
        "columns": proposal.columns,
        "targets": [{"column": column, "task": task} for column, task in proposal.targets],
        "time": proposal.time,
        "key": proposal.key,
        "split": proposal.split,
    }


def tell(proposal: Proposal) -> None:
    """Print what the files show."""
    say(f"Sources: {', '.join(proposal.sources)}. Base: {proposal.base}, {number(proposal.rows_seen)} rows looked at.")
    roles = {proposal.key: "key", proposal.time: "time"}
    could = dict(proposal.targets)
    rows = [
        (c.name, c.type, number(c.missing), number(c.distinct), roles.get(c.name) or could.get(c.name, ""))
        for c in proposal.columns
    ]
    print_table(["column", "type", "missing", "distinct", "could be"], rows, right={"missing", "distinct"})
