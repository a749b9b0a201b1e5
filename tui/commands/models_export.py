"""`lemnis models export` and `exports`: a version written for other applications, and what was written."""

from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.exports.records import Export
from lemnis.engine.jobs import user_name
from lemnis.tui.commands import completing
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import age, bytes_, number

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="The model and an alias or version, such as late@champion.",
            metavar="MODEL@ALIAS",
            autocompletion=completing.references,
        ),
    ],
    to: Annotated[Path, typer.Option("--to", help="The folder to write; new, or empty.", metavar="DIR")],
    form: Annotated[str, typer.Option("--as", help="native, onnx, mlflow or folder.", metavar="FORM")] = "folder",
    float32: Annotated[
        bool, typer.Option("--float32", help="Of ONNX: numbers as float32; refused where that changes an answer.")
    ] = False,
) -> None:
    """Write a version for other applications; it must answer as the registered model does, or nothing is written.

    native: LightGBM's text, the signature with the map of every category, golden rows. onnx: one file with an input a
    column, compared on thousands of held-out rows and at every threshold, of linear models too. mlflow: a
    directory for mlflow.lightgbm and mlflow.pyfunc. folder: score.py that needs only LightGBM and NumPy (of a linear
    model NumPy alone), requirements, Dockerfile, KServe and Triton.

    Beside it stands manifest.json with the SHA-256 of every file; the export is kept with the version.

    With --json: {"job", "id", "model", "version", "form", "path", "sha256" (of the manifest), "files", "bytes",
    "checked": {"rows", "farthest", "against"}, "warnings", "who", "at" (ms)}.
    """
    session = session_of(context)
    room = session.engine.deploy
    job = follow(session, room.start_export(reference, to, form, user_name(), float32=float32))
    made = room.export_of((job.result or {})["id"])
    if session.json:
        print_json({"job": job.id} | as_document(made))
        return
    say(f"{made.model} version {made.version} as {made.form}: {made.files} files, {bytes_(made.bytes)}, {made.path}")
    say(f"Same answers to {number(made.checked.rows)} rows ({made.checked.against}), {apart(made)}.")
    for warning in made.warnings:
        say(f"▲ {warning}")


@app.command()
def exports(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="Only this model.", metavar="[MODEL]", autocompletion=completing.models)
    ] = "",
) -> None:
    """List what was exported, newest first: who, when, where, and the hash of its manifest.

    With --json: {"exports": [as in `export`, without "job"]}.
    """
    session = session_of(context)
    found = session.engine.deploy.exports(model)
    if session.json:
        print_json({"exports": [as_document(made) for made in found]})
        return
    if not found:
        say("Nothing was exported yet. Write one with `lemnis models export MODEL@ALIAS --to DIR`.")
        return
    now = now_ms()
    rows = [
        [f"{one.model} {one.version}", one.form, number(one.checked.rows), apart(one), one.sha256[:12],
         age(one.at, now), one.who, str(one.path)]
        for one in found
    ]  # fmt: skip
    print_table(["version", "form", "rows", "apart", "manifest", "age", "who", "where"], rows, right={"rows", "age"})


def apart(made: Export) -> str:
    """Say how far answers are apart at most."""
    return f"at most {made.checked.farthest:.1g} apart" if made.checked.farthest else "none apart"


def as_document(made: Export) -> dict[str, object]:
    """Return an export as JSON has it."""
    fields: dict[str, object] = {name: getattr(made, name) for name in Export.__struct_fields__}
    return fields | {"path": str(made.path)}
