"""`lemnis status`: the loop in one answer."""

import typer

from lemnis.tui.commands.group import print_json, print_table, session_of, single
from lemnis.tui.format import verdict

app = single()


@app.command()
def status(context: typer.Context) -> None:
    """The loop: stage, state, why, next step.

    With --json: {"workspace", "stages": [{"key", "name", "state", "why", "next"}]}.
    """
    session = session_of(context)
    stages = session.engine.lifecycle.stages()
    if session.json:
        documents = [
            {"key": stage.key, "name": stage.name, "state": stage.state, "why": stage.why, "next": stage.next}
            for stage in stages
        ]
        print_json({"workspace": str(session.engine.workspace.root), "stages": documents})
        return
    headers = ["key", "stage", "state", "why", "next"]
    print_table(headers, [(s.key, s.name, verdict(s.state).text, s.why, s.next) for s in stages])
