"""One column in full: its notes, figures, quantiles, histogram by class and most frequent values. Pure."""

from collections.abc import Sequence
from datetime import UTC

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.explore import Note, Profile
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, figure, number, share, when
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.explore.multiples import multiples_lines
from lemnis.tui.stages.explore.rows import bin_labels, class_look, end_text, looked_at, shape, stacked
from lemnis.tui.widgets.cells import fitted, padded

TO_ROWS = N_("f values, v bins: enter their rows")


class Closer(Struct, frozen=True):
    """What is known of a column beyond its profile.

    Attributes:
        by: The column by whose classes it is drawn; empty for none.
        drawn: Its profile by those classes; None while that is read.
        failed: Why it could not be read; empty if it could.
    """

    by: str = ""
    drawn: Profile | None = None
    failed: str = ""


def detail_content(profile: Profile, closer: Closer, width: int, *, compact: bool = False) -> Content:
    """Return everything known of a column, top to bottom: notes, classes, figures, quantiles, histogram, values.

    Compact leaves out the empty lines and begins with the classes, or the outline, for a pane of a few lines.
    """
    gap = [] if compact else [Content("")]
    drawn = closer.drawn or profile
    notes = [note_line(note) for note in sorted(profile.notes, key=lambda note: not note.act)]
    classes = class_lines(profile, closer, width, compact=compact)
    if compact and not classes and drawn.histogram.counts:
        classes = [outline(drawn, width)]
    lines = [*classes, *notes] if compact else [*notes, *(gap if notes and classes else []), *classes, *gap]
    lines += figures_lines(profile, width)
    lines += findings_lines(profile, width)
    if profile.quantiles:
        lines += [*gap, *quantile_lines(profile, width)]
    if profile.findings.extremes:
        lines += [*gap, *extreme_lines(profile, width)]
    if drawn.histogram.counts:
        lines += [*gap, *histogram_lines(drawn, width), Content.styled(_(TO_ROWS), "$muted")]
    if profile.top and profile.quantiles:
        lines += [*gap, Content.styled(_("most frequent"), "$muted"), *top_lines(profile, width)]
    return Content("\n").join(lines)


def note_line(note: Note) -> Content:
    """Return a note with a mark if it asks to act, muted if it is only to know."""
    if note.act:
        return Content.assemble(("▲ ", "$warn"), (told(note.word), "bold"), f"  {safe(told(note.detail))}")
    return Content.styled(f"· {told(note.word)}  {safe(told(note.detail))}", "$muted")


def class_lines(profile: Profile, closer: Closer, width: int, *, compact: bool) -> list[Content]:
    """Return the small histograms by class, or why there are none yet."""
    if closer.failed:
        return [Content.styled(safe(closer.failed), "$bad")]
    if closer.drawn is None:
        return (
            [Content.styled(_("reading it by {by} …").format(by=safe(closer.by, limit=24)), "$muted")]
            if closer.by
            else []
        )
    if closer.by and len(closer.drawn.findings.classes) < 2:
        one = _("by {by}: one value or none, so there are no classes to compare").format(by=safe(closer.by, limit=24))
        return [Content.styled(one, "$muted").truncate(width, ellipsis=True)]
    lines = multiples_lines(closer.drawn, closer.by, width, stacked=compact)
    if lines and not closer.drawn.exact and profile.exact:
        lines.append(Content.styled(looked_at(closer.drawn), "$muted").truncate(width, ellipsis=True))
    return lines


def extreme_lines(profile: Profile, width: int) -> list[Content]:
    """Return the farthest values, one a line, with the row that holds each and its key where that is known."""
    extremes = profile.findings.extremes
    names = list(extremes[0].key or ()) if extremes else []
    lines = [[_("farthest"), _("row"), *(safe(name, limit=20) for name in names)]]
    for one in extremes:
        key = one.key or {}
        lines.append([figure(one.value), number(one.row + 1), *(safe(key.get(name), limit=40) for name in names)])
    widths = [max(Content(cell).cell_length for cell in column) for column in zip(*lines, strict=True)]
    while len(widths) > 3 and sum(widths) + 2 * (len(widths) - 1) > width:  # the time goes before the key is cut
        widths.pop()
    drawn = [
        Content("  ").join(
            fitted(Content(cell), wide, right=place < 2)
            for place, (cell, wide) in enumerate(zip(line, widths, strict=False))
        )
        for line in lines
    ]
    drawn[0] = drawn[0].stylize("$muted")
    return [line.truncate(width, ellipsis=True) for line in drawn]


