"""`lemnis runs` that mark: views, tags, notes, the baseline, archiving, deleting, and taking these back."""

from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.config import View
from lemnis.engine.config.experiments import Grouping
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run
from lemnis.engine.jobs import user_name
from lemnis.tui.commands import completing
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.declaration import edited

app = typer.Typer(rich_markup_mode=None)
RunId = Annotated[
    int, typer.Argument(help="A run's number, see `lemnis runs list`.", metavar="RUN", autocompletion=completing.runs)
]
RunIds = Annotated[list[int], typer.Argument(help="Numbers of runs.", metavar="RUN...", autocompletion=completing.runs)]


@app.command("views")
def list_views(context: typer.Context) -> None:
    """List the saved views: a query, an order, a shelf and columns under a name in lemnis.toml.

    With --json: {"views": {NAME: {"query", "sort", "descending", "shelf", "columns", "frozen", "group"}}}.
    """
    session = session_of(context)
    views = session.engine.experiments.views()
    if session.json:
        print_json({"views": views})
        return
    rows = [
        [name, view.query, view.sort, view.group, view.shelf, " ".join(view.columns)] for name, view in views.items()
    ]
    print_table(["view", "query", "sort", "groups by", "shelf", "columns"], rows)


@app.command("save-view")
def save_view(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, such as nightly.", metavar="NAME")],
    query: Annotated[str, typer.Option("-q", "--query", help="Which runs.")] = "",
    sort: Annotated[str, typer.Option(help="A field such as metrics.auc.")] = "",
    ascending: Annotated[bool, typer.Option("--ascending", help="Smallest first.")] = False,
    column: Annotated[list[str], typer.Option(help="A column, e.g. metrics.auc; may be repeated.")] = [],  # noqa: B006
    frozen: Annotated[int, typer.Option(min=0, help="So many columns at the left stand still.")] = 0,
    group_by: Annotated[Grouping, typer.Option(help="In groups by this.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the view away.")] = False,
) -> None:
    """Keep a way to look at runs under a name in lemnis.toml, or take it away; comments there stay.

    With --json: {"view", "changed"}: whether lemnis.toml differs now.
    """
    session = session_of(context)
    room = session.engine.experiments
    if remove:
        differs = room.remove_view(name, user_name())
    else:
        view = View(
            query=query, sort=sort, descending=not ascending, columns=column, frozen=frozen, group=group_by
        )  # fmt: skip
        differs = room.save_view(name, view, user_name())
    if session.json:
        print_json({"view": name, "changed": differs})
    else:
        say(f"View {name} is {'removed' if remove else 'saved'}." if differs else f"View {name} stands so already.")


@app.command()
def tag(
    context: typer.Context,
    run_id: RunId,
    tags: Annotated[list[str], typer.Argument(help="TAG or TAG=VALUE.", metavar="TAG...")],
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away.")] = False,
) -> None:
    """Give a run tags, or take them away.

    With --json: the run as in `show`.
    """
    session = session_of(context)
    for word in tags:
        key, _, value = word.partition("=")
        if remove:
            session.engine.experiments.untag(run_id, key)
        else:
            session.engine.experiments.tag(run_id, key, value)
    tell(context, [run_id], "tagged" if not remove else "untagged")


@app.command()
def note(
    context: typer.Context,
    run_id: RunId,
    text: Annotated[str | None, typer.Argument(help="The note; none opens $EDITOR.")] = None,
) -> None:
    """Replace a run's note, in Markdown; an empty one takes it away.

    With --json: the run as in `show`.
    """
    room = session_of(context).engine.experiments
    if text is None:
        text, problem = edited(room.run(run_id).note, suffix=".md")
        if problem:
            raise BadInput(problem, "Give the note as an argument.")
    room.note(run_id, text)
    tell(context, [run_id], "noted")


@app.command()
def pin(
    context: typer.Context,
    run_id: Annotated[
        int | None,
        typer.Argument(help="The run; none takes the baseline away.", metavar="RUN", autocompletion=completing.runs),
    ] = None,
) -> None:
    """Make a run the baseline that others are compared with.

    With --json: {"baseline": the run as in `show`, or null}.
    """
    session = session_of(context)
    session.engine.experiments.pin(run_id)
    if session.json:
        print_json({"baseline": run_document(session.engine.experiments.run(run_id)) if run_id is not None else None})
    else:
        say(f"Run {run_id} is the baseline." if run_id is not None else "There is no baseline.")


@app.command()
def archive(context: typer.Context, run_ids: RunIds) -> None:
    """Put runs that have ended aside; `unarchive` brings them back.

    With --json: {"changed"}: how many were moved.
    """
    changed(context, session_of(context).engine.experiments.archive(run_ids), "archived")


@app.command()
def unarchive(context: typer.Context, run_ids: RunIds) -> None:
    """Bring archived runs back among the others.

    With --json: {"changed"}: how many were moved.
    """
    changed(context, session_of(context).engine.experiments.unarchive(run_ids), "among the others again")


@app.command()
def delete(context: typer.Context, run_ids: RunIds) -> None:
    """Hide runs that have ended; `restore` brings them back.

    With --json: {"changed"}: how many were hidden.
    """
    changed(context, session_of(context).engine.experiments.delete(run_ids), "deleted")


@app.command()
def restore(context: typer.Context, run_ids: RunIds) -> None:
    """Bring deleted runs back.

    With --json: {"changed"}: how many came back.
    """
    changed(context, session_of(context).engine.experiments.restore(run_ids), "restored")


# Any: a document of JSON values.
def run_document(run: Run) -> dict[str, Any]:
    """Return everything on record of a run."""
    return {**msgspec.to_builtins(run), "duration_s": run.duration_s(now_ms())}


def tell(context: typer.Context, run_ids: list[int], word: str) -> None:
    """Print runs after a change."""
    session = session_of(context)
    for run in map(session.engine.experiments.run, run_ids):
        if session.json:
            print_json(run_document(run))
        else:
            say(f"Run {run.id} {run.name} is {word}.")


def changed(context: typer.Context, count: int, word: str) -> None:
    """Print how many runs changed."""
    if session_of(context).json:
        print_json({"changed": count})
    else:
        say(f"{count} {'run' if count == 1 else 'runs'} {word}.")
