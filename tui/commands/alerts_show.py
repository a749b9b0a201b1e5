"""`lemnis alerts show`: the incident of one alert, for a terminal, a program or a chat."""

from typing import Annotated

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe
from lemnis.tui.commands.group import fell_short, print_json, say, session_of
from lemnis.tui.screens.alerted.lines import Section, printed, wrapped
from lemnis.tui.screens.alerted.sections import markdown, sections, summary

app = typer.Typer(rich_markup_mode=None)
WIDTH = 100


@app.command()
def show(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="The alert's number, or its address alert/N.", metavar="ALERT")],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, to paste into a chat.")] = False,
) -> None:
    """Show one alert's incident: what, since when, how sure, money, what changed and moved, what was done.

    Ends with 1 while it fires and nobody has taken it.

    With --json: {"at", "alert": as in `list`, "others": [alert], "window", "first" (windows as in `monitor drift`, the
    one it speaks of and the first bad one), "began", "band": [from, until], "sure": {"counted", "unit", "figure":
    {"value", "low", "high"}, "held_out", "p_adjusted", "false_alarms", "null_runs", "breaches"}, "cost": {"currency",
    "basis", "per_day", "measured", "estimated", "since"}, "data_version", "features" (as in `monitor drift`),
    "segments": [{"feature", "value", "reference", "current", "loss", "part", "labelled"}], "examples": [{"id",
    "event_at", "row_key", "score", "values", "moved"}], "changes": [{"at", "room", "what", "who", "why", "earlier"}],
    "strains": [{"name", "unit", "values"}], "events", "notifications", "silence", "alias", "back_to", "challenger"
    (versions), "concept": {"state", "rows", "event_at", "waits_ms", "late", "left_out", "detections"},
    "contrast" (as in `monitor why`), "retrainings" (as in `retrain status`)} (times ms).
    """
    session = session_of(context)
    found = session.engine.monitor.incident(number_of(alert))
    if session.json:
        print_json(found)
    elif as_markdown:
        say(markdown(found).rstrip())
    else:
        top = [part for line in summary(found) for part in wrapped(line, WIDTH)]
        below = [
            Section(
                one.title, one.lines if one.drawn else [part for line in one.lines for part in wrapped(line, WIDTH)]
            )
            for one in sections(found, WIDTH)
        ]
        say(printed([Section("", top), *below]))
    if found.alert.fires:
        fell_short()


def number_of(text: str) -> int:
    """Return the number of an alert that is named by it, or by its address; raises BadInput."""
    digits = text.removeprefix("alert/")
    if not digits.isdecimal():
        raise BadInput(f"{safe(text, limit=60)!r} is no alert.", "Write its number, or its address such as alert/3.")
    return int(digits)
