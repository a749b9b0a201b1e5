"""The parts of an incident as lines: what changed, what moved, who carries it, rows, servers, what was done. Pure."""

from datetime import UTC, datetime
from typing import Any

from lemnis.engine.monitor import FeatureDrift
from lemnis.engine.monitor.incident.records import Change, Example, IncidentReport, Segment, Strain
from lemnis.engine.monitor.records import METHOD_NAMES
from lemnis.engine.monitor.retraining import Retraining
from lemnis.engine.text import safe
from lemnis.tui.format import age, figure, number, share, spark, verdict, when
from lemnis.tui.language import N_, _
from lemnis.tui.screens.alerted import words
from lemnis.tui.screens.alerted.lines import Line, Section, plain, said
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import padded

BINS = 5  # of a feature, those that moved most
BAR = 12  # cells of a bar
BAD_ROWS = N_("first bad rows were answered")
HEADINGS = {
    "model": N_("model"),
    "endpoint": N_("server"),
    "data": N_("data"),
    "source": N_("source"),
    "lemnis.toml": N_("config"),
}


def summary(report: IncidentReport, *, brief: bool = False) -> list[Line]:
    """Return what is read first: five lines; with `brief` four that fit on a small screen."""
    since = words.window_name(report.first) if report.first is not None else _("it began")
    if brief:
        return [
            words.headline(report.alert),
            words.value_line(report, brief=True),
            words.cost_line(report.cost, since, brief=True),
            [(f"{_('since')} ", "$muted"), (since, "bold"), (", ", "$muted"), words.holder(report.alert)],
        ]
    return [
        words.headline(report.alert),
        words.value_line(report),
        words.cost_line(report.cost, since),
        words.since_line(report),
        words.sure_line(report.sure),
    ]


def sections(report: IncidentReport, width: int) -> list[Section]:
    """Return everything below the summary, what explains most first.

    Args:
        report: The incident.
        width: Cells of a line that pictures may take.
    """
    has_runbook = bool(report.alert.handling.runbook)
    found = [
        *([Section(_("Runbook"), runbook(report))] if has_runbook else []),
        Section(_("What changed around then"), timeline(report)),
        Section(_("What was done"), done(report)),
        Section(_("Concept drift"), concept_lines(report), True),
        Section(
            _("What moved"), [line for one in report.features[:4] for line in feature_lines(one, width)], True, True
        ),
        Section(_("What tells its rows from training rows"), contrast_lines(report), True),
        Section(_("Who carries it"), [segment_line(one) for one in report.segments], True),
        Section(_("Example rows, the newest in the bins that grew"), example_lines(report.examples), True),
        Section(_("Shape of the rows"), [[said(told(one), "", 300)] for one in changed_shape(report)], True),
        Section(servers_title(report), [strain_line(one, width) for one in report.strains], drawn=True),
        Section(_("With it"), [other_line(report, place) for place in range(len(report.others))]),
        *([] if has_runbook else [Section(_("Runbook"), runbook(report))]),
    ]
    return [one for one in found if one.lines]


def choices(report: IncidentReport) -> list[Line]:
    """Return how to get out of it, each with its key: back to the version before, or on to a newer one."""
    alert = report.alert
    if not report.alias or alert.state == "resolved":
        return []
    back: Line = [
        ("b ", "$key"),
        (_("goes back from v{version} to v{back_to}").format(version=alert.version, back_to=report.back_to), ""),
    ]
    if report.back_to is None:
        back = [(_("– there is no version before v{version} to go back to").format(version=alert.version), "$muted")]
    live = next((one for one in report.retrainings if one.live), None)
    if live is not None:
        onward: Line = [
            ("C ", "$key"),
            (_("follows retraining {id}, {progress} done").format(id=live.id, progress=share(live.progress, 0)), ""),
        ]
    elif report.challenger is not None:
        onward = [
            ("C ", "$key"),
            (
                _("v{challenger} waits as challenger: see how good it is, and promote it").format(
                    challenger=report.challenger
                ),
                "",
            ),
        ]
    else:
        onward = [("t ", "$key"), (_("trains a challenger on the rows whose labels have come since"), "")]
    return [back, onward]


def concept_lines(report: IncidentReport) -> list[Line]:
    """Return since when the same features mean something else, by the losses; nothing while that is not suspected."""
    found = report.concept
    if found is None or found.state == "stable":
        return []
    state = verdict(found.state)
    since = (
        " " + _("since {fromtimestamp:%Y-%m-%d}").format(fromtimestamp=datetime.fromtimestamp(found.since / 1000, UTC))
        if found.since is not None
        else ""
    )
    rose = _("the model errs more than on held-out rows") if found.state == "drift" else _("its losses may have risen")
    by = sorted({one.detector for one in found.detections if one.level == found.state and one.detector != "concept"})
    line: Line = [(f"{state.text}{since}", state.style), (f"  {rose}", "")]
    return [[*line, (f" ({', '.join(by)})", "$muted")] if by else line]


def changed_shape(report: IncidentReport) -> list[str]:
    """Return how the window's rows differ in shape from training."""
    return report.window.schema_changes if report.window is not None else []


