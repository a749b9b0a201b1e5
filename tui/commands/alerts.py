"""`lemnis alerts`: what fires, who has taken it, and what happened."""

from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert
from lemnis.tui.commands.group import fell_short, group, print_json, print_table, say, session_of
from lemnis.tui.format import age, number, verdict, when

app = group("What fires; acknowledge, resolve, history.")

Number = Annotated[int, typer.Argument(help="The alert's number, see `lemnis alerts list`.", metavar="ALERT")]
Who = Annotated[str, typer.Option("--who", help="Your name; the system's user if not given.")]


@app.command("list")
def list_alerts(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
) -> None:
    """List alerts, those that need a person first. Ends with 1 while one fires and nobody has taken it.

    With --json: {"alerts": [{"id", "rule", "endpoint", "severity" (page, ticket), "state" (pending, firing,
    acknowledged, resolved), "metric", "message", "value", "threshold", "window_id", "since", "fired_at",
    "acknowledged_at", "acknowledged_by", "resolved_at", "breaches", "updated_at" (all times ms)}]}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerts(not all_, endpoint=endpoint or None)
    if session.json:
        print_json({"alerts": found})
    elif not found:
        say("No alert is open.")
    else:
        now = now_ms()
        headers = ["alert", "state", "severity", "rule", "endpoint", "value", "bound", "since", "message"]
        print_table(headers, [alert_line(alert, now) for alert in found], right={"alert", "value", "bound", "since"})
    if any(alert.fires for alert in found):
        fell_short()


@app.command()
def ack(
    context: typer.Context,
    alert: Number,
    why: Annotated[str, typer.Option("--why", help="What you are going to do.")] = "",
    who: Who = "",
) -> None:
    """Take a firing alert: it stays open, but it is yours.

    With --json: the alert as in `list`.
    """
    session = session_of(context)
    tell(session.engine.monitor.acknowledge(alert, who or user_name(), why), as_json=session.json)


@app.command()
def resolve(
    context: typer.Context,
    alert: Number,
    why: Annotated[str, typer.Option("--why", help="What was done about it.")],
    who: Who = "",
) -> None:
    """End an open alert by hand; only a later window can raise it again.

    With --json: the alert as in `list`.
    """
    session = session_of(context)
    tell(session.engine.monitor.resolve(alert, who or user_name(), why), as_json=session.json)


@app.command()
def history(
    context: typer.Context,
    alert: Annotated[int | None, typer.Argument(help="Only this alert.", metavar="[ALERT]")] = None,
) -> None:
    """Every change of an alert's state, newest first: when, who, why, and the value then.

    With --json: {"events": [{"id", "alert_id", "at" (ms), "state", "who", "why", "value"}]}.
    """
    session = session_of(context)
    room = session.engine.monitor
    if alert is not None:
        room.alert(alert)
    events = room.events(alert)
    if session.json:
        print_json({"events": events})
        return
    if not events:
        say("No alert was ever raised.")
        return
    rows = [
        [when(e.at, seconds=True), str(e.alert_id), verdict(e.state).text, number(e.value), e.who, e.why]
        for e in events
    ]
    print_table(["when", "alert", "state", "value", "who", "why"], rows, right={"alert", "value"})


def alert_line(alert: Alert, now: int) -> list[str]:
    """Return one row of `lemnis alerts list`."""
    return [
        str(alert.id),
        verdict(alert.state).text + (f" by {alert.acknowledged_by}" if alert.state == "acknowledged" else ""),
        alert.severity,
        alert.rule,
        alert.endpoint,
        number(alert.value),
        number(alert.threshold),
        age(alert.since, now),
        alert.message,
    ]


def tell(alert: Alert, *, as_json: bool) -> None:
    """Print one alert."""
    if as_json:
        document: dict[str, Any] = msgspec.to_builtins(alert)  # Any: JSON values
        print_json(document)
    else:
        say(f"Alert {alert.id} ({alert.rule}) is {alert.state}.")
