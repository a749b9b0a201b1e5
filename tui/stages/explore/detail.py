"""One column in full: its notes, figures, quantiles, histogram by class and most frequent values. Pure."""

from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise

from textual.content import Content

from lemnis.engine.explore import Histogram, Profile
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, figure, number, share, when
from lemnis.tui.stages.explore.rows import class_look, end_text, shape, stacked


def detail_content(profile: Profile, width: int, *, compact: bool = False) -> Content:
    """Return everything known of a column, top to bottom: notes, figures, quantiles, histogram, values.

    Compact leaves out the empty lines and begins with the histogram's outline, for a pane of a few lines.
    """
    gap = [] if compact else [Content("")]
    lines = [Content.assemble(("▲ ", "$warn"), (note.word, "bold"), f"  {note.detail}") for note in profile.notes]
    lines += figures_lines(profile, width)
    lines += findings_lines(profile, width)
    if profile.quantiles:
        lines += [*gap, *quantile_lines(profile, width)]
    if profile.histogram.counts:
        if compact:
            lines.append(outline(profile, width))
        lines += [*gap, *histogram_lines(profile, width)]
    if profile.top and profile.quantiles:
        lines += [*gap, Content.styled("most frequent", "$muted"), *top_lines(profile, width)]
    return Content("\n").join(lines)


def outline(profile: Profile, width: int) -> Content:
    """Return the histogram in one line, with its two ends."""
    labels = bin_labels(profile)
    cells = max(8, width - len(labels[0]) - len(labels[-1]) - 2)
    return Content.assemble(f"{labels[0]} ", (shape(profile.histogram.counts, cells), "$busy"), f" {labels[-1]}")


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
        ("missing", f"{number(profile.missing)} ({share(profile.missing_share)})"),
        ("distinct", number(profile.distinct)),
    ]
    if profile.mean is not None:
        facts += [("mean", figure(profile.mean)), ("deviation", figure(profile.deviation))]
    if profile.skewness is not None:
        facts.append(("skewness", number(profile.skewness, 1)))
    return flowed([Content.assemble((f"{label} ", "$muted"), value) for label, value in facts], width)


def findings_lines(profile: Profile, width: int) -> list[Content]:
    """Return what was found beyond the figures: margins, target, drift, outliers, lengths, spellings, time."""
    findings, facts = profile.findings, list[tuple[str, str]]()
    if findings.association is not None:
        facts.append(("tells of the target", share(findings.association)))
    if findings.drift is not None:
        facts.append((f"PSI against {safe(findings.drift_from)}", f"{findings.drift:.3f}"))
    for name, margin in findings.margins.items():
        facts.append((f"{name} within", f"±{share(margin) if name in ('missing', 'top') else figure(margin)}"))
    facts += [
        (name, number(rows)) for name, rows in (("zeros", findings.zeros), ("infinite", findings.infinite)) if rows
    ]
    for found in findings.outliers:
        beyond = f"{number(found.rows)} outside {figure(found.low)} to {figure(found.high)}"
        facts.append((f"outliers ({found.rule})", beyond))
    if findings.lengths is not None:
        low, high = findings.lengths.shortest, findings.lengths.longest
        facts.append(("characters", f"{low} to {high}, mean {findings.lengths.mean:.1f}"))
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
    gaps = [f"{when(start, UTC)[:10]} to {when(end, UTC)[:10]}" for start, end in found.gaps[:3]]
    words = f"rows per {found.unit}, {number(len(found.counts))} of them, {number(found.empty)} empty"
    more = f"; longest gaps: {', '.join(gaps)}" if gaps else ""
    return [Content.styled(words + more, "$muted").truncate(width, ellipsis=True), strip]


