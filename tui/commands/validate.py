"""`lemnis validate`: run the checks, see what failed and why, waive, propose."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.jobs import user_name
from lemnis.engine.validate import CheckResult
from lemnis.engine.validate.suggest import checks_toml
from lemnis.tui import format as shown
from lemnis.tui.commands import codes
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import fell_short, group, print_json, print_table, say, session_of

app = group("Checks as queries: verdicts, history, failing rows, waivers.")
app.add_typer(codes.app, name="codes")
Ref = Annotated[
    str | None, typer.Argument(help="A version: its number, v3 or the start of its id; the latest if none.")
]
Name = Annotated[str, typer.Argument(help="The check's name in lemnis.toml.")]
Run = Annotated[int | None, typer.Option("--run", help="A run of the checks; the latest if left out.")]


class Class(StrEnum):
    """Failing rows against the run before."""

    ALL = "all"
    NEW = "new"
    PERSISTING = "persisting"
    FIXED = "fixed"


@app.command()
def run(
    context: typer.Context,
    version: Ref = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")] = True,
) -> None:
    """Run every declared check. Exit code 1 if one failed or could not be evaluated.

    With --json: {"job", "check_run", "version", "passed", "warned", "failed", "not_evaluated", "checks": [{"name",
    "kind", "source", "rule", "severity", "verdict", "failing", "total", "distinct", "allowed", "limits", "message",
    "waiver", "expected": {"low", "high", "points", "rule"} of a learned row count, "compared": {"run", "new",
    "persisting", "fixed", "whole", "by"} against the run before, "sql", "sample": {"columns", "rows"}, "top":
    [{"value", "rows"}], "duration_ms", "owner", "why"}]}, worst first;
    without waiting, only job.
    """
    session = session_of(context)
    room = session.engine.validate
    job = room.start(version)
    if not wait:
        print_json({"job": job}) if session.json else say(f"Job {job} runs the checks.")
        return
    result = follow(session, job).result or {}
    found = room.run(result["check_run"])
    results = room.results(found.id)
    if session.json:
        print_json({"job": job, **result, "checks": [document(each) for each in results]})
    else:
        headers = ["verdict", "check", "failing", "of", "found"]
        print_table(headers, [line(each) for each in results], right={"failing", "of"})
        say(
            f"{found.version_title}: {found.passed} passed, {found.warned} warned, {found.failed} failed, "
            f"{found.not_evaluated} not evaluated"
        )
    if found.short_of:
        fell_short()


@app.command()
def history(
    context: typer.Context,
    name: Name,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How many of the latest runs.")] = 30,
) -> None:
    """How one check went over runs and versions, oldest first.

    With --json: {"check", "history": [{"check_run_id", "at", "version_id", "version_title", "verdict", "failing",
    "total"}]}; at is epoch milliseconds.
    """
    session = session_of(context)
    points = session.engine.validate.history(name, runs)
    if session.json:
        print_json({"check": name, "history": points})
        return
    rows = [
        (
            shown.when(p.at),
            p.version_title,
            shown.verdict(p.verdict).text,
            shown.number(p.failing),
            shown.number(p.total),
        )
        for p in points
    ]
    print_table(["at", "version", "verdict", "failing", "of"], rows, right={"failing", "of"})


@app.command()
def failures(
    context: typer.Context,
    name: Name,
    run: Run = None,
    offset: Annotated[int, typer.Option(min=0, help="The first row, from 0.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows.")] = 20,
    which: Annotated[Class, typer.Option(help="All, or against the run before: new, persisting, fixed.")] = Class.ALL,
    export: Annotated[Path | None, typer.Option(help="Write all of them to this new .csv, .jsonl or .parquet.")] = None,
) -> None:
    """The rows that fail a check: a page of them, or all of them into a file.

    With --json: {"check", "total", "offset", "columns": [name], "rows": [[value]]}, or {"check", "path", "rows"} when
    they are exported.
    """
    session = session_of(context)
    room = session.engine.validate
    if export is not None:
        written = room.export(name, export, check_run_id=run, which=which.value)
        if session.json:
            print_json({"check": name, "path": str(export), "rows": written})
        else:
            say(f"{shown.number(written)} rows are in {export}.")
        return
    page = room.failures(name, offset, limit, check_run_id=run, which=which.value)
    if session.json:
        print_json({"check": name, **{field: getattr(page, field) for field in page.__struct_fields__}})
        return
    print_table(page.columns, [[shown.MISSING if v is None else str(v) for v in row] for row in page.rows])
    say(f"rows {page.offset} to {page.offset + len(page.rows)} of {shown.number(page.total)}")


@app.command()
def why(context: typer.Context, name: Name, run: Run = None) -> None:
    """Why rows fail: the values of other columns that stand among them more often than among all rows.

    With --json: {"check", "reasons": [{"column", "value", "failing", "rows", "failing_share", "rows_share",
    "also": [column]}]}; also names columns that say the same; shares
    are from 0 to 1, the strongest reason first.
    """
    session = session_of(context)
    reasons = session.engine.validate.reasons(name, check_run_id=run)
    if session.json:
        print_json({"check": name, "reasons": reasons})
        return
    headers = ["column", "value", "failing", "of failing", "of all rows", "times"]
    lines = [
        (
            ", ".join([each.column, *each.also]),
            shown.MISSING if each.value is None else each.value,
            shown.number(each.failing),
            shown.share(each.failing_share),
            shown.share(each.rows_share),
            f"{each.lift:,.1f}",
        )
        for each in reasons
    ]
    print_table(headers, lines, right=set(headers[2:]))
    if not reasons:
        say("No value stands out: the failing rows are like the others.")


@app.command()
def suggest(
    context: typer.Context,
    version: Ref = None,
    accept: Annotated[
        list[str], typer.Option("--accept", help="Declare this proposed check; may be repeated.", metavar="NAME")
    ] = [],  # noqa: B006
    accept_all: Annotated[bool, typer.Option("--accept-all", help="Declare every proposed check.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for the history of lemnis.toml.")] = "",
) -> None:
    """Propose checks that held on every version there is and that catch faults put into a sample of the newest one.

    With --accept what the last trial proposed is written into lemnis.toml, comments kept; nothing is tried again.

    With --json: {"version", "version_id", "versions", "candidates", "fell": {name: where}, "idle": [name], "faults",
    "caught", "proposals": [{"check": {}, "rule", "held", "versions", "caught": [fault], "missed": [fault]}], "toml"},
    toml being the proposals as lemnis.toml has them; with --accept {"accepted": [name]}.
    """
    session = session_of(context)
    room = session.engine.validate
    if accept or accept_all:
        offered = room.proposals()
        names = list(accept) or [proposal.check.name for proposal in (offered.proposals if offered else [])]
        taken = [check.name for check in room.accept(names, who=user_name(), why=why)]
        print_json({"accepted": taken}) if session.json else say(f"Declared: {', '.join(taken)}. Run the checks now.")
        return
    follow(session, room.start_suggest(version))
    found = room.proposals()
    if found is None:
        raise Unavailable("The trial left no result.", "Look at its log: `lemnis jobs list`.")
    if session.json:
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        print_json({**fields, "toml": checks_toml([each.check for each in found.proposals])})
        return
    rows = [
        (
            each.check.name,
            each.rule,
            f"{each.held} of {each.versions}",
            f"{len(each.caught)} of {len(each.caught) + len(each.missed)}",
            ", ".join(each.caught),
        )
        for each in found.proposals
    ]
    print_table(["check", "rule", "held on versions", "faults caught", "which"], rows)
    say(
        f"{found.candidates} candidates: {len(found.fell)} did not hold on all versions ({found.versions}), "
        f"{len(found.idle)} caught no fault; {found.caught} of {found.faults} injected faults are caught by the rest"
    )
    if found.proposals:
        say("Take them with --accept NAME or --accept-all.")


@app.command()
def waive(
    context: typer.Context,
    name: Name,
    why: Annotated[str, typer.Option(help="The reason; everybody sees it.")],
    until: Annotated[str, typer.Option(help="The last moment it counts: a date such as 2026-12-31, UTC.")] = "",
    who: Annotated[str, typer.Option(help="Who says so; you, if left out.")] = "",
    take_back: Annotated[bool, typer.Option("--take-back", help="End the waiver that is in force.")] = False,
) -> None:
    """Let a failing check only warn until a date; it counts from the next run of the checks on.

    With --json: {"waiver": {"id", "check", "until", "who", "why", "at"}}; times are epoch milliseconds.
    """
    session = session_of(context)
    try:
        end = 0 if take_back else parse_ms(until)
    except ValueError:
        raise BadInput(f"{until!r} is no date.", "Give --until, for example 2026-12-31, or --take-back.") from None
    waiver = session.engine.validate.waive(name, until=end, who=who or user_name(), why=why)
    if session.json:
        print_json({"waiver": waiver})
    elif take_back:
        say(f"{name} is not waived any more.")
    else:
        say(f"{name} only warns until {iso_utc(waiver.until)}, says {waiver.who}. Run the checks to see it.")


def line(result: CheckResult) -> tuple[str, ...]:
    """Return one check as a line of the table."""
    word = shown.verdict(result.verdict).text if result.failing is not None else "? not evaluated"
    return word, result.name, shown.number(result.failing), shown.number(result.total), result.message


# Any: a JSON object.
def document(result: CheckResult) -> dict[str, Any]:
    """Return one check as it stands in the JSON document."""
    hidden = {"position", "typed"}
    return {name: getattr(result, name) for name in result.__struct_fields__ if name not in hidden}
