"""The performance layer of Monitor: truth and estimate window by window, what the detectors found, and the money."""

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.monitor import Entry, Figure, Performance, Stale
from lemnis.engine.monitor.concept.report import METRICS
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, money, number, share, styled, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.stages.monitor.figures import ends, in_unit, lag_words, main_metric, summary_lines, unit_of
from lemnis.tui.stages.monitor.rows import short_label, span_label, span_text
from lemnis.tui.widgets import Cell, Chart, Col, Panel, Row, Series, Table, Words

if TYPE_CHECKING:
    from lemnis.tui.screens.form import LinesForm

COLUMNS = (
    Col("window"),
    Col("labelled", right=True),
    Col("measured"),
    Col("estimated"),
    Col("money", "money/day", right=True),
)
WIDE = (
    *COLUMNS[:1],
    Col("rows", right=True),
    *COLUMNS[1:4],
    Col("held_out", "held out"),
    Col("against", "against held out"),
    Col("calibration", "calibration error", right=True),
    COLUMNS[4],
    Col("basis", "money by"),
)
STALE_KEYS = (("D", "diff"), ("L", "retrain"), ("W", N_("let it stay")))
DIFFERENCES = 4  # changed keys of the problem that the banner names
FINDINGS = (("warning", N_("warning")), ("drift", N_("concept drift")), ("better", N_("better again")))


class PerformanceLayer(Vertical):
    """Draws one endpoint's performance; which figure is shown is told by the room."""

    def compose(self) -> ComposeResult:
        yield Words(id="performance-words")
        with Panel(_("Performance"), id="performance-panel"):
            yield Table(
                *COLUMNS, id="performance", empty=_("No rows were served yet. Press {monitor.replay} to replay some.")
            )
        with Panel(_("Over time"), id="truth-panel"):
            yield Chart(id="truth", empty=_("Nothing is measured or estimated yet."))

    def draw(self, found: Performance, metric: str) -> None:
        """Draw everything.

        Args:
            found: What is known.
            metric: Which figure; the main one where there is no such figure.
        """
        name = metric if metric in found.metrics else main_metric(found)
        self.query_one("#performance-words", Words).say(state_content(found, name))
        title = _("{metrics} with 95 % intervals{lag_words}").format(metrics=METRICS[name], lag_words=lag_words(found))
        self.query_one("#performance-panel", Panel).retitle(safe(found.endpoint, limit=30), title)
        table = self.query_one("#performance", Table)
        columns = WIDE if table.size.width > 130 else COLUMNS
        table.set_columns(columns)
        table.show([entry_row(entry, name, found, columns) for entry in reversed(found.entries)])
        chart = self.query_one("#truth", Chart)
        last = found.entries[-1] if found.entries else None
        span = span_text([entry.window for entry in found.entries])
        chart.places = [short_label(entry.window) for entry in found.entries]
        chart.value_text = partial(in_unit, unit=unit_of(found, name))
        chart.relabel(x=span, y=METRICS[name])
        held_out = last.held_out.get(name) if last else None
        chart.show(series_of(found, name), levels=[(held_out.value, _("held out"))] if held_out else [])


def entry_row(entry: Entry, name: str, found: Performance, columns: tuple[Col, ...]) -> Row:
    """Return one window's row; an estimate is never in the column of what was measured."""
    window, unit = entry.window, unit_of(found, name)
    measured, estimated = entry.measured.get(name), entry.estimated.get(name)
    worth = entry.money
    amount = MISSING if worth is None else money(worth.per_day.value, found.currency)
    cells: dict[str, tuple[Cell, object]] = {
        "window": (span_label(window) + ("" if window.closed else " …"), window.starts),
        "rows": (number(window.rows), window.rows),
        "labelled": (share(window.labelled_share, 0), window.labelled_share),
        "measured": (ends(measured, unit), measured and measured.value),
        "estimated": (styled(ends(estimated, unit), "$muted"), estimated and estimated.value),
        "held_out": (ends(entry.held_out.get(name), unit), None),
        "against": (against(measured, entry.held_out.get(name), unit), None),
        "calibration": (number(entry.calibration_error), entry.calibration_error),
        "money": (styled(amount, "$bad" if worth and worth.bad else ""), worth and worth.per_day.value),
        "basis": (MISSING if worth is None else worth.basis + (_(", bad") if worth.bad else ""), None),
    }
    if worth is not None and worth.basis == "estimated" and columns is COLUMNS:
        cells["money"] = (styled(f"~{amount}", "$muted"), worth.per_day.value)
    shown = [cells[column.name] for column in columns]
    return Row(str(window.id), [cell for cell, _ in shown], [value for _, value in shown])


