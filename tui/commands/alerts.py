"""`lemnis alerts`: what fires, who has taken it, what is silenced, and what happened."""

from typing import Annotated

import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert, Silence
from lemnis.engine.monitor.alerting.hand import end_in
from lemnis.tui.commands import alerts_rules, alerts_show, alerts_told
from lemnis.tui.commands.group import fell_short, group, print_json, print_table, say, session_of
from lemnis.tui.format import age, duration, number, verdict, when

app = group("What fires; acknowledge, silence, resolve, history; rules and contacts.")
app.add_typer(alerts_show.app)
app.add_typer(alerts_rules.app)
app.add_typer(alerts_told.app)

Number = Annotated[int, typer.Argument(help="The alert's number, see `lemnis alerts list`.", metavar="ALERT")]
Who = Annotated[str, typer.Option("--who", help="Your name; the system's user if not given.")]


@app.command("list")
def list_alerts(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
) -> None:
    """List alerts, those that need a person first. Ends with 1 while one fires and nobody has taken it.

    One that fires to and fro (flapping) wants a person too; silenced and inhibited ones don't.

    With --json: {"alerts": [{"id", "rule", "endpoint", "severity" (page, ticket), "state" (pending, firing,
    acknowledged, silenced, inhibited, flapping, resolved), "state_at", "metric", "cause" (data, labels, serving,
    split), "model", "version", "incident_id", "message", "value", "threshold", "window_id", "since", "fired_at",
    "acknowledged_at", "acknowledged_by", "acknowledged_until", "silence_id", "inhibited_by", "told_at",
    "escalated_at", "resolved_at", "breaches", "handling": {"notify", "escalate_to", "escalate_after_ms",
    "repeat_after_ms", "inhibited_by", "runbook"}, "updated_at" (all times ms)}]}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerts(not all_, endpoint=endpoint or None)
    if session.json:
        print_json({"alerts": found})
    elif not found:
        say("No alert is open.")
    else:
        now = session.engine.now_ms()
        headers = ["alert", "state", "severity", "rule", "endpoint", "value", "bound", "since", "message"]
        print_table(headers, [alert_line(alert, now) for alert in found], right={"alert", "value", "bound", "since"})
    if any(alert.fires for alert in found):
        fell_short()


@app.command()
def ack(
    context: typer.Context,
    alert: Number,
    why: Annotated[str, typer.Option("--why", help="What you are going to do.")] = "",
    until: Annotated[
        str, typer.Option("--until", help="When it fires again by itself: 2h, or a time (UTC).", metavar="END")
    ] = "",
    who: Who = "",
) -> None:
    """Take a firing alert: it stays open, but it is yours; nobody is told of it again.

    With --json: the alert as in `list`.
    """
    session = session_of(context)
    ends = end_in(until, now_ms()) if until else None
    tell(session.engine.monitor.acknowledge(alert, who or user_name(), why, ends), as_json=session.json)


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
def silence(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(help="A rule's name, or * for all.", metavar="RULE")],
    until: Annotated[str, typer.Option("--until", help="When it ends, at most 30 days from now: 2h, 3d, or a time.")],
    why: Annotated[str, typer.Option("--why", help="Why nobody is needed.")],
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only of this endpoint.")] = "",
    who: Who = "",
) -> None:
    """Hold the alerts of a rule for a while: they are seen, but ask for nobody. It always ends by itself.

    With --json: {"id", "rule" ("" for all), "endpoint" ("" for all), "who", "why", "starts", "until", "ended_at",
    "ended_by" (times ms)}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerting.silence(
        "" if rule == "*" else rule,
        endpoint=endpoint,
        until=end_in(until, now_ms()),
        who=who or user_name(),
        why=why,
    )
    if session.json:
        print_json(found)
    else:
        say(f"Silence {found.id}: {found.rule or 'every rule'} is held until {when(found.until)}.")


@app.command()
def silences(
    context: typer.Context, all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False
) -> None:
    """List silences, the one that ends next first.

    With --json: {"silences": [as in `silence`]}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerting.silences(in_force=not all_)
    if session.json:
        print_json({"silences": found})
    elif not found:
        say("Nothing is silenced.")
    else:
        now = session.engine.now_ms()
        headers = ["silence", "rule", "endpoint", "ends", "in", "age", "who", "why"]
        print_table(headers, [silence_line(one, now) for one in found], right={"silence", "in", "age"})


@app.command()
def unsilence(
    context: typer.Context,
    silence: Annotated[int, typer.Argument(help="Its number, see `lemnis alerts silences`.", metavar="SILENCE")],
    who: Who = "",
) -> None:
    """End a silence early: what it held fires again.

    With --json: the silence as in `silence`.
    """
    session = session_of(context)
    found = session.engine.monitor.alerting.end_silence(silence, who or user_name())
    if session.json:
        print_json(found)
    else:
        say(f"Silence {found.id} is over.")


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


def silence_line(silence: Silence, now: int) -> list[str]:
    """Return one row of `lemnis alerts silences`."""
    over = silence.ended_at if silence.ended_at is not None else silence.until
    left = duration((over - now) / 1000) if over > now else "over" if not silence.ended_by else f"by {silence.ended_by}"
    return [
        str(silence.id),
        silence.rule or "every rule",
        silence.endpoint or "every endpoint",
        when(over),
        left,
        age(silence.starts, now),
        silence.who,
        silence.why,
    ]


def tell(alert: Alert, *, as_json: bool) -> None:
    """Print one alert."""
    if as_json:
        print_json(alert)
    else:
        say(f"Alert {alert.id} ({alert.rule}) is {alert.state}.")
