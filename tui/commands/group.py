"""The root of the command line: finds groups, turns expected failures into stderr and exit codes, prints answers.

How to write a group (`commands/<name>.py`, listed in GROUPS below)::

    app = group("List, follow, cancel and retry jobs.")      # or: app = single() for a command without subcommands

    @app.command("list")
    def list_jobs(context: typer.Context, limit: int = 50) -> None:
        '''The first line is the short help; describe the JSON document here.'''
        session = session_of(context)
        jobs = session.engine.jobs.jobs(limit=limit)
        if session.json:
            print_json({"jobs": [job_document(job) for job in jobs]})
        else:
            print_table(["id", "kind"], [(str(job.id), job.kind) for job in jobs], right={"id"})

A LemnisError may simply escape. `fell_short()` ends with exit code 1: the thing that was checked fell short.
Everything a person reads goes through `print_table` or `say`, which pass it through safe(); JSON is JSON.
Engine rooms are reached through `session.engine`; modules import nothing heavy at the top.
"""

import os
import sys
from collections.abc import Collection, Sequence
from errno import ENOSPC
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer._completion_classes import completion_init
from typer.core import TyperGroup
from typer.exceptions import TyperException

from lemnis.engine import LemnisError, __version__
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.text import safe
from lemnis.tui.bugs import unexpected
from lemnis.tui.commands.failure import report
from lemnis.tui.commands.session import COMPLETING, Session

FULL = ("There is no space left where something was written.", "Free some disk space and repeat.")
GROUPS: dict[str, str] = {
    "demo": "The whole loop on the NYC flights of 2013, then the console.",
    "init": "Make a workspace here; with files, propose its declarations.",
    "open": "The console at an address, such as run/3 or alert/12.",
    "status": "The loop: stage, state, why, next step.",
    "doctor": "Look at the terminal, SQLite, GPU, disk, clock and ports.",
    "problem": "The question, its value in money, its history.",
    "data": "Sources, snapshots, links and versions.",
    "share": "Remotes and bundles: list, export, import, origins.",
    "explore": "Profiles, rows and labels.",
    "features": "Importance, association, leakage, feature sets.",
    "validate": "Checks: run, history, failing rows.",
    "train": "Train a model from a preset.",
    "sweep": "Look for better parameters, one run a trial.",
    "sweeps": "List, show and steer sweeps.",
    "grid": "Train every combination of data, algorithms and values.",
    "run": "Run any command as a tracked, queued job.",
    "lineage": "Where a thing comes from and what came of it.",
    "runs": "List, show, compare and reproduce runs.",
    "evaluate": "Judge a run on held-out data.",
    "explain": "Say why a run answers as it does.",
    "models": "The registry: versions, aliases, history, rollback.",
    "deploy": "Serve a model over HTTP.",
    "endpoints": "What is being served.",
    "predict": "Score a file.",
    "monitor": "Drift, performance, feedback, replay.",
    "alerts": "What fires; acknowledge, silence, resolve; rules, contacts.",
    "oncall": "The on-call view: how bad it is, what serves, what fires.",
    "retrain": "Train again on newer rows and compare.",
    "resources": "Live use of the machine, pools, the queue.",
    "jobs": "List, follow, cancel and retry jobs.",
    "keys": "List keys, check those of config.toml, see what this terminal sends.",
    "engine": "Start, stop and look at the supervisor.",
    "web": "The console in a browser of this machine.",
    "completion": "Print the script that completes commands in a shell.",
    "man": "Print the manual page.",
}


