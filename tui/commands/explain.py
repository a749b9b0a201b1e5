"""`lemnis explain`: which features a run's model lives by, and why it answered one row as it did."""

from typing import Annotated

import msgspec
import typer

from lemnis.engine.errors import NotFound
from lemnis.engine.evaluate import Explanation
from lemnis.tui import format as shown
from lemnis.tui.commands import completing
from lemnis.tui.commands.failures import check_type, print_failures, queue_type
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.commands.session import Session

app = single()


@app.command()
def explain(
    context: typer.Context,
    run: Annotated[int, typer.Argument(help="The run's number.", autocompletion=completing.runs)],
    row: Annotated[
        str, typer.Option("--row", help="The row's key, its parts joined by |, or # and its number in the version.")
    ] = "",
    dependence: Annotated[
        str, typer.Option("--dependence", help="How the answer depends on this feature.", metavar="FEATURE")
    ] = "",
    interactions: Annotated[bool, typer.Option("--interactions", help="Which features act together.")] = False,
    failures: Annotated[bool, typer.Option("--failures", help="What the errors have in common.")] = False,
    label: Annotated[
        int, typer.Option("--label", help="With --failures: make a label queue of this type, from 1.", metavar="TYPE")
    ] = 0,
    check: Annotated[
        int, typer.Option("--check", help="With --failures: print this type as a check, from 1.", metavar="TYPE")
    ] = 0,
    write: Annotated[bool, typer.Option("--write", help="With --check: write it into lemnis.toml.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Compute all but single rows again.")] = False,
) -> None:
    """Explain one row: what each feature's value adds to the raw score; without --row, the features as a whole.

    Dependence, interactions and failure types are computed by a job the first time they are asked for, on a sample of
    held-out rows.

    With --json and --row: {"run_id", "version_id", "key", "row", "kind", "score", "raw", "bias", "answer", "actual",
    "contributions": [{"feature", "value", "amount"}]}; bias and all amounts sum to raw. Without --row: {"run",
    "importances": [{"feature", "gain", "splits", "contribution"}], "rows": [explanations of the rows that the model
    was most wrong and most right about], "contributions": {"part", "rows", "outputs": [{"answer", "edge", "swarms":
    [{"feature", "mean_absolute", "levels": [{"name", "tone", "rows", "mean", "counts"}]}]}]} or null}.
    With --dependence: {"run", "part", "rows", "answers", "feature": {"feature", "names", "values", "mean", "low",
    "high", "centred_low", "centred_high", "rows"}}, a list for each answer; with --interactions: {"run", "rows",
    "features", "pairs": [{"first", "second", "strength", "share"}], "note"}. With --failures: {"run", "part", "rows",
    "errors", "sampled", "rule", "types": [{"name", "kind", "conditions", "share", "count", "fits", "fits_wrong",
    "centre", "radius", "rows": [{"key", "row", "loss", "said", "actual"}]}], "followups": [{"run_id", "run_name",
    "errors", "rows", "same_rows", "types": [{"name", "before", "now"}], "unlike"}], "note"}; with --label {"queue",
    "labels", "rows"}; with --check {"check", "toml", "written"}.
    """
    session = session_of(context)
    room = session.engine.evaluate
    if row:
        follow(session, room.start_explain(run, row))
        found = room.explanation(run, row) or next(iter(room.explanations(run)))
        print_json(found) if session.json else print_explanation(found)
        return
    grouped = failures or label or check
    wanted = dependence or interactions or grouped
    if again or (wanted and room.dependences(run) is None) or (grouped and room.failures(run) is None):
        follow(session, room.start_interpret(run))
    if dependence:
        print_dependence(session, run, dependence)
        return
    if interactions:
        print_interactions(session, run)
        return
    if label or check:
        (queue_type if label else check_type)(session, run, (label or check) - 1, write)
        return
    if failures:
        print_failures(session, run)
        return
    importances, rows = room.importances(run), room.explanations(run)
    if not importances:
        session.engine.experiments.run(run)
        raise NotFound(f"Run {run} was not evaluated yet.", f"Do it with `lemnis evaluate {run}`.")
    if session.json:
        kept = room.contributions(run)
        print_json({"run": run, "importances": importances, "rows": rows, "contributions": kept})
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


def print_dependence(session: Session, run: int, feature: str) -> None:
    """Print how the answer depends on one feature: its mean, and the band of single rows.

    Raises:
        NotFound: No curve of this feature was computed.
    """
    found = session.engine.evaluate.dependences(run)
    one = next((each for each in found.features if each.feature == feature), None) if found else None
    if found is None or one is None:
        known = ", ".join(each.feature for each in found.features) if found else ""
        raise NotFound(f"There is no curve of a feature {feature!r}.", f"Features with one: {known}.", f"run {run}")
    if session.json:
        facts = {"run": run, "part": found.part, "rows": found.rows, "answers": found.answers}
        print_json(facts | {"feature": one})
        return
    for place, answer in enumerate(found.answers):
        say(f"{f'P({answer})' if answer else 'answer'} by {feature}, {found.rows} {found.part} rows")
        columns = zip(one.names, one.mean[place], one.low[place], one.high[place], strict=True)
        lines = [(name, *(shown.number(value, 4) for value in values)) for name, *values in columns]
        print_table([feature, "mean", "10 %", "90 %"], lines, right={"mean", "10 %", "90 %"})


def print_interactions(session: Session, run: int) -> None:
    """Print which features act together, strongest first."""
    found = session.engine.evaluate.interactions(run)
    if session.json:
        print_json({"run": run} | (msgspec.to_builtins(found) if found else {}))
        return
    if found is None or found.note:
        say(found.note if found else "Nothing was computed.")
        return
    lines = [(p.first, p.second, shown.number(p.strength, 4), shown.share(p.share)) for p in found.pairs]
    print_table(["feature", "with", "adds (raw)", "of both"], lines, right={"adds (raw)", "of both"})


def print_explanation(found: Explanation) -> None:
    """Print a row's contributions, the largest first, from the bias to the raw score."""
    answer = f" {found.answer}" if found.answer else ""
    say(f"{found.key}: says {shown.number(found.score, 4)}{answer}, was {found.actual or 'unknown'}")
    lines = [("all rows (bias)", "", shown.number(found.bias, 4))]
    lines += [(one.feature, one.value or shown.MISSING, shown.delta(one.amount, 4)) for one in found.contributions]
    lines.append(("this row (raw score)", "", shown.number(found.raw, 4)))
    print_table(["feature", "value", "adds"], lines, right={"adds"})