def timeline(report: IncidentReport) -> list[Line]:
    """Return the changes in order of time, with the moment of the first bad rows among them."""
    entries = [(change.at, change_line(change, report)) for change in report.changes]
    began: Line = [(when(report.began), "bold $bad"), (f"  ✖ {_(BAD_ROWS)}", "bold $bad")]
    if report.window is None:
        began[1] = (f"  {_('✖ it began')}", "bold $bad")
    entries.append((report.began, began))
    if report.alert.fired_at is not None:
        entries.append(
            (report.alert.fired_at, [(when(report.alert.fired_at), "$warn"), (f"  {_('▲ the alert fired')}", "$warn")])
        )
    lines = [line for _, line in sorted(entries, key=lambda entry: entry[0])]
    if not report.changes:
        lines.append([(_("Nothing was deployed, linked or declared in that time."), "$muted")])
    return lines


def change_line(change: Change, report: IncidentReport) -> Line:
    """Return one change: when, how long before the first bad rows, where, what, who and why."""
    style = "$muted" if change.earlier else ""
    line: Line = [
        (when(change.at), "$muted"),
        (f"  {padded(_(HEADINGS[change.room]), 6)}  ", "$muted"),
        said(told(change.what), style, 80),
    ]
    if report.began - change.at >= 0:
        line.append(
            ("  " + _("{at} before").format(at=age(change.at, report.began)), "$muted" if change.earlier else "$warn")
        )
    if change.who:
        line.append(said(f"  {change.who}", "$muted", 40))
    return [*line, said(f": {told(change.why)}", "$muted", 80)] if change.why else line