def outline(profile: Profile, width: int) -> Content:
    """Return the histogram in one line, with its two ends."""
    labels = bin_labels(profile)
    first, last = Content(labels[0]), Content(labels[-1])
    cells = max(8, width - first.cell_length - last.cell_length - 2)
    return Content.assemble(first, " ", (shape(profile.histogram.counts, cells), "$busy"), " ", last)


def flowed(parts: Sequence[Content], width: int) -> list[Content]:
    """Return parts three cells apart in as many lines as they need; no part is broken."""
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + 3 + part.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], "   ", part)
        else:
            lines.append(part)
    return lines


def figures_lines(profile: Profile, width: int) -> list[Content]:
    """Return missing, distinct, mean, deviation and skewness."""
    facts = [
        (_("missing"), f"{number(profile.missing)} ({share(profile.missing_share)})"),
        (_("distinct"), number(profile.distinct)),
    ]
    if profile.mean is not None:
        facts += [(_("mean"), figure(profile.mean)), (_("deviation"), figure(profile.deviation))]
    if profile.skewness is not None:
        facts.append((_("skewness"), number(profile.skewness, 1)))
    return flowed([Content.assemble((f"{label} ", "$muted"), value) for label, value in facts], width)


def findings_lines(profile: Profile, width: int) -> list[Content]:
    """Return what was found beyond the figures: margins, target, drift, outliers, lengths, spellings, time."""
    findings, facts = profile.findings, list[tuple[str, str]]()
    if findings.association is not None:
        facts.append((_("tells of the target"), share(findings.association)))
    if findings.drift is not None:
        facts.append(
            (_("PSI against {drift_from}").format(drift_from=safe(findings.drift_from)), f"{findings.drift:.3f}")
        )
    for name, margin in findings.margins.items():
        facts.append(
            (
                _("{name} within").format(name=name),
                f"±{share(margin) if name in ('missing', 'top') else figure(margin)}",
            )
        )
    facts += [
        (name, number(rows))
        for name, rows in ((_("zeros"), findings.zeros), (_("infinite"), findings.infinite))
        if rows
    ]
    for found in findings.outliers:
        beyond = _("{rows} outside {low} to {high}").format(
            rows=number(found.rows), low=figure(found.low), high=figure(found.high)
        )
        facts.append((_("outliers ({rule})").format(rule=found.rule), beyond))
    if findings.lengths is not None:
        low, high = findings.lengths.shortest, findings.lengths.longest
        facts.append(
            (
                _("characters"),
                _("{low} to {high}, mean {mean:.1f}").format(low=low, high=high, mean=findings.lengths.mean),
            )
        )
    for group in findings.spellings[:5]:
        words = " / ".join(f"{safe(one.value, limit=20)} × {number(one.rows)}" for one in group.values[:4])
        facts.append((group.rule, words))
    parts = [Content.assemble((f"{label} ", "$muted"), value).truncate(width, ellipsis=True) for label, value in facts]
    return flowed(parts, width) + coverage_lines(profile, width)


def coverage_lines(profile: Profile, width: int) -> list[Content]:
    """Return rows per period of time as a strip, blank where there is none, and the longest gaps."""
    found = profile.findings.coverage
    if found is None:
        return []
    strip = Content.styled(shape(found.counts, width), "$busy")
    gaps = [
        _("{start} to {end}").format(start=when(start, UTC)[:10], end=when(end, UTC)[:10])
        for start, end in found.gaps[:3]
    ]
    words = _("rows per {unit}, {counts} of them, {empty} empty").format(
        unit=found.unit, counts=number(len(found.counts)), empty=number(found.empty)
    )
    more = _("; longest gaps: {gaps}").format(gaps=", ".join(gaps)) if gaps else ""
    return [Content.styled(words + more, "$muted").truncate(width, ellipsis=True), strip]


