"""`lemnis resources usage`: what jobs and endpoints held, used and cost, by project, week, user or kind."""

from enum import StrEnum
from typing import Annotated

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.resources import Usage
from lemnis.engine.resources.accounting.report import RESPECTS, as_csv, as_markdown
from lemnis.tui import used
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single

app = single()


class Form(StrEnum):
    """How the report is written."""

    table = "table"
    csv = "csv"
    md = "md"


@app.command()
def usage(
    context: typer.Context,
    days: Annotated[float, typer.Option("--days", help="How far back.", min=0.01, max=3650)] = 7,
    by: Annotated[str, typer.Option("--by", help=f"Some of {', '.join(RESPECTS)}, with commas.")] = "project,week",
    form: Annotated[Form, typer.Option("--format", help="A table, CSV, or Markdown.")] = Form.table,
) -> None:
    """What jobs and endpoints held, used and cost; what is held and idle now; sizes that would do; what lies on disk.

    Prices and watts are those of [pool] in lemnis.toml; energy is measured where the machine's meters can be read.

    With --json: {"since", "until", "currency", "groups": [{"keys": {}, "jobs", "core_hours", "used_core_hours",
    "gb_hours", "gpu_hours", "kwh", "cost", "idle_cost"}], "jobs": [{"job_id", "run_id", "kind", "title", "state",
    "user", "project", "cores", "held_s", "core_hours", "used_core_hours", "gb_hours", "gpu_hours", "peak_bytes", "kwh",
    "energy", "cost", "idle_cost", ...}], "services": [{"name", "up_s", "used_core_hours", "kwh", "cost", "requests",
    "cost_per_million", ...}], "idle": [{"job_id", "what", "held", "used", "seconds", "cost_per_hour"}], "fits":
    [{"what", "jobs", "cores", "fitting_cores", "memory_bytes", "fitting_memory_bytes", "words"}], "disk": [{"name",
    "bytes", "files"}]}, the dearest or largest first; null is not known.
    """
    session = session_of(context)
    respects = [name.strip() for name in by.split(",") if name.strip()]
    if not respects or set(respects) - set(RESPECTS):
        raise BadInput(f"--by can't be {by!r}.", f"Name some of {', '.join(RESPECTS)}, with commas.", "--by")
    found = session.engine.resources.usage(days, respects)
    if session.json:
        print_json(found)
    elif form is Form.csv:
        print(as_csv(found.groups), end="")
    elif form is Form.md:
        print(as_markdown(found.groups, found.currency), end="")
    else:
        print_usage(found)


def print_usage(found: Usage) -> None:
    """Print the report for people."""
    print_table(*used.texts(used.group_table(found)), right=set(used.FIGURES))
    for table in (used.job_table(found), used.service_table(found), used.disk_table(found)):
        if table[1]:
            say()
            print_table(*used.texts(table), right=set(used.FIGURES))
    for line in used.findings(found):
        say(line)
