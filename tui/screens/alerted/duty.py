"""What the on-call view says: one headline, endpoints in cells of fixed width, alerts by urgency, silences. Pure."""

from datetime import UTC, datetime

from rich.cells import cell_len

from lemnis.engine.monitor import Alert, Figure
from lemnis.engine.monitor.concept.report import METRICS
from lemnis.engine.monitor.duty import Duty, Quality, Served
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, duration, money, number, share, styled, verdict
from lemnis.tui.language import _
from lemnis.tui.screens.alerted.lines import Line, Section, Span, printed, said, wrapped
from lemnis.tui.screens.alerted.words import holder, style_of, window_name
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row
from lemnis.tui.widgets.cells import plain as plain_cell

ENDS_SOON_MS = 3_600_000
SILENT_MS = 15 * 60_000  # rows that are older are called old
SMALL = 60  # cells of the screen, below which an alert has only what it is and since when
SHORT_NAMES = {"ROC AUC": "AUC", "mean absolute error": "MAE", "log loss (nats)": "log loss", "Brier score": "Brier"}


def since(then: int | None, now: int) -> str:
    """Return how long ago a time was, in minutes, hours or days: it changes once a minute at most."""
    if then is None:
        return MISSING
    minutes = max(0, now - then) // 60_000
    for size, unit in ((1440, "d"), (60, "h"), (1, "min")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return _("now")


def headline(duty: Duty) -> Line:
    """Return how bad it is in one line: what fires, and whether somebody watches and tells."""
    fires = [alert for alert in duty.alerts if alert.fires]
    pages = sum(alert.severity == "page" for alert in fires)
    tickets = len(fires) - pages
    taken = sum(alert.state == "acknowledged" for alert in duty.alerts)
    line: Line = []
    if pages:
        line.append((_("✖ 1 page") if pages == 1 else _("✖ {pages} pages").format(pages=pages), "bold $bad"))
    if tickets:
        many = _("✖ 1 ticket") if tickets == 1 else _("✖ {tickets} tickets").format(tickets=tickets)
        line += [("  " if line else "", ""), (many, "bold $warn")]
    if not fires:
        line.append((_("● nothing fires"), "bold $ok"))
    if taken:
        line.append(("  " + _("▲ {taken} taken").format(taken=taken), "$warn"))
    return [*line, *health(duty)]


def health(duty: Duty) -> Line:
    """Return whether the watch and the notifier are at work, in words where not."""
    line: Line = [(f"  {_('watch')} ", "$muted"), (_("● up"), "$ok")]
    if not duty.watching:
        looked, why = since(duty.watch_at, duty.at), told(duty.watch_why) or _("down")
        old = "" if duty.watch_at is None or looked in why else _("; as of {looked} ago").format(looked=looked)
        line[1] = said(f"✖ {why}{old}", "bold $bad", 120)
    post = duty.post
    state = verdict(post.state or "not started")
    line += [(f"  {_('notifier')} ", "$muted"), (state.text, state.style)]
    if post.late or post.failed:
        behind = _(": {late} late, {failed} given up").format(late=post.late, failed=post.failed)
        line.append(said(f"{behind}, {told(post.reason)}" if post.reason else behind, "$bad", 120))
    return line


def endpoint_lines(duty: Duty, width: int) -> list[Line]:
    """Return the endpoints: cells of the same width for all, as many a line as fit, the following lines indented."""
    if not duty.served:
        return [[(_("Nothing is served. Deploy (8) starts an endpoint."), "$muted")]]
    small = width < SMALL
    cells = [endpoint_cells(one, duty.at, small=small) for one in duty.served]
    widths = [max(cell_len(text) for text, _ in column) for column in zip(*cells, strict=True)]
    lines: list[Line] = []
    for row in cells:
        lines.append([])
        used = 0
        for (text, style), wide in zip(row, widths, strict=True):
            if not wide:
                continue
            if used and used + wide + 2 > width:
                lines.append([("  ", "")])
                used = 2
            elif used > 2:
                lines[-1].append(("  ", ""))
                used += 2
            lines[-1].append((text + " " * (wide - cell_len(text)), style))
            used += wide
    return lines


def endpoint_cells(one: Served, now: int, *, small: bool) -> list[Span]:
    """Return what is known of one endpoint: state and version, load, drift, quality, money, age of its data.

    On a small screen what is not known is left out.
    """
    endpoint = one.endpoint
    state = verdict(endpoint.state)
    version = f"v{endpoint.version}" if endpoint.version is not None else _("nothing")
    wanted = endpoint.wanted_version
    changing = (
        " " + _("(wants v{wanted})").format(wanted=wanted) if wanted is not None and wanted != endpoint.version else ""
    )
    errors, style = one.error_share, "$bad" if (one.error_share or 0.0) > 0.01 else ""
    slow = "" if small else f"p99 {MISSING}"
    failed = "" if small and errors is None else _("errors {errors}").format(errors=share(errors))
    return [
        said(endpoint.name, "bold", 24),
        (f"{state.text} {version}{changing}", state.style),
        (f"{one.per_second:.1f}/s", ""),
        (_("p99 {p99_ms} ms").format(p99_ms=number(endpoint.p99_ms, 0)) if endpoint.p99_ms is not None else slow, ""),
        (failed, style),
        drift_cell(one),
        quality_cell(one.quality, small=small),
        money_cell(one),
        age_cell(one, now),
    ]


def drift_cell(one: Served) -> Span:
    """Return the verdict on drift, with its window."""
    if one.window is None:
        return _("drift {missing}").format(missing=MISSING), "$muted"
    state = verdict(one.window.verdict)
    word = {"ok": _("no drift"), "watch": _("drift watch")}.get(state.word, state.said)
    return f"{state.glyph} {word} {window_name(one.window)}", state.style


def quality_cell(found: Quality | None, *, small: bool) -> Span:
    """Return the main figure, whether it is estimated, and where there is room what held-out rows had."""
    if found is None:
        return _("no labels, no estimate"), "$muted"
    label = METRICS[found.metric]
    held = (
        " " + _("(held out {value})").format(value=number(found.held_out.value))
        if found.held_out is not None and not small
        else ""
    )
    text = f"{SHORT_NAMES.get(label, label)} {number(found.figure.value)}"
    basis = f" {_('estimated')}" if found.basis == "estimated" else ""
    return f"{text}{basis}{held}", ""


def money_cell(one: Served) -> Span:
    """Return the money a day against held-out rows."""
    if one.money is None:
        return _("money {missing}").format(missing=MISSING), "$muted"
    day: Figure = one.money.per_day
    sure = "" if style_of(day) != "$warn" else f" {_('unsure')}"
    return _("{value}/day{sure}").format(value=money(day.value, one.currency, signed=True), sure=sure), style_of(day)


def age_cell(one: Served, now: int) -> Span:
    """Return how old its newest data is: when it came, and of when it is where that differs."""
    if one.arrived_at is None:
        return _("no rows yet"), "$muted"
    came = since(one.arrived_at, now)
    text = _("rows {came}").format(came=came) if came == "now" else _("rows {came} old").format(came=came)
    event = one.newest_event
    if event is not None and one.arrived_at - event > 86_400_000:
        text += f", of {datetime.fromtimestamp(event / 1000, UTC):%Y-%m-%d}"
    return text, "$warn" if now - one.arrived_at > SILENT_MS else ""


def alert_columns(width: int) -> list[Col]:
    """Return the columns of the alerts for a screen of some width."""
    if width < SMALL:
        return [Col("state", most=11), Col("rule", flex=True), Col("since", right=True)]
    columns = [Col("state", most=24), Col("rule", most=26), Col("endpoint", most=14), Col("value", right=True)]
    return [*columns, Col("since", right=True), Col("group", right=True), Col("message", flex=True)]


def alert_row(alert: Alert, duty: Duty, width: int) -> Row:
    """Return one alert: how urgent, what, where, its value, its age, and the group it is told with."""
    state = verdict(alert.state)
    word = {
        "acknowledged": _("taken by {acknowledged_by}").format(acknowledged_by=alert.acknowledged_by),
        "firing": alert.severity.upper(),
    }.get(alert.state)
    ticket = alert.fires and alert.severity == "ticket"
    first = styled(f"{state.glyph} {safe(word or state.word, limit=22)}", "$warn" if ticket else state.style)
    aged = since(alert.since, duty.at)
    if width < SMALL:
        return Row(str(alert.id), (first, alert.rule, aged), (alert.state, alert.rule, alert.since))
    group = f"#{alert.incident_id}" if alert.incident_id is not None else MISSING
    cells = (first, alert.rule, alert.endpoint or MISSING, number(alert.value), aged, group, told(alert.message))
    values = (alert.state, alert.rule, alert.endpoint, alert.value, alert.since, alert.incident_id, alert.message)
    return Row(str(alert.id), cells, values)


def alert_lines(alert: Alert, width: int) -> list[Line]:
    """Return the alert under the cursor in full: who has it, what it says, and what its runbook begins with."""
    lines: list[Line] = [[holder(alert), ("  ", ""), said(told(alert.message), "", 300)]]
    steps = alert.handling.runbook.strip().splitlines()
    if steps:
        lines.append([(f"{_('runbook')} ", "$muted"), said(steps[0], "", 200), (" …" if steps[1:] else "", "$muted")])
    return [part for line in lines for part in wrapped(line, width)]


def silence_line(duty: Duty) -> Line:
    """Return the silences in one line, the one that ends next first; those that end within the hour stand out."""
    if not duty.silences:
        return [(_("no silences"), "$muted")]
    line: Line = [(_("{silences} silenced:").format(silences=len(duty.silences)) + " ", "$muted")]
    for place, one in enumerate(duty.silences[:3]):
        left = one.until - duty.at
        ends = duration(max(60, left // 60_000 * 60)).removesuffix(" 00s")
        text = _("{which}{rule} ends in {ends} ({who})").format(
            which=", " if place else "", rule=one.rule or _("every rule"), ends=ends, who=one.who
        )
        line.append(said(text, "$warn" if left < ENDS_SOON_MS else "", 80))
    return line


def printed_duty(duty: Duty, width: int = 120) -> str:
    """Return the whole view as plain text."""
    rows = [alert_row(alert, duty, width) for alert in duty.alerts]
    alerts: list[Line] = [[("  ".join(plain_cell(cell) for cell in row.cells), "")] for row in rows]
    parts = [
        Section("", [headline(duty)]),
        Section(_("Endpoints"), endpoint_lines(duty, width)),
        Section(_("Alerts"), alerts),
        Section("", [silence_line(duty)]),
    ]
    return printed(parts)


def pages_of(duty: Duty) -> frozenset[int]:
    """Return the ids of the alerts that page somebody now."""
    return frozenset(alert.id for alert in duty.alerts if alert.fires and alert.severity == "page")
