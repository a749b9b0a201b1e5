"""`lemnis alerts incidents`, `messages`, `contacts`, `notify-test`: what belongs together, and who was told of it."""

from typing import Annotated

import typer

from lemnis.engine.monitor import Incident, Notification
from lemnis.tui.commands.group import fell_short, print_json, print_table, say, session_of
from lemnis.tui.format import age, verdict, when

app = typer.Typer(rich_markup_mode=None)


@app.command()
def incidents(
    context: typer.Context, all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False
) -> None:
    """List incidents, newest first: alerts of one endpoint, model version and cause that fire together.

    With --json: {"incidents": [{"id", "cause" (data, labels, serving, split), "endpoint", "model", "version",
    "opened_at", "ended_at" (ms), "alerts": [id]}]}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerting.incidents(open_only=not all_)
    if session.json:
        print_json({"incidents": found})
    elif not found:
        say("No incident is open.")
    else:
        now = session.engine.now_ms()
        headers = ["incident", "cause", "endpoint", "model", "opened", "state", "alerts"]
        print_table(headers, [incident_line(one, now) for one in found], right={"incident", "opened"})


@app.command()
def messages(
    context: typer.Context,
    alert: Annotated[int | None, typer.Argument(help="Only about this alert.", metavar="[ALERT]")] = None,
) -> None:
    """List messages to contacts, newest first: queued, sent, or failed and why. Ends with 1 if one was given up.

    With --json: {"messages": [{"id", "contact", "kind" (fired, flapping, repeated, escalated, resolved),
    "incident_id", "state" (queued, sent, failed), "attempts", "next_at", "queued_at", "sent_at" (ms), "title",
    "reason", "done", "alerts": [id]}]}.
    """
    session = session_of(context)
    room = session.engine.monitor
    if alert is not None:
        room.alert(alert)
    found = room.alerting.notifications(alert)
    if session.json:
        print_json({"messages": found})
    elif not found:
        say("Nobody was told of anything. Contacts are declared in lemnis.toml: [contacts.NAME] urls = […].")
    else:
        headers = ["message", "queued", "contact", "kind", "state", "attempts", "alerts", "what"]
        print_table(headers, [message_line(one) for one in found], right={"message", "attempts", "alerts"})
    if any(one.state == "failed" for one in found):
        fell_short()


@app.command()
def contacts(context: typer.Context) -> None:
    """List the contacts of lemnis.toml: what kinds of address they have, and which rules tell them.

    With --json: {"contacts": [{"name", "addresses": [scheme], "rules": [name]}]}. Addresses are not shown: they may
    hold secrets.
    """
    from lemnis.engine.monitor.alerting.senders import scheme

    session = session_of(context)
    config = session.engine.config()
    found = [
        (
            name,
            [scheme(url) for url in contact.urls],
            [rule.name for rule in config.alerts if name in (rule.notify or config.monitor.notify) + rule.escalate_to],
        )
        for name, contact in config.contacts.items()
    ]
    if session.json:
        print_json({"contacts": [dict(zip(("name", "addresses", "rules"), one, strict=True)) for one in found]})
    elif not found:
        say('No contact is declared. Add to lemnis.toml: [contacts.NAME] urls = ["mailto://…"].')
    else:
        lines = [[name, ", ".join(kinds), ", ".join(rules) or "–"] for name, kinds, rules in found]
        print_table(["contact", "addresses", "told by"], lines)


@app.command("notify-test")
def notify_test(
    context: typer.Context, contact: Annotated[str, typer.Argument(help="Whom to tell.", metavar="CONTACT")]
) -> None:
    """Send a test message to a contact now. Ends with 1 if an address did not take it.

    Secrets are read from this terminal's environment; the engine reads them from the one it was started in.

    With --json: {"contact", "failed": [why]}.
    """
    session = session_of(context)
    failed = session.engine.monitor.alerting.notify_test(contact)
    if session.json:
        print_json({"contact": contact, "failed": failed})
    else:
        say("\n".join(failed) or f"{contact} was told.")
    if failed:
        fell_short()


def incident_line(incident: Incident, now: int) -> list[str]:
    """Return one row of `lemnis alerts incidents`."""
    return [
        str(incident.id),
        incident.cause,
        incident.endpoint or "–",
        f"{incident.model} v{incident.version}" if incident.model else "–",
        age(incident.opened_at, now),
        verdict("resolved" if incident.ended_at is not None else "firing").text,
        ", ".join(map(str, incident.alerts)),
    ]


def message_line(message: Notification) -> list[str]:
    """Return one row of `lemnis alerts messages`."""
    return [
        str(message.id),
        when(message.queued_at, seconds=True),
        message.contact,
        message.kind,
        verdict(message.state).text,
        str(message.attempts),
        str(len(message.alerts)),
        message.reason or message.title,
    ]
