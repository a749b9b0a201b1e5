"""`lemnis resources plan`: what infrastructure an expected volume needs, by what this machine measured."""

from typing import Annotated

import msgspec
import typer

from lemnis.engine.config import CADENCES
from lemnis.engine.errors import BadInput
from lemnis.engine.resources.planning import Plan
from lemnis.tui import planned
from lemnis.tui.commands.group import print_facts, print_json, print_table, say, session_of, single

app = single()


@app.command()
def plan(
    context: typer.Context,
    rows: Annotated[int | None, typer.Option("--rows", help="Rows of a training.", min=1)] = None,
    columns: Annotated[int | None, typer.Option("--columns", help="Columns of a training.", min=1)] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="How it is trained.")] = None,
    cadence: Annotated[str | None, typer.Option("--cadence", help="How often: daily, weekly, monthly …")] = None,
    per_day: Annotated[int | None, typer.Option("--predictions-per-day", help="Rows to answer.", min=0)] = None,
    peak: Annotated[float | None, typer.Option("--peak-per-s", help="Rows a second at the busiest.", min=0)] = None,
    kept: Annotated[int | None, typer.Option("--versions-kept", help="Dataset versions on disk.", min=1)] = None,
) -> None:
    """Memory, time, disk, serving and cost of an expected volume, each with the interval that 80 % lie in.

    A law is fitted to the trainings that this machine measured; 'time was' and 'memory was' say how far it was off on
    trainings that it had not seen. What is not given is that of [infrastructure] in lemnis.toml, then of the newest
    version and the preset.

    With --json: {"asked": {"sizes": {}, "preset", "known", "cadence", ...}, "devices": [{"device", "count", "seconds":
    {"low", "likely", "high"}, "peak_bytes": {}, "seconds_trial": {"count", "error", "covered"}, "memory_trial": {},
    "beyond": {}, "cost": {}, "why"}], "storage": {"version_bytes": {}, "kept_bytes": {}, "month_bytes", "why"},
    "serving": {"wanted_per_s", "per_core_s": {}, "cores": {}, "why"}, "currency", "month_cost": {}, "problems": []}.
    """
    session = session_of(context)
    if cadence is not None and cadence not in CADENCES:
        raise BadInput(f"--cadence can't be {cadence!r}.", f"It is one of {', '.join(CADENCES)}.", "--cadence")
    given = {
        "rows": rows, "columns": columns, "preset": preset, "cadence": cadence, "predictions_per_day": per_day,
        "peak_per_s": peak, "versions_kept": kept,
    }  # fmt: skip
    declared = session.engine.config().infrastructure
    asked = msgspec.structs.replace(declared, **{name: value for name, value in given.items() if value is not None})
    found = session.engine.resources.plan(asked)
    if session.json:
        print_json(found)
    else:
        print_plan(found)


def print_plan(plan: Plan) -> None:
    """Print a plan for people."""
    print_facts([("volume", planned.volume_words(plan)), ("known", plan.asked.known)])
    say()
    print_table(list(planned.HEADERS), planned.device_rows(plan))
    say()
    print_facts(planned.other_facts(plan))
    for problem in plan.problems:
        say(f"▲ {problem}")
