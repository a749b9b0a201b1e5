"""An incident in sentences: what, since when, how sure, what it costs, and what can be done. Pure."""

from datetime import UTC, datetime

from lemnis.engine.monitor import Alert, Figure, Window
from lemnis.engine.monitor.alerting.records import Notification
from lemnis.engine.monitor.alerting.rules import METRICS
from lemnis.engine.monitor.incident.records import Cost, IncidentReport, Sure
from lemnis.engine.monitor.policy import SIGNIFICANT
from lemnis.engine.text import safe
from lemnis.tui.format import age, duration, money, number, share, verdict, when
from lemnis.tui.language import N_, _
from lemnis.tui.screens.alerted.lines import Line, Span, said
from lemnis.tui.sentences import told

DAY_MS = 86_400_000
FEW_ALARMS = 0.05  # of the runs of past windows: a rule that alarms more often on them cries wolf


def window_name(window: Window) -> str:
    """Return a window's span in event time, UTC: ``2013-07``, ``2013-07-01``, ``2013-07-01 14:00``."""
    start, width = datetime.fromtimestamp(window.starts / 1000, UTC), window.ends - window.starts
    if width > 27 * DAY_MS:
        return f"{start:%Y-%m}"
    if width > DAY_MS:
        return _("week of {start:%Y-%m-%d}").format(start=start)
    return f"{start:%Y-%m-%d}" if width == DAY_MS else f"{start:%Y-%m-%d %H:%M}"


def metric_label(alert: Alert) -> str:
    """Return what an alert watches, in words."""
    return told(METRICS[alert.metric].label) if alert.metric in METRICS else alert.rule


def headline(alert: Alert) -> Line:
    """Return the first line: state, gravity, what and where."""
    state = verdict(alert.state)
    gravity: Span = (alert.severity.upper(), "bold $bad" if alert.severity == "page" and alert.fires else "bold")
    where = [(f"  {_('on')} ", "$muted"), said(alert.endpoint, "bold", 40)] if alert.endpoint else []
    return [(state.text, state.style), (" ", ""), gravity, ("  ", ""), said(alert.rule, "bold", 60), *where]


def at_first(alert: Alert, now: int) -> list[Line]:
    """Return what an alert says by itself, before anything around it was read."""
    raised: Line = [
        (f"{_('raised')} ", "$muted"),
        (_("{since} ago").format(since=age(alert.since, now)), "bold"),
        ("  ·  ", "$muted"),
    ]
    return [
        headline(alert),
        [said(told(alert.message), "", 300)],
        [*raised, holder(alert)],
        [(_("reading …"), "$muted")],
    ]


def holder(alert: Alert) -> Span:
    """Return who has it, or that nobody has."""
    if alert.state == "acknowledged":
        ends = (
            " " + _("until {acknowledged_until}").format(acknowledged_until=when(alert.acknowledged_until))
            if alert.acknowledged_until
            else ""
        )
        return said(
            _("taken by {acknowledged_by}{ends}").format(acknowledged_by=alert.acknowledged_by, ends=ends), "$warn", 80
        )
    if alert.state == "inhibited":
        return said(_("held: {inhibited_by} explains it").format(inhibited_by=alert.inhibited_by), "$muted", 80)
    if alert.state == "silenced":
        return _("held by a silence"), "$muted"
    if alert.state == "resolved":
        return _("ended {resolved_at}").format(resolved_at=when(alert.resolved_at)), "$ok"
    return (_("nobody has taken it"), "$bad") if alert.fires else (_("it does not fire yet"), "$muted")


def since_line(report: IncidentReport) -> Line:
    """Return since when it is so, by the clock and in the data."""
    alert = report.alert
    row = in_a_row(alert.breaches, windows=report.window is not None)
    parts: Line = [
        (f"{_('raised')} ", "$muted"),
        (_("{since} ago").format(since=age(alert.since, report.at)), "bold"),
        ("  ·  ", "$muted"),
    ]
    if report.first is not None:
        name = window_name(report.first)
        parts += [(f"{_('first bad window')} ", "$muted"), (name, "bold"), (f", {row}  ·  ", "$muted")]
    elif alert.breaches > 1:
        parts.append((f"{row}  ·  ", "$muted"))
    return [*parts, holder(alert)]


def in_a_row(breaches: int, *, windows: bool) -> str:
    """Return how many windows, or minutes, were bad one after the other."""
    if windows:
        return _("1 bad window in a row") if breaches == 1 else _("{bad} bad windows in a row").format(bad=breaches)
    return _("1 bad minute in a row") if breaches == 1 else _("{bad} bad minutes in a row").format(bad=breaches)


def value_line(report: IncidentReport, *, brief: bool = False) -> Line:
    """Return the value against its bound; unless `brief` also what held-out rows had, and of which window it is."""
    alert, sure = report.alert, report.sure
    if alert.value is None or alert.threshold is None:
        return [said(told(alert.message), "", 300)]
    side = _("above") if alert.value > alert.threshold else _("below")
    line: Line = [(f"{metric_label(alert)} ", ""), (number(alert.value), "bold $bad")]
    if sure.figure is not None and sure.figure.low is not None:
        line.append((f" [{interval(sure.figure)}]", ""))
    line.append((" " + _("is {side} {threshold:g}").format(side=side, threshold=alert.threshold), ""))
    if brief:
        return line
    if sure.held_out is not None:
        line.append((_("; held-out rows had {value}").format(value=number(sure.held_out.value)), "$muted"))
    if report.window is not None:
        line.append(("  " + _("(window {window_name}").format(window_name=window_name(report.window)), "$muted"))
        line.append(said(f", {alert.model} v{alert.version})", "$muted", 60))
    return line


