"""`lemnis monitor schema`: how requests and new snapshots differ in shape from training, and what to write for it."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor.schema.records import Finding
from lemnis.engine.text import safe
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import share, verdict
from lemnis.tui.stages.monitor.shaped import nothing

if TYPE_CHECKING:
    from lemnis.engine.monitor.schema.door import SchemaDrift

app = typer.Typer(rich_markup_mode=None)


@app.command()
def schema(
    context: typer.Context,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
    inspect: Annotated[bool, typer.Option("--inspect", help="Look now instead of what the watch found last.")] = False,
    accept: Annotated[list[int] | None, typer.Option("--accept", help="Write what is proposed for this one.")] = None,
    why: Annotated[str, typer.Option("--why", help="Why it is accepted; it is kept.")] = "",
) -> None:
    """List how requests and new snapshots differ in shape from what the served model learnt from.

    One cause is one difference: a renamed column is neither removed nor added. What can be taken in is shown as the
    change of lemnis.toml that does it, and written with --accept.

    With --json: {"findings": [{"id", "endpoint", "model", "version", "source" (requests or a source), "kind" (removed,
    renamed, type, unit, nullability, code, range, code gone, added, malformed), "column", "new_name", "conversion"
    ([factor, offset] from usual values to those that came), "was", "now", "rows", "of", "refused", "since", "until"
    (ISO 8601, UTC), "verdict" (watch or drift), "importance", "evidence", "examples", "advice", "edits": [{"act",
    "target", "column", "texts", "numbers"}], "diff" (of lemnis.toml)}], "inspected": [{"endpoint", "model", "version",
    "at", "problem"}], "accepted": [id]}.
    """
    session = session_of(context)
    room = session.engine.monitor.schema
    if inspect and session.engine.store.read_only:
        raise BadInput("This workspace is open read-only.", "Leave out --inspect to list what was found last.")
    if inspect:
        room.inspect(endpoint)
    taken = room.accept(accept, who=user_name(), why=why) if accept else []
    found = room.findings(endpoint)
    if session.json:
        inspected = [msgspec.to_builtins(one) | {"at": iso_utc(one.at)} for one in room.inspected()]
        documents = [document(room, one) for one in found]
        print_json({"findings": documents, "inspected": inspected, "accepted": [one.id for one in taken]})
        return
    for one in taken:
        say(f"Written into lemnis.toml for {safe(one.column)} ({one.kind}).")
    if found:
        rows = [[str(one.id), *cells(one)] for one in found]
        print_table(["id", "from", "column", "verdict", "what", "was", "now", "rows", "since"], rows, right={"id"})
    for one in found:
        say_finding(room, one)
    if not found:
        say(nothing([one for one in room.inspected() if endpoint in ("", one.endpoint)], now_ms()))


def document(room: "SchemaDrift", one: Finding) -> dict[str, Any]:
    """Return one difference of `monitor schema --json`. Any: JSON values."""
    times = {"since": iso_utc(one.since), "until": iso_utc(one.until)}
    return msgspec.to_builtins(one) | times | {"diff": room.diff(one)}


def cells(one: Finding) -> list[str]:
    """Return one row of `monitor schema`."""
    rows = f"{one.rows:,}{' refused' if one.refused else ''}" if one.rows else ""
    place = one.source if one.source != "requests" else f"requests to {one.endpoint}"
    return [place, one.column, verdict(one.verdict).text, one.kind, one.was, one.now, rows, iso_utc(one.since)[:16]]


def say_finding(room: "SchemaDrift", one: Finding) -> None:
    """Say what to do about one difference."""
    say("")
    gain = f", {share(one.importance, 0)} of the gain" if one.importance else ""
    say(f"{one.id}  {safe(one.column)} ({one.kind}{gain}): {one.advice}")
    if one.evidence:
        say(f"    evidence: {one.evidence}")
    if one.examples:
        say(f"    examples: {', '.join(map(safe, one.examples[:5]))}")
    diff = room.diff(one)
    for line in diff.splitlines():
        say(f"    {safe(line)}")
    if one.edits and not diff:
        say("    lemnis.toml says so already; it holds from the next sync or run of the checks on.")
