"""`lemnis alerts rules`, `metrics`, `test`, `declare`: what each rule says, and what one would have done."""

from typing import Annotated

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Rehearsal
from lemnis.engine.monitor.alerting.declaring import rule_in
from lemnis.engine.monitor.alerting.rules import METRICS, rule_words
from lemnis.tui.commands.group import fell_short, print_json, print_table, say, session_of
from lemnis.tui.format import age, number, verdict, when
from lemnis.tui.stages.monitor.rehearsed import firing_lines, would_have

app = typer.Typer(rich_markup_mode=None)

Metric = Annotated[str, typer.Option("--metric", help="What it watches, see `lemnis alerts metrics`.")]
Above = Annotated[float | None, typer.Option("--above", help="It fires above this.")]
Below = Annotated[float | None, typer.Option("--below", help="It fires below this.")]
Windows = Annotated[int, typer.Option("--windows", help="For so many complete windows (or minutes) in a row.")]
Keep = Annotated[int, typer.Option("--keep-firing", help="Windows that keep the rule before it ends; 0: as many.")]
Severity = Annotated[str, typer.Option("--severity", help="page or ticket.")]


@app.command()
def rules(context: typer.Context) -> None:
    """List what every rule says of every endpoint now, also where nothing is wrong. Ends with 1 while one fires.

    With --json: {"rules": [{"rule", "endpoint", "state" (ok, no data, insufficient, or that of its alert), "since",
    "why", "value", "alert_id", "silenced" (until when) (times ms)}]}.
    """
    session = session_of(context)
    found = session.engine.monitor.alerting.standings()
    if session.json:
        print_json({"rules": found})
    elif not found:
        say("No rule has been judged yet: nothing is served, or the watch does not run (`lemnis engine start`).")
    else:
        now = session.engine.now_ms()
        lines = [
            [
                one.rule,
                one.endpoint,
                verdict(one.state).text,
                age(one.since, now),
                number(one.value),
                f"until {when(one.silenced)}" if one.silenced else "",
                one.why,
            ]
            for one in found
        ]
        headers = ["rule", "endpoint", "state", "since", "value", "silenced", "why"]
        print_table(headers, lines, right={"since", "value"})
    if any(one.state in ("firing", "flapping") for one in found):
        fell_short()


@app.command()
def metrics(context: typer.Context) -> None:
    """List what a rule may watch.

    With --json: {"metrics": [{"name", "label", "definition", "cause", "of" (windows, minutes)}]}.
    """
    session = session_of(context)
    found = [
        {"name": name, "label": kind.label, "definition": kind.definition, "cause": kind.cause,
         "of": "minutes" if kind.live else "windows"}
        for name, kind in METRICS.items()
    ]  # fmt: skip
    if session.json:
        print_json({"metrics": found})
    else:
        names = ["name", "of", "cause", "definition"]
        print_table(names, [[one[name] for name in names] for one in found])


@app.command("test")
def try_rule(
    context: typer.Context,
    rule: Annotated[str, typer.Option("--rule", help="A declared rule; without any, all are tried.")] = "",
    metric: Metric = "",
    above: Above = None,
    below: Below = None,
    windows: Windows = 1,
    keep_firing: Keep = 0,
    days: Annotated[float, typer.Option("--days", help="How far back from the last row.")] = 30.0,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only on this endpoint.")] = "",
) -> None:
    """Say when a rule would have fired, and how often a month, before anybody is woken by it.

    With --json: {"tests": [{"rule": {as declared}, "endpoints": [{"endpoint", "days", "windows", "silent", "firings":
    [{"began", "fired", "ended", "worst", "windows", "flapped"}] (times ms), "per_month"}]}]}.
    """
    session = session_of(context)
    room = session.engine.monitor.alerting
    if rule and metric:
        raise BadInput("Both a rule and a metric are given.", "Give --rule NAME, or --metric with a bound.")
    if metric:
        tried = [rule_in({"name": "tried", "metric": metric, **bounds(above, below, windows, keep_firing)})]
    else:
        tried = [room.rule(rule)] if rule else room.rules()
    results = [(one, room.rehearse(one, days=days, endpoint=endpoint)) for one in tried]
    if session.json:
        print_json({"tests": [{"rule": one, "endpoints": [documented(r) for r in found]} for one, found in results]})
        return
    for one, found in results:
        say(rule_words(one))
        for rehearsal in found:
            say(f"  {would_have(rehearsal)}")
            for line in firing_lines(rehearsal):
                say(f"    {line}")
        if not found:
            say("  nothing was served yet")


@app.command()
def declare(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The rule's name.", metavar="NAME")],
    metric: Metric,
    above: Above = None,
    below: Below = None,
    windows: Windows = 1,
    keep_firing: Keep = 0,
    severity: Severity = "ticket",
    notify: Annotated[list[str], typer.Option(help="A contact that is told; repeat.")] = [],  # noqa: B006
    escalate_after: Annotated[str, typer.Option(help="Tell others too when nobody took it for so long: 30m.")] = "",
    escalate_to: Annotated[list[str], typer.Option(help="A contact that is told then; repeat.")] = [],  # noqa: B006
    runbook: Annotated[str, typer.Option(help="What to do, or a link to it.")] = "",
    who: Annotated[str, typer.Option("--who", help="Your name; the system's user if not given.")] = "",
) -> None:
    """Write a rule into lemnis.toml, or change the one of that name; comments stay. Try it first with `test`.

    Contacts, escalation and runbook stay as they are declared where they are not given.
    With --json: {"rule": {as declared}, "changed"}.
    """
    session = session_of(context)
    told = {"notify": notify, "escalate_after": escalate_after, "escalate_to": escalate_to, "runbook": runbook}
    bound = bounds(above, below, windows, keep_firing)
    rule = rule_in({"name": name, "metric": metric, "severity": severity, **bound, **told})
    changed = session.engine.monitor.alerting.declare_rule(rule, who or user_name())
    if session.json:
        print_json({"rule": rule, "changed": changed})
    else:
        say(f"{rule_words(rule)}: {'saved in lemnis.toml' if changed else 'is declared so already'}.")


def bounds(above: float | None, below: float | None, windows: int, keep: int) -> dict[str, object]:
    """Return when a rule fires and ends, as it is declared."""
    return {"above": above, "below": below, "windows": windows, "keep_firing": keep or None}


def documented(rehearsal: Rehearsal) -> dict[str, object]:
    """Return what a rule would have done as JSON values, the rate included."""
    return {name: getattr(rehearsal, name) for name in (*rehearsal.__struct_fields__, "per_month")}