def quantile_lines(profile: Profile, width: int) -> list[Content]:
    """Return the quantiles as two aligned lines; the outer ones are left out where there is no room."""
    shares = {
        "0.01": "1%",
        "0.05": "5%",
        "0.25": "25%",
        "0.5": _("median"),
        "0.75": "75%",
        "0.95": "95%",
        "0.99": "99%",
    }
    time = profile.kind == "time"
    middle = [
        (label, when(round(profile.quantiles[key]), UTC) if time else figure(profile.quantiles[key]))
        for key, label in shares.items()
        if key in profile.quantiles
    ]
    ends = [str(end_text(profile, end)) for end in (profile.minimum, profile.maximum)]
    pairs = [(_("min"), ends[0]), *middle, (_("max"), ends[1])]
    while len(pairs) > 3:
        widths = [max(cell_len(label), cell_len(value)) + 2 for label, value in pairs]
        if sum(widths) <= width:
            break
        del pairs[-2], pairs[1]
    widths = [max(cell_len(label), cell_len(value)) + 2 for label, value in pairs]
    labels = "".join(padded(label, wide, right=True) for (label, _value), wide in zip(pairs, widths, strict=True))
    values = "".join(padded(value, wide, right=True) for (_label, value), wide in zip(pairs, widths, strict=True))
    return [Content.styled(labels, "$muted"), Content(values)]


def histogram_lines(profile: Profile, width: int) -> list[Content]:
    """Return one bar per bin, stacked by class, with its rows and the share of the rarest class."""
    drawn, classes = profile.histogram, list(profile.histogram.by_class)
    labels = bin_labels(profile)
    wide = min(20, width // 3, max(Content(label).cell_length for label in labels))
    tail = 9 + (8 if classes else 0)
    room = max(4, width - wide - tail - 2)
    largest = max(drawn.counts) or 1
    lines = [legend_line(classes, wide, room)] if classes else []
    lines += outside_line(drawn.below, _("below {partition}").format(partition=labels[0].partition(" ")[0]), wide)
    for place, (label, count) in enumerate(zip(labels, drawn.counts, strict=True)):
        by_class = [drawn.by_class[name][place] for name in classes] or [count]
        unlabelled = count - sum(by_class)
        bar = stacked(by_class, largest, room, unlabelled)
        bar_room = " " * max(0, room - bar.cell_length)
        line = Content.assemble(fitted(Content(label), wide, right=True), " ", bar, bar_room)
        line += f"{number(count):>9}"
        if classes:
            line += Content.styled(f"{share(by_class[-1] / sum(by_class)) if sum(by_class) else MISSING:>8}", "$busy")
        lines.append(line)
    beyond = (
        _("other values") if drawn.labels else _("above {rpartition}").format(rpartition=labels[-1].rpartition(" ")[2])
    )
    return lines + outside_line(drawn.above, beyond, wide)


def legend_line(classes: Sequence[str], wide: int, room: int) -> Content:
    """Return what the parts of the bars and the last columns mean."""
    parts = [
        Content.styled(f"{class_look(place)[0]} {safe(name)}", class_look(place)[1])
        for place, name in enumerate(classes)
    ]
    legend = Content("  ").join(parts).truncate(room, ellipsis=True)
    last = fitted(Content(safe(classes[-1])), 7, right=True)
    head = Content.assemble(" " * (wide + 1), legend.pad_right(room - legend.cell_length))
    return head + Content.assemble(f"{'rows':>9} ", last).stylize("$muted")


def outside_line(rows: int, words: str, wide: int) -> list[Content]:
    """Return a line for rows that no bin holds, if there are any."""
    return [Content.styled(f"{'':>{wide}} {number(rows)} rows {words}, not drawn", "$muted")] if rows else []


def top_lines(profile: Profile, width: int, most: int = 8) -> list[Content]:
    """Return the most frequent values of a column of numbers or times."""
    return flowed(
        [Content(f"{value_text(profile, top.value)} × {number(top.rows)}") for top in profile.top[:most]], width
    )


def value_text(profile: Profile, text: str) -> str:
    """Return a value of the column that is kept as text."""
    return figure(float(text)) if profile.kind == "numeric" else safe(text, limit=20)