class Commands(TyperGroup):
    """Imports a group's module when that group is asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(GROUPS)

    # Any: Typer's own copy of Click is private.
    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name not in GROUPS:
            return None
        return typer.main.get_command(import_module(module_of(cmd_name)).app)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        with formatter.section("Commands"):
            formatter.write_dl(list(GROUPS.items()))


root = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def print_version(wanted: bool) -> None:
    """Print the version and end, whatever else was given."""
    if wanted:
        print(__version__)
        raise typer.Exit


@root.callback(context_settings={"help_option_names": ["-h", "--help"]})
def prepare(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("-w", "--workspace", help="A workspace's folder.", metavar="DIR")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change.")] = False,
    at: Annotated[
        str, typer.Option(help="Tell what was at this past time (your zone, unless it says another).", metavar="TIME")
    ] = "",
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    linear: Annotated[
        bool,
        typer.Option("--linear", help="Print what the tabs named (or all) show as plain lines."),
    ] = False,
    slow: Annotated[bool, typer.Option("--slow", help="For a bad link: draw a few times a second only.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Lemnis: the whole life of a machine-learning model, from the keyboard. Alone, it opens the console.

    Exit codes: 0 fine, 1 the thing checked fell short, 2 bad input, 3 the engine could not do it.
    """
    context.obj = Session(workspace, json, read_only, debug, at, linear, slow)


def group(help: str) -> typer.Typer:
    """Return the app of a command group with subcommands."""
    app = typer.Typer(help=help, rich_markup_mode=None, no_args_is_help=True, add_completion=False)
    app.callback()(lambda: None)
    return app


def single() -> typer.Typer:
    """Return the app of one command; its function's docstring is its help."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def session_of(context: typer.Context) -> Session:
    """Return the session of this command."""
    session = context.find_root().obj
    if not isinstance(session, Session):
        raise TypeError("a command ran without its root")
    session.check_past(context.command_path.partition(" ")[2])
    return session


def fell_short() -> None:
    """End the command with exit code 1."""
    raise typer.Exit(1)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; no traceback is shown without --debug."""
    if COMPLETING in os.environ:
        completion_init()
    try:
        code = typer.main.get_command(root).main(list(arguments), prog_name="lemnis", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except LemnisError as error:
        if "--debug" in arguments:
            raise
        return report(error, as_json="--json" in arguments)
    except typer.Abort:
        return 130
    except BrokenPipeError:
        return 0
    except TyperException as error:
        return report(usage(error), as_json="--json" in arguments)
    except Exception as error:
        if "--debug" in arguments:
            raise
        full = isinstance(error, OSError) and error.errno == ENOSPC
        return report(Unavailable(*FULL) if full else unexpected(error), as_json="--json" in arguments)


def usage(error: TyperException) -> LemnisError:
    """Return a usage error as one of ours."""
    context: typer.Context | None = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "lemnis"
    if type(error).__name__ == "NoArgsIsHelpError":
        return BadInput(f"`{path}` needs a command.\n\n{error.format_message()}", f"Try `{path} --help`.")
    return BadInput(error.format_message(), f"See `{path} --help`.")


# Any: whatever msgspec can encode.
def print_json(document: Any) -> None:
    """Print one JSON document; records become objects, times stay epoch milliseconds, NaN becomes null."""
    data = msgspec.json.encode(msgspec.to_builtins(document, enc_hook=str))
    sys.stdout.write(msgspec.json.format(data, indent=2).decode() + "\n")


def say(text: str = "") -> None:
    """Print text for a person, a line at a time through safe()."""
    print("\n".join(safe(line) for line in text.split("\n")))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()) -> None:
    """Print rows under headers in aligned columns, those named in `right` to the right; wide characters count 2."""
    from rich.cells import cell_len

    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max([cell_len(name), *(cell_len(row[index]) for row in cells)]) for index, name in enumerate(headers)]

    def line(texts: Sequence[str]) -> str:
        parts = [
            " " * (width - cell_len(text)) + text if name in right else text + " " * (width - cell_len(text))
            for name, text, width in zip(headers, texts, widths, strict=True)
        ]
        return "  ".join(parts).rstrip()

    print(line(headers))
    for row in cells:
        print(line(row))


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print label and value pairs, aligned."""
    wide = max((len(label) for label, _ in facts), default=0)
    for label, value in facts:
        say(f"{label:<{wide}}  {value}")


def module_of(name: str) -> str:
    """Return where a group's commands are."""
    return f"lemnis.tui.commands.{name}"
