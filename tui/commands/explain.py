"""`lemnis explain`: which features a run's model lives by, and why it answered one row as it did."""

from typing import Annotated

import typer

from lemnis.engine.errors import NotFound
from lemnis.engine.evaluate import Explanation
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single

app = single()


@app.command()
def explain(
    context: typer.Context,
    run: Annotated[int, typer.Argument(help="The run's number.")],
    row: Annotated[
        str, typer.Option("--row", help="The row's key, its parts joined by |, or # and its number in the version.")
    ] = "",
) -> None:
    """Explain one row: what each feature's value adds to the raw score; without --row, the features as a whole.

    With --json and --row: {"run_id", "version_id", "key", "row", "kind", "score", "raw", "bias", "answer", "actual",
    "contributions": [{"feature", "value", "amount"}]}; bias and all amounts sum to raw. Without --row: {"run",
    "importances": [{"feature", "gain", "splits", "contribution"}], "rows": [explanations of the rows that the model
    was most wrong and most right about]}.
    """
    session = session_of(context)
    room = session.engine.evaluate
    if row:
        follow(session, room.start_explain(run, row))
        found = room.explanation(run, row) or next(iter(room.explanations(run)))
        print_json(found) if session.json else print_explanation(found)
        return
    importances, rows = room.importances(run), room.explanations(run)
    if not importances:
        session.engine.experiments.run(run)
        raise NotFound(f"Run {run} was not evaluated yet.", f"Do it with `lemnis evaluate {run}`.")
    if session.json:
        print_json({"run": run, "importances": importances, "rows": rows})
        return
    lines = [
        (one.feature, shown.number(one.contribution, 4), shown.number(one.gain, 1), str(one.splits))
        for one in importances
    ]
    print_table(
        ["feature", "mean |contribution|", "gain", "splits"], lines, right={"mean |contribution|", "gain", "splits"}
    )
    say()
    print_table(
        ["kind", "row", "score", "actual"],
        [(r.kind, r.key, shown.number(r.score, 4), r.actual) for r in rows],
        right={"score"},
    )


def print_explanation(found: Explanation) -> None:
    """Print a row's contributions, the largest first, from the bias to the raw score."""
    answer = f" {found.answer}" if found.answer else ""
    say(f"{found.key}: says {shown.number(found.score, 4)}{answer}, was {found.actual or 'unknown'}")
    lines = [("all rows (bias)", "", shown.number(found.bias, 4))]
    lines += [(one.feature, one.value or shown.MISSING, shown.delta(one.amount, 4)) for one in found.contributions]
    lines.append(("this row (raw score)", "", shown.number(found.raw, 4)))
    print_table(["feature", "value", "adds"], lines, right={"adds"})