def against(measured: Figure | None, held_out: Figure | None, unit: str) -> Cell:
    """Return whether a figure's interval is apart from that of the held-out rows, and how far the values are."""
    if measured is None or held_out is None:
        return MISSING
    moved = in_unit(measured.value - held_out.value, unit)
    known = None not in (measured.low, measured.high, held_out.low, held_out.high)
    apart = known and ((measured.high or 0.0) < (held_out.low or 0.0) or (measured.low or 0.0) > (held_out.high or 0.0))
    return (
        styled(_("{moved}, apart").format(moved=moved), "$warn")
        if apart
        else styled(_("{moved}, within chance").format(moved=moved), "$muted")
    )


def series_of(found: Performance, name: str) -> list[Series]:
    """Return what was measured with its interval, what was estimated, and where the detectors found something."""
    places = list(range(1, len(found.entries) + 1))
    measured = [entry.measured.get(name) for entry in found.entries]
    estimated = [entry.estimated.get(name) for entry in found.entries]
    lines = [
        Series(_("measured"), places, [one.value if one else None for one in measured]),
        Series(_("estimated"), places, [one.value if one else None for one in estimated]),
        Series(_("95 % low"), places, [one.low if one else None for one in measured]),
        Series(_("95 % high"), places, [one.high if one else None for one in measured]),
    ]
    return [*lines, *marks(found, measured)]


def marks(found: Performance, measured: list[Figure | None]) -> list[Series]:
    """Return the detectors' common findings as dots on the line of what was measured, at their event time."""
    detections = found.concept.detections if found.concept else []
    series: list[Series] = []
    for level, word in FINDINGS:
        x: list[float] = []
        y: list[float | None] = []
        for one in detections:
            if one.detector != "concept" or one.level != level:
                continue
            for place, (entry, figure) in enumerate(zip(found.entries, measured, strict=True), 1):
                window = entry.window
                if figure is not None and window.starts <= one.event_at < window.ends:
                    x.append(place - 0.5 + (one.event_at - window.starts) / (window.ends - window.starts))
                    y.append(figure.value)
        if x:
            series.append(Series(_(word), x, y, points=True, words=f"{len(x)}"))
    return series


def state_content(found: Performance, name: str) -> Content:
    """Return the lines above the table: the concept's state, what estimates are worth, and the money."""
    lines: list[Content] = []
    for subject, line in summary_lines(found, name).items():
        bad = "does not hold" in line or subject == "money"
        seen = verdict(found.concept.state) if subject == "concept" and found.concept else None
        said = (f"{seen.glyph} {line}", seen.style) if seen else (line, "$warn" if bad else "")
        lines.append(Content.assemble((f"{subject:<12}", "$muted"), (safe(said[0]), said[1])))
    return Content("\n").join(lines)


def stale_content(stale: list[Stale], now: int) -> Content:
    """Return the banner of models whose problem changed after their training: what was, what is, who changed it, keys.

    Those that may stay are told quietly in a line.
    """
    lines: list[Content] = []
    for one in stale:
        name = f"{one.model} v{one.version}"
        if one.waived:
            said = _("○ {who} lets {name} stay: {why} ({words})").format(
                who=one.waived.who, name=name, why=one.waived.why, words=one.words
            )
            lines.append(Content.styled(safe(said, limit=200), "$muted"))
            continue
        keys = [part for key, does in STALE_KEYS for part in ((f" {key} ", "$key"), f"{_(does)} ")]
        who = " " + _("by {changed_by}").format(changed_by=one.changed_by) if one.changed_by else ""
        when = (
            " " + _("{changed_at} ago").format(changed_at=age(one.changed_at, now))
            if one.changed_at is not None
            else ""
        )
        said = safe(
            " "
            + _("the problem changed{who}{when}: {reason}").format(who=who, when=when, reason=one.reason).rstrip(": "),
            limit=200,
        )
        lines.append(
            Content.assemble(
                (_("▲ {name} is stale").format(name=safe(name, limit=40)) + " ", "bold $warn"), *keys, said
            )
        )
        lines.append(Content.assemble("  ", *differences(one)))
    return Content("\n").join(lines)


def differences(stale: Stale) -> list[str | tuple[str, str]]:
    """Return what was stated and what is, key by key."""
    parts: list[str | tuple[str, str]] = []
    for one in stale.differences[:DIFFERENCES]:
        parts += [(f"{safe(one.key, limit=40)} ", "$muted"), (safe(one.before or MISSING, limit=30), "")]
        parts += [" → ", (safe(one.after or MISSING, limit=30), "bold"), "   "]
    more = len(stale.differences) - DIFFERENCES
    return [*parts, (_("and {more} more").format(more=more), "$muted")] if more > 0 else parts


def waive_form(stale: Stale, who: str) -> "LinesForm":
    """Return the form that asks why a stale model may stay, and who says so."""
    from lemnis.tui.screens.answering import wrong_answer
    from lemnis.tui.screens.form import Line, LinesForm

    lines = (Line("why", _("why it may stay")), Line("who", "who", who))
    note = _("It counts as current until the problem changes again; everybody sees who said so.")
    return LinesForm(_("Let {words}").format(words=stale.words), note, lines, verb=_("let it stay"), wrong=wrong_answer)
