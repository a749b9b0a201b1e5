"""`lemnis validate codes`: code lists as objects: what they hold, what is unknown, and every act on them."""

from typing import Annotated

import typer

from lemnis.engine.clock import iso_utc
from lemnis.engine.jobs import user_name
from lemnis.engine.validate.code_lists import CodeEvent
from lemnis.tui import format as shown
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of

app = group("Code lists: what they hold, what is unknown, add, map, deprecate, quarantine, undo.")
Name = Annotated[str, typer.Argument(help="A code list, or a check that judges codes.")]
Codes = Annotated[list[str], typer.Argument(help="The codes.")]
Why = Annotated[str, typer.Option(help="The reason; everybody sees it.")]
Who = Annotated[str, typer.Option(help="Who decides; you, if left out.")]


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """List the code lists.

    With --json: {"lists": [{"name", "version", "checks", "codes": {"codes", "synonyms", "reference", "owner",
    "why"}}]}.
    """
    session = session_of(context)
    lists = session.engine.validate.codes.lists()
    if session.json:
        print_json({"lists": lists})
        return
    rows = [
        (
            each.name,
            f"v{each.version}",
            shown.number(len(each.codes.codes)),
            shown.number(len(each.codes.synonyms)),
            each.codes.reference or shown.MISSING,
            ", ".join(each.checks),
            each.codes.owner,
        )
        for each in lists
    ]
    headers = ["list", "version", "codes", "synonyms", "and all of", "checks", "owner"]
    print_table(headers, rows, right={"codes", "synonyms"})
    if not lists:
        say("No code list is declared. The first act on a check that lists values makes one.")


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a code list: its codes with their days, its synonyms, and every change of it.

    With --json: {"name", "version", "checks", "codes", "events": [{"id", "act", "codes", "target", "undoes", "undone",
    "rows", "kept", "why", "who", "at"}]}, newest first; at is epoch milliseconds.
    """
    session = session_of(context)
    room = session.engine.validate.codes
    found, events = room.show(name), room.events(name)
    if session.json:
        fields = {field: getattr(found, field) for field in found.__struct_fields__}
        print_json({**fields, "events": events})
        return
    none = shown.MISSING
    rows = [(e.code, e.start or none, e.end or none, e.replacement, e.meaning) for e in found.codes.entries]
    print_table(["code", "from", "until", "replaced by", "meaning"], rows)
    if found.codes.reference:
        say(f"and every value of {found.codes.reference}")
    for synonym, code in found.codes.synonyms.items():
        say(f"{synonym} stands for {code}")
    for event in events:
        say(f"{event.id}  {iso_utc(event.at)}  {event_text(event)}")


@app.command()
def unknown(
    context: typer.Context,
    check: Annotated[str, typer.Argument(help="A check that judges codes.")],
    run: Annotated[int | None, typer.Option("--run", help="A run of the checks; the latest if left out.")] = None,
) -> None:
    """The values that are no code, by how many rows hold them.

    With --json: {"check", "run", "column", "table", "listed", "failing", "distinct", "codes": [{"value", "rows",
    "like", "decided"}]}.
    """
    session = session_of(context)
    found = session.engine.validate.codes.unknown(check, run)
    if session.json:
        print_json(found)
        return
    rows = [(each.value, shown.number(each.rows), each.like or shown.MISSING, each.decided) for each in found.codes]
    print_table(["value", "rows", "most like", "decided since"], rows, right={"rows"})
    say(f"{shown.number(found.failing)} rows, {shown.number(found.distinct)} different values")


@app.command()
def add(
    context: typer.Context,
    name: Name,
    codes: Codes,
    why: Why,
    start: Annotated[str, typer.Option(help="The first day they are valid, such as 2026-01-01.")] = "",
    end: Annotated[str, typer.Option(help="The day from which they are valid no more.")] = "",
    who: Who = "",
) -> None:
    """Add codes to a list.

    With --json: {"event": {"id", "act", "codes", "target", "why", "who", "at"}}.
    """
    room = session_of(context).engine.validate.codes
    tell(context, room.add(name, codes, who=who or user_name(), why=why, start=start, end=end))


@app.command(name="map")
def map_(
    context: typer.Context,
    name: Name,
    codes: Codes,
    why: Why,
    to: Annotated[str, typer.Option(help="The code they stand for.")],
    who: Who = "",
) -> None:
    """Let values stand for a code: they are accepted, and counted in the check's message.

    With --json: as `add`.
    """
    tell(context, session_of(context).engine.validate.codes.map(name, codes, to, who=who or user_name(), why=why))


@app.command()
def deprecate(
    context: typer.Context,
    name: Name,
    code: Annotated[str, typer.Argument(help="The code.")],
    why: Why,
    end: Annotated[str, typer.Option(help="The day from which rows must not hold it, such as 2026-01-01.")],
    replacement: Annotated[str, typer.Option(help="The code they should hold then.")] = "",
    who: Who = "",
) -> None:
    """End a code from a day on, and name what replaces it.

    With --json: as `add`.
    """
    room = session_of(context).engine.validate.codes
    tell(context, room.deprecate(name, code, end=end, replacement=replacement, who=who or user_name(), why=why))


@app.command()
def quarantine(
    context: typer.Context,
    check: Annotated[str, typer.Argument(help="A check of the dataset that judges codes.")],
    codes: Codes,
    why: Why,
    who: Who = "",
) -> None:
    """Copy the rows with these codes aside, and leave them out of the next dataset version by a declared rule.

    With --json: as `add`, with "rows" and "kept" of the file below .lemnis/quarantine.
    """
    tell(context, session_of(context).engine.validate.codes.quarantine(check, codes, who=who or user_name(), why=why))


@app.command()
def undo(
    context: typer.Context,
    event: Annotated[int, typer.Argument(help="The number of the change, as `show` lists it.")],
    why: Why,
    who: Who = "",
) -> None:
    """Take back one change, by a change of its own; what came after it stays.

    With --json: as `add`.
    """
    tell(context, session_of(context).engine.validate.codes.undo(event, who=who or user_name(), why=why))


def tell(context: typer.Context, event: CodeEvent) -> None:
    """Say what was done."""
    if session_of(context).json:
        print_json({"event": event})
    else:
        say(f"{event.listed}: {event_text(event)}. It counts from the next run of the checks on.")


def event_text(event: CodeEvent) -> str:
    """Return a change in words."""
    codes = ", ".join(event.codes)
    words = {
        "add": f"added {codes}",
        "map": f"{codes} stands for {event.target}",
        "deprecate": f"ended {codes}" + (f", replaced by {event.target}" if event.target else ""),
        "quarantine": f"{event.rows or 0:,} rows with {event.target} {codes} in quarantine, copied to {event.kept}",
        "undo": f"took back change {event.undoes}",
        "edit": "changed by hand",
    }
    by = f" by {event.who}" if event.who else ""
    return f"{words.get(event.act, event.act)}{by}: {event.why}{' (taken back)' if event.undone else ''}"
