"""`lemnis retrain`: the served model again on later rows, as challenger."""

import sys
from typing import Annotated

import typer

from lemnis.engine.errors import NotFound
from lemnis.engine.jobs import Job, user_name
from lemnis.engine.text import safe
from lemnis.tui.commands.follow import CLEAR_LINE
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.format import delta, number

app = single()
FIGURES = (
    ("ROC AUC", "roc_auc", 3),
    ("log loss", "log_loss", 3),
    ("Brier", "brier", 3),
    ("value/1,000", "value_per_1000", 0),
)


@app.command()
def retrain(
    context: typer.Context,
    endpoint: Annotated[
        str, typer.Argument(help="Whose model; the one that answered last.", metavar="[ENDPOINT]")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept.")] = "newer labels",
) -> None:
    """Train the served model again on the rows whose labels have arrived since, and compare both on the last window.

    The new model becomes the challenger; promoting it stays yours. With --json: {"endpoint", "model", "run_id",
    "dataset", "champion_version", "challenger_version", "part": [first day, day after], "champion": {"labelled",
    "label_share", "roc_auc", "roc_auc_error", "log_loss", "brier", "value_per_1000", "mean_absolute_error"},
    "challenger": as champion}.
    """
    session = session_of(context)
    room = session.engine.monitor
    chosen = endpoint or next(iter(one.endpoint for one in room.status().watched), "")
    if not chosen:
        raise NotFound("Nothing was served yet.", "Deploy a model first: `lemnis deploy MODEL@champion`.")
    drawn = sys.stderr.isatty() and not session.json
    found = room.retrain(chosen, user_name(), reason, draw if drawn else None)
    if drawn:
        sys.stderr.write(CLEAR_LINE)
    if session.json:
        print_json(found)
        return
    first, last = (day[:10] for day in found.part)
    say(f"{found.model} v{found.challenger_version} (run {found.run_id}, {found.dataset}) is the challenger.")
    say(f"On the {found.challenger.labelled:,} labelled rows from {first} until {last}, which neither learnt from:")
    rows: list[list[str]] = []
    for label, name, digits in FIGURES:
        before, after = getattr(found.champion, name), getattr(found.challenger, name)
        gain = None if before is None or after is None else after - before
        rows.append([label, number(before, digits), number(after, digits), delta(gain, digits)])
    headers = ["figure", f"champion v{found.champion_version}", f"challenger v{found.challenger_version}", "gain"]
    print_table(headers, rows, right=set(headers[1:]))
    say(f"Promote it with `lemnis models promote {found.model} {found.challenger_version} --reason …`.")


def draw(job: Job) -> None:
    """Draw how far the training is, on one line of the terminal."""
    doing = job.progress_text if job.state == "running" else job.why
    sys.stderr.write(f"{CLEAR_LINE}{safe(job.title, limit=40)}: {job.state} {safe(doing, limit=60)}")
    sys.stderr.flush()
