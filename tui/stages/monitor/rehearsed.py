"""What an alert rule would have done, in words, and the form by which one is tried and declared."""

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial

from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import parse_span
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor import Rehearsal, Width
from lemnis.engine.monitor.alerting.declaring import rule_in
from lemnis.engine.monitor.alerting.rules import METRICS
from lemnis.tui.format import number, when
from lemnis.tui.language import _
from lemnis.tui.screens.form import Line, LinesForm, among, several, split_names
from lemnis.tui.sentences import told

SHOWN = 6  # firings that the form lists
MOST_DAYS = 3650
DAYS: dict[Width, int] = {"minute": 30, "hour": 30, "day": 30, "week": 180, "month": 365}
PEOPLE = ("notify", "escalate_to")
NEXT_LINE = " ⏎ "  # stands for a new line of the runbook


def rule_form(
    rule: Rule | None, rehearse: Callable[[Rule, float], list[Rehearsal]], contacts: Sequence[str], *, width: Width
) -> LinesForm:
    """Return the form that tries a rule on history and then declares it.

    Args:
        rule: Fills it in where one is changed.
        rehearse: Tries a rule on so many days; blocks.
        contacts: Names of those that can be told.
        width: Of the declared windows; enough of them are tried.
    """
    lines = (
        Line("name", "name", rule.name if rule else ""),
        Line("metric", "watches", rule.metric if rule else "max_psi", among(list(METRICS))),
        Line("above", "fires above", bound_text(rule.above if rule else None)),
        Line("below", "or below", bound_text(rule.below if rule else None)),
        Line("windows", "windows in a row", str(rule.windows if rule else 1)),
        Line("severity", "page or ticket", rule.severity if rule else "ticket", among(("page", "ticket"))),
        Line("notify", "tells (contacts)", ", ".join(rule.notify) if rule else "", several(contacts)),
        Line("escalate_after", "nobody took it after", rule.escalate_after if rule else ""),
        Line("escalate_to", "then tells too", ", ".join(rule.escalate_to) if rule else "", several(contacts)),
        Line("runbook", "runbook: what to do", one_line(rule.runbook) if rule else ""),
        Line("days", "tried on the last days", str(DAYS[width])),
    )

    def tried(filled: dict[str, str]) -> str:
        found = rehearse(filled_rule(filled), float(filled["days"]))
        said = [
            line for one in found for line in (would_have(one), *(f"  {fired}" for fired in firing_lines(one, SHOWN)))
        ]
        return "\n".join(said) or _("Nothing was served yet: there is nothing to try it on.")

    note = _("It is saved in lemnis.toml, behind the others or in place of the one of its name; comments stay.")
    return LinesForm(_("An alert rule"), note, lines, verb=_("save"), wrong=partial(wrong_rule, contacts), trial=tried)


def filled_rule(filled: dict[str, str]) -> Rule:
    """Return the rule that was filled in; raises BadInput."""
    bounds = {name: float(filled[name]) for name in ("above", "below") if filled[name]}
    named: dict[str, object] = {name: filled[name] for name in ("name", "metric", "severity", "escalate_after")}
    people = {name: split_names(filled[name]) for name in PEOPLE}
    steps = filled["runbook"].replace(NEXT_LINE, "\n")
    return rule_in(named | bounds | people | {"windows": int(filled["windows"]), "runbook": steps})


def one_line(runbook: str) -> str:
    """Return a runbook of some lines as one that can be typed."""
    return NEXT_LINE.join(runbook.strip().splitlines())


def wrong_rule(contacts: Sequence[str], filled: dict[str, str]) -> str:
    """Return what is wrong with a rule as it was filled in; empty when nothing is."""
    if filled["metric"] not in METRICS:
        return _("Watches one of: {metrics}.").format(metrics=", ".join(METRICS))
    unknown = next((name for key in PEOPLE for name in split_names(filled[key]) if name not in contacts), None)
    if unknown is not None:
        return _("{unknown} is no contact. Contacts: {contacts}.").format(
            unknown=unknown, contacts=", ".join(contacts) or _("none; declare [contacts.NAME] urls = […]")
        )
    if bool(filled["escalate_after"]) != bool(split_names(filled["escalate_to"])):
        return _("Say after how long it escalates and to whom, or neither.")
    try:
        parse_span(filled["escalate_after"] or "1h")
    except ValueError as error:
        return f"{told(str(error))}."
    try:
        if not 0 < float(filled["days"]) <= MOST_DAYS:
            return _("It is tried on more than 0 and at most {most_days:,} days.").format(most_days=MOST_DAYS)
        filled_rule(filled)
    except ValueError:
        return _("Bounds, windows and days are numbers.")
    except BadInput as error:
        return f"{told(error.problem)} {told(error.remedy)}"
    return ""


def bound_text(bound: float | None) -> str:
    """Return a bound as it is typed."""
    return "" if bound is None else f"{bound:g}"


def would_have(rehearsal: Rehearsal) -> str:
    """Return ``late: would have fired 14 times in 30 days, 14.0 a month (30 windows, 2 of them silent)``."""
    if not rehearsal.windows:
        silent = (
            _("; {silent:,} have too few rows or labels").format(silent=rehearsal.silent) if rehearsal.silent else ""
        )
        return _("{endpoint}: no complete window says anything of it{silent}").format(
            endpoint=rehearsal.endpoint, silent=silent
        )
    times = len(rehearsal.firings)
    said = _("never") if not times else _("once") if times == 1 else _("{times:,} times").format(times=times)
    rate = (
        _(", {per_month:.1f} a month").format(per_month=rehearsal.per_month)
        if times and rehearsal.per_month is not None
        else ""
    )
    silent = _(", {silent:,} more say nothing").format(silent=rehearsal.silent) if rehearsal.silent else ""
    span = (
        _("{days:.0f} days").format(days=rehearsal.days)
        if rehearsal.days >= 2
        else _("{days:.1f} hours").format(days=rehearsal.days * 24)
    )
    fired = _("would have fired {said}").format(said=said) if times else _("would never have fired")
    return _("{endpoint}: {fired} in {span}{rate} ({windows:,} windows{silent})").format(
        endpoint=rehearsal.endpoint, fired=fired, span=span, rate=rate, windows=rehearsal.windows, silent=silent
    )


def firing_lines(rehearsal: Rehearsal, most: int = 40) -> list[str]:
    """Return one line per time it would have fired: from when to when (UTC), how many windows, the worst value."""
    lines = [
        _("{stamp} … {stamp2}  {windows} {which}, worst {worst}{which2}").format(
            stamp=stamp(one.began),
            stamp2=stamp(one.ended) if one.ended is not None else _("fires still"),
            windows=one.windows,
            which=_("window") if one.windows == 1 else _("windows"),
            worst=number(one.worst),
            which2=_(", flapping") if one.flapped else "",
        )
        for one in rehearsal.firings
    ]
    return lines if len(lines) <= most else [*lines[:most], _("… and {lines:,} more").format(lines=len(lines) - most)]


def stamp(ms: int) -> str:
    """Return a window's start in UTC: the day alone at midnight."""
    text = when(ms, UTC)
    return text.removesuffix(" 00:00")
