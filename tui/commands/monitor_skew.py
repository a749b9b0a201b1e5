"""`lemnis monitor skew`: classes, answers and segments against training, and the same rows through both pipelines."""

from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor.skew.records import ShareSkew, Skew
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import share, verdict
from lemnis.tui.stages.monitor.shaped import apart_words, nothing, paired_words, parts_apart

app = typer.Typer(rich_markup_mode=None)


@app.command()
def skew(
    context: typer.Context,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
    inspect: Annotated[
        bool, typer.Option("--inspect", help="Measure now instead of what the watch found last.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="List balanced shares too.")] = False,
) -> None:
    """List classes, answers and segments whose share is another than in training, and rows that serving sees apart.

    Served rows whose key is in the newest version of the model's dataset are read and scored again from there: where a
    feature or the score differs, the two pipelines are not the same.

    With --json: {"skew": [{"endpoint", "model", "version", "at", "start", "end" (ISO 8601, UTC), "rows", "shares":
    [{"kind" (class, answer, segment, group), "column", "value", "reference", "reference_rows", "share", "low", "high"
    (95 %), "rows", "p", "p_adjusted", "verdict"}], "paired": {"dataset", "looked", "rows", "rows_apart", "scores":
    {"name", "differ", "largest", "example": {"key", "served", "trained"}}, "unexplained", "features": [as scores, and
    "importance"], "why"}, "labels_why", "took_ms"}]}.
    """
    session = session_of(context)
    room = session.engine.monitor.schema
    if inspect and session.engine.store.read_only:
        raise BadInput("This workspace is open read-only.", "Leave out --inspect to list what was found last.")
    if inspect:
        room.inspect(endpoint)
    found = room.skews(endpoint)
    if session.json:
        print_json({"skew": [document(one) for one in found]})
        return
    for one in found:
        say_skew(one, everything=everything)
    if not found:
        say(nothing([one for one in room.inspected() if endpoint in ("", one.endpoint)], now_ms()))


def document(one: Skew) -> dict[str, Any]:
    """Return one endpoint of `monitor skew --json`. Any: JSON values."""
    times = {name: iso_utc(getattr(one, name)) for name in ("at", "start", "end")}
    return msgspec.to_builtins(one) | times


def say_skew(one: Skew, *, everything: bool) -> None:
    """Say how one endpoint is skewed."""
    span = f"{one.rows:,} rows from {iso_utc(one.start)[:10]} to {iso_utc(one.end)[:10]}" if one.rows else "no rows yet"
    say(f"{one.endpoint}  {one.model} v{one.version}  {span}")
    listed = one.shares if everything else one.told
    if listed:
        headers = ["what", "column", "value", "verdict", "training", "now", "95 %", "adjusted p"]
        print_table(headers, [cells(share) for share in listed], right={"training", "now", "adjusted p"})
    elif one.shares:
        say(f"All {len(one.shares):,} shares are as in training.")
    if one.labels_why:
        say(f"classes: {one.labels_why}")
    say(paired_words(one.paired))
    for apart in parts_apart(one.paired):
        say(f"    {apart_words(apart, one.paired.rows)}")


def cells(one: ShareSkew) -> list[str]:
    """Return one row of `monitor skew`."""
    interval = f"{share(one.low)} – {share(one.high)}"
    told = verdict(one.verdict).text
    return [
        one.kind,
        one.column,
        one.value,
        told,
        share(one.reference),
        share(one.share),
        interval,
        f"{one.p_adjusted:.2g}",
    ]