def feature_lines(feature: FeatureDrift, width: int) -> list[Line]:
    """Return one feature: its verdict and the bins that moved most, reference against window."""
    state = verdict(feature.verdict)
    head: Line = [said(feature.feature, "bold", 40), (" ", ""), (state.text, state.style)]
    head.append(
        (
            "  "
            + _("{method_names} {score} of {threshold}").format(
                method_names=METHOD_NAMES[feature.method],
                score=number(feature.score),
                threshold=number(feature.threshold),
            ),
            "$muted",
        )
    )
    head.append((f", PSI {number(feature.psi)}, p {chance(feature.p_adjusted)}", "$muted"))
    if feature.importance is not None:
        head.append((_(", {importance} of the model's gain").format(importance=share(feature.importance, 0)), "$muted"))
    bins = feature.bins
    held = list(zip(bins.labels, bins.reference, bins.current, strict=True))
    chosen = sorted(range(len(held)), key=lambda place: -abs(held[place][2] - held[place][1]))[:BINS]
    shown = [held[place] for place in sorted(chosen) if held[place][1] or held[place][2]]
    top = max((max(before, after) for _, before, after in shown), default=0.0) or 1.0
    cells = min(BAR, max(4, (width - 40) // 2))
    lines = [head]
    for label, before, after in shown:
        moved = "$warn" if abs(after - before) > 0.05 else "$busy"
        arrow = ("▲", moved) if after - before > 0.02 else ("▼", moved) if before - after > 0.02 else (" ", "")
        lines.append(
            [
                said(f"  {label:<16.16} ", "", 20),
                (f"{bar(before, top, cells)} {words.part_of(before):>5} ", "$muted"),
                (f"→ {bar(after, top, cells)} {words.part_of(after):>5} ", moved),
                arrow,
            ]
        )
    return lines


def contrast_lines(report: IncidentReport) -> list[Line]:
    """Return what a classifier found in the window's rows, and the features that tell them apart."""
    found = report.contrast
    if found is None:
        return []
    apart = ", ".join(f"{safe(one.feature, limit=40)} {share(one.share, 0)}" for one in found.told[:5])
    return [[(told(found.words), "$warn" if found.differs else "")], [(f"{_('by')} ", "$muted"), (apart, "bold")]]


def bar(part: float, top: float, cells: int) -> str:
    """Return a bar of so many cells; what is not zero is seen."""
    full = max(1, round(part / top * cells)) if part > 0 else 0
    return ("█" * full).ljust(cells)


def chance(p: float) -> str:
    """Return a chance in few characters."""
    return "<1e-99" if p < 1e-99 else f"{p:.2g}"


def segment_line(segment: Segment) -> Line:
    """Return a value that carries the incident: by its share of the rows, or of the loss."""
    line: Line = [said(f"{segment.feature} = {segment.value}", "bold", 60)]
    if segment.loss is not None and segment.part is not None:
        line.append(("  " + _("{part_of} of the loss").format(part_of=words.part_of(segment.loss)), "$warn"))
        line.append((_(", {part_of} of the rows").format(part_of=words.part_of(segment.part)), ""))
        return [*line, ("  " + _("(the newest {labelled:,} labelled)").format(labelled=segment.labelled), "$muted")]
    line.append(("  " + _("{part_of} of the training rows").format(part_of=words.part_of(segment.reference)), ""))
    return [*line, (" " + _("→ {part_of} of the window").format(part_of=words.part_of(segment.current)), "$warn")]


def example_lines(examples: list[Example]) -> list[Line]:
    """Return the example rows, one a line: key, time, answer, and the features that moved."""
    lines: list[Line] = []
    for row in examples:
        day = f"{datetime.fromtimestamp(row.event_at / 1000, UTC):%Y-%m-%d %H:%M}"
        line: Line = [said(row.row_key or _("row {id}").format(id=row.id), "bold", 40), (f"  {day}  ", "$muted")]
        line += [(f"{_('answer')} ", "$muted"), (number(row.score), "bold")]
        for name, value in row.values.items():
            line += [said(f"  {name} ", "$muted", 30), said(shown(value), "$warn" if name in row.moved else "", 30)]
        lines.append(line)
    return lines


# Any: a value as it was sent.
def shown(value: Any) -> str:
    """Return a value of a row."""
    if value is None:
        return _("missing")
    return figure(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def servers_title(report: IncidentReport) -> str:
    """Return the heading of the servers' figures, with the time that they span."""
    return _("The servers from {band} to {min}").format(
        band=when(report.band[0]), min=when(min(report.band[1], report.at))
    )


def strain_line(strain: Strain, width: int) -> Line:
    """Return one figure as a line of blocks with its largest and last value."""
    known = [value for value in strain.values if value is not None]
    cells = max(10, min(60, width - 44))
    digits = 0 if max(known) >= 10 else 1
    last = next(value for value in reversed(strain.values) if value is not None)
    return [
        (f"{strain.name:<9}", "$muted"),
        (spark(strain.values, cells), "$busy"),
        (
            "  "
            + _("max {max}{unit}, last {last}{unit}").format(
                max=number(max(known), digits), unit=strain.unit, last=number(last, digits)
            ),
            "",
        ),
    ]


def other_line(report: IncidentReport, place: int) -> Line:
    """Return another alert of the same incident."""
    alert = report.others[place]
    state = verdict(alert.state)
    return [
        (state.text, state.style),
        said(
            "  "
            + _("{rule} (alert {id})  {message}").format(rule=alert.rule, id=alert.id, message=told(alert.message)),
            "",
            200,
        ),
    ]


def done(report: IncidentReport) -> list[Line]:
    """Return events and messages, the newest first."""
    steps = [(one.sent_at or one.queued_at, words.delivery(one, report.at)) for one in report.notifications]
    for event in report.events:
        state = verdict(event.state)
        line: Line = [(when(event.at), "$muted"), ("  ", ""), (state.text, state.style)]
        steps.append((event.at, [*line, said(f"  {event.who}: {told(event.why)}", "", 300)]))
    steps += [(one.created_at, retraining_line(one)) for one in report.retrainings]
    lines = [line for _, line in sorted(steps, key=lambda entry: -entry[0])]
    if report.silence is not None:
        one = report.silence
        lines.insert(
            0,
            [
                said(
                    _("silenced until {until} by {who}: {why}").format(until=when(one.until), who=one.who, why=one.why),
                    "$warn",
                    200,
                )
            ],
        )
    if report.alert.fires and not report.notifications:
        lines.insert(0, [(_("No contact was told: declare [contacts] and notify in lemnis.toml."), "$warn")])
    return lines


def retraining_line(one: Retraining) -> Line:
    """Return a retraining: how it stands, or what came of it."""
    state = verdict(one.outcome or one.state)
    version = f" v{one.challenger_version}" if one.challenger_version is not None else ""
    line: Line = [(when(one.created_at), "$muted"), ("  ", ""), (f"{state.text}{version}", state.style)]
    doing = f", {share(one.progress, 0)} {told(one.doing)}" if one.live and one.doing else ""
    return [
        *line,
        said(
            "  "
            + _("retraining {id} by {who}: {reason}{doing}").format(
                id=one.id, who=one.who, reason=told(one.reason), doing=doing
            ),
            "",
            200,
        ),
    ]


def runbook(report: IncidentReport) -> list[Line]:
    """Return the rule's runbook, or how to give it one."""
    text = report.alert.handling.runbook
    if not text:
        return [[(_("None: give the rule a runbook in lemnis.toml."), "$muted")]]
    return [[said(line)] for line in text.splitlines()]


def markdown(report: IncidentReport) -> str:
    """Return the incident as Markdown for a chat; pictures and tables are in fixed width."""
    first, *rest = [plain(line) for line in summary(report)]
    parts = [f"**{escaped(first)}** (alert/{report.alert.id})", "\n".join(f"- {escaped(line)}" for line in rest)]
    for section in sections(report, 76):
        lines = [plain(line) for line in section.lines]
        if section.drawn:
            fence = "`" * 3
            body = "\n".join([fence, *(line.replace("`", "'") for line in lines), fence])
        else:
            body = "\n".join(f"- {escaped(line)}" for line in lines)
        parts.append(f"**{escaped(section.title)}**\n{body}")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    for sign in "\\`*_[]<>|~#":
        text = text.replace(sign, f"\\{sign}")
    return text
