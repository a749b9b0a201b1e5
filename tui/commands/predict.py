"""`lemnis predict`: score a whole file with a registered model."""

from pathlib import Path
from typing import Annotated

import typer

from lemnis.tui.commands import completing
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, say, session_of, single
from lemnis.tui.format import number

app = single()


@app.command()
def predict(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="The model and an alias or version, such as late@champion.",
            metavar="MODEL@ALIAS",
            autocompletion=completing.references,
        ),
    ],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, or a folder of Parquet files.", metavar="FILE")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where they go: .csv, .parquet; of a folder, a folder.")],
) -> None:
    """Score a file as a job: its columns come back with the model's answers behind them.

    Any number of rows: a batch at a time is in memory. A wrong value is refused by its row and column, and nothing is
    written then. A binary model adds `probability` and `label`, more classes one `probability_CLASS` each, a
    regression `value`.

    With --json: {"job", "rows", "out", "model", "version"}.
    """
    session = session_of(context)
    job = follow(session, session.engine.deploy.start_predict(reference, file, out))
    result = job.result or {}
    if session.json:
        print_json({"job": job.id} | result)
        return
    say(f"{number(result.get('rows'))} rows scored with version {result.get('version')}: {out}")