def interval(figure: Figure, digits: int = 3) -> str:
    """Return the ends of a 95 % interval."""
    return f"{number(figure.low, digits)} … {number(figure.high, digits)}"


def cost_line(cost: Cost | None, since: str, *, brief: bool = False) -> Line:
    """Return the money: a day, and unless `brief` since the first bad window."""
    if cost is None:
        why = "" if brief else f" {_('(no value declared, or no labels and no estimate)')}"
        return [(_("money: not known{why}").format(why=why), "$muted")]
    day = cost.per_day
    if brief:
        return [
            (money(day.value, cost.currency, signed=True), f"bold {style_of(day)}"),
            (" " + _("a day{doubt}").format(doubt=doubt(day)), ""),
        ]
    line: Line = [
        (money(day.value, cost.currency, signed=True), f"bold {style_of(day)}"),
        (" " + _("a day against held-out rows{ends}").format(ends=ends(day, cost.currency)), ""),
        (_(", estimated") if cost.basis == "estimated" else "", "$warn"),
    ]
    for figure, basis in ((cost.measured, N_("measured")), (cost.estimated, N_("estimated"))):
        if figure is not None:
            line += [("  ·  ", "$muted"), (money(figure.value, cost.currency, signed=True), f"bold {style_of(figure)}")]
            line.append(
                (
                    " "
                    + _("since {since}{ends}, {basis}").format(
                        since=since, ends=ends(figure, cost.currency), basis=_(basis)
                    ),
                    "",
                )
            )
    return line


def style_of(figure: Figure) -> str:
    """Return bad for a sure loss, good for a sure gain, else neither."""
    if figure.high is not None and figure.high < 0:
        return "$bad"
    return "$ok" if figure.low is not None and figure.low > 0 else "$warn"


def doubt(figure: Figure) -> str:
    """Return that an amount may be chance; empty where it is sure, or nobody can say."""
    unsure = figure.low is not None and figure.high is not None and figure.low < 0 < figure.high
    return _(", may be chance") if unsure else ""


def ends(figure: Figure, currency: str) -> str:
    """Return the interval of an amount in parentheses; empty where it is not known."""
    if figure.low is None or figure.high is None:
        return ""
    unsure = doubt(figure).replace(",", ";")
    return f" [{money(figure.low, currency)} … {money(figure.high, currency)}{unsure}]"


def sure_line(sure: Sure) -> Line:
    """Return how sure it is: how many rows, by chance how often, and how often the rule cried wolf."""
    parts = [f"{sure.counted:,} {told(sure.unit)}"]
    if sure.p_adjusted is not None:
        chance = f"{sure.p_adjusted:.2g}" if sure.p_adjusted >= 1e-99 else _("below 1e-99")
        doubt = _(": may be chance") if sure.p_adjusted > SIGNIFICANT else ""
        parts.append(
            _("{feature} decides, chance without drift {chance} (adjusted){doubt}").format(
                feature=safe(sure.feature, limit=40), chance=chance, doubt=doubt
            )
        )
    if sure.figure is not None and sure.held_out is not None and sure.held_out.low is not None:
        apart = overlap(sure.figure, sure.held_out)
        parts.append(f"{_('its interval and the held-out one')} " + (_("don't meet") if apart else _("overlap")))
    style = ""
    if sure.null_runs and sure.false_alarms is not None:
        often = sure.false_alarms / sure.null_runs
        style = "$warn" if often > FEW_ALARMS else ""
        parts.append(
            _("on training rows the drift rule alarms in {false_alarms} of {null_runs} runs").format(
                false_alarms=sure.false_alarms, null_runs=sure.null_runs
            )
        )
    return [(f"{_('how sure:')} ", "$muted"), ("; ".join(parts), style)]


def overlap(one: Figure, two: Figure) -> bool:
    """Say whether two intervals lie apart."""
    if one.low is None or one.high is None or two.low is None or two.high is None:
        return False
    return one.high < two.low or two.high < one.low


def delivery(message: Notification, now: int) -> Line:
    """Return one message to a contact with where it is."""
    state = verdict(message.state)
    line: Line = [(when(message.sent_at or message.queued_at), "$muted"), ("  ", ""), (state.text, state.style)]
    line += [(f"  {message.kind} → ", ""), said(message.contact, "bold", 40)]
    if message.state == "queued":
        wait = (
            _("now")
            if message.next_at <= now
            else _("in {next_at}").format(next_at=duration((message.next_at - now) / 1000))
        )
        line.append((_(", tried {attempts} times, next {wait}").format(attempts=message.attempts, wait=wait), "$muted"))
    return [*line, said(f"  {message.reason}", "$warn", 160)] if message.reason else line


def part_of(value: float | None) -> str:
    """Return a share of the rows in whole percent, tenths below ten."""
    return share(value, 0 if value is not None and value >= 0.1 else 1)
