"""`lemnis oncall`: the on-call view, or what it shows as one document."""

import sys

import typer

from lemnis.tui.commands.group import fell_short, print_json, say, session_of, single

app = single()


@app.command()
def oncall(context: typer.Context) -> None:
    """Open the on-call view: endpoints, alerts by urgency, watch and notifier, silences. Without a terminal, print it.

    Printed, it ends with 1 while an alert fires and nobody has taken it.

    With --json: {"at", "alerts": as in `alerts list`, "served": [{"endpoint": as in `endpoints show`, "per_second",
    "error_share", "window": as in `monitor drift`, "quality": {"metric", "basis" (measured, estimated), "figure":
    {"value", "low", "high"}, "held_out"}, "money": {"basis", "per_1000", "reference", "rows", "days", "low", "high"},
    "currency", "newest_event", "arrived_at"}], "watching", "watch_why", "watch_at", "post": {"state", "why", "late",
    "failed", "reason"}, "silences": as in `alerts silences`} (times ms).
    """
    session = session_of(context)
    if not session.json and sys.stdin.isatty() and sys.stdout.isatty():
        from lemnis.tui.commands.console import open_console

        raise typer.Exit(open_console(session, stage="monitor", oncall=True))
    duty = session.engine.monitor.duty()
    if session.json:
        print_json(duty)
    else:
        from lemnis.tui.screens.alerted.duty import printed_duty

        say(printed_duty(duty))
    if any(alert.fires for alert in duty.alerts):
        fell_short()