def quantile_lines(profile: Profile, width: int) -> list[Content]:
    """Return the quantiles as two aligned lines; the outer ones are left out where there is no room."""
    shares = {"0.01": "1%", "0.05": "5%", "0.25": "25%", "0.5": "median", "0.75": "75%", "0.95": "95%", "0.99": "99%"}
    time = profile.kind == "time"
    middle = [
        (label, when(round(profile.quantiles[key]), UTC) if time else figure(profile.quantiles[key]))
        for key, label in shares.items()
        if key in profile.quantiles
    ]
    ends = [str(end_text(profile, end)) for end in (profile.minimum, profile.maximum)]
    pairs = [("min", ends[0]), *middle, ("max", ends[1])]
    while len(pairs) > 3:
        widths = [max(len(label), len(value)) + 2 for label, value in pairs]
        if sum(widths) <= width:
            break
        del pairs[-2], pairs[1]
    widths = [max(len(label), len(value)) + 2 for label, value in pairs]
    labels = "".join(f"{label:>{wide}}" for (label, _), wide in zip(pairs, widths, strict=True))
    values = "".join(f"{value:>{wide}}" for (_, value), wide in zip(pairs, widths, strict=True))
    return [Content.styled(labels, "$muted"), Content(values)]


def histogram_lines(profile: Profile, width: int) -> list[Content]:
    """Return one bar per bin, stacked by class, with its rows and the share of the rarest class."""
    drawn, classes = profile.histogram, list(profile.histogram.by_class)
    labels = bin_labels(profile)
    wide = min(20, width // 3, max(len(label) for label in labels))
    tail = 9 + (8 if classes else 0)
    room = max(4, width - wide - tail - 2)
    largest = max(drawn.counts) or 1
    lines = [legend_line(classes, wide, room)] if classes else []
    lines += outside_line(drawn.below, f"below {labels[0].partition(' ')[0]}", wide)
    for place, (label, count) in enumerate(zip(labels, drawn.counts, strict=True)):
        by_class = [drawn.by_class[name][place] for name in classes] or [count]
        unlabelled = count - sum(by_class)
        bar = stacked(by_class, largest, room, unlabelled)
        line = Content.assemble((f"{label[:wide]:>{wide}} ", ""), bar, " " * max(0, room - bar.cell_length))
        line += f"{number(count):>9}"
        if classes:
            line += Content.styled(f"{share(by_class[-1] / sum(by_class)) if sum(by_class) else MISSING:>8}", "$busy")
        lines.append(line)
    beyond = "other values" if drawn.labels else f"above {labels[-1].rpartition(' ')[2]}"
    return lines + outside_line(drawn.above, beyond, wide)


def legend_line(classes: Sequence[str], wide: int, room: int) -> Content:
    """Return what the parts of the bars and the last columns mean."""
    parts = [
        Content.styled(f"{class_look(place)[0]} {safe(name)}", class_look(place)[1])
        for place, name in enumerate(classes)
    ]
    legend = Content("  ").join(parts).truncate(room, ellipsis=True)
    rarest = safe(classes[-1], limit=7)
    return Content.assemble(
        " " * (wide + 1), legend.pad_right(room - legend.cell_length), (f"{'rows':>9}", "$muted")
    ) + (Content.styled(f"{rarest:>8}", "$muted"))


def outside_line(rows: int, words: str, wide: int) -> list[Content]:
    """Return a line for rows that no bin holds, if there are any."""
    return [Content.styled(f"{'':>{wide}} {number(rows)} rows {words}, not drawn", "$muted")] if rows else []


def bin_labels(profile: Profile) -> list[str]:
    """Return a label per bin: a category, a whole number, or both edges."""
    drawn: Histogram = profile.histogram
    if drawn.labels:
        return [safe(label, limit=20) for label in drawn.labels]
    if profile.kind == "time":
        return [when(round(edge), UTC)[:10] for edge in drawn.edges[:-1]]
    whole = profile.type.startswith(("int", "uint"))
    if whole and all(b - a == 1 for a, b in pairwise(drawn.edges)):
        return [figure(edge) for edge in drawn.edges[:-1]]
    return [f"{figure(low)} – {figure(high)}" for low, high in pairwise(drawn.edges)]


def top_lines(profile: Profile, width: int, most: int = 8) -> list[Content]:
    """Return the most frequent values of a column of numbers or times."""
    return flowed(
        [Content(f"{value_text(profile, top.value)} × {number(top.rows)}") for top in profile.top[:most]], width
    )


def value_text(profile: Profile, text: str) -> str:
    """Return a value of the column that is kept as text."""
    return figure(float(text)) if profile.kind == "numeric" else safe(text, limit=20)
