"""How columns, their profiles and their rows look: record → cells. Pure."""

from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise

from textual.content import Content

from lemnis.engine.data import Column, Version
from lemnis.engine.explore import Cell as Value
from lemnis.engine.explore import Histogram, Page, Profile
from lemnis.engine.text import safe
from lemnis.tui.format import BLOCKS, MISSING, number, share, when
from lemnis.tui.widgets import Cell, Col, Row

SPARK_CELLS = 12
BAR_CELLS = 5
CLASS_GLYPHS = ("█", "▒", "▓", "░")
CLASS_STYLES = ("$muted", "$busy", "$warn", "$faint")
UNLABELLED = ("·", "$faint")

COLUMNS = (
    Col("name", "column", most=19),
    Col("type", most=14),
    Col("missing", "missing %", right=True, width=10),
    Col("distinct", right=True),
    Col("minimum", "min", right=True, most=16),
    Col("middle", "median or top", right=True, most=14),
    Col("maximum", "max", right=True, most=16),
    Col("shape", "histogram", width=SPARK_CELLS),
    Col("notes", most=60, flex=True),
)
MEDIUM = tuple(column for column in COLUMNS if column.name not in ("minimum", "maximum"))
NARROW = tuple(column for column in COLUMNS if column.name in ("name", "missing", "distinct", "middle", "notes"))
WIDE_CELLS, MEDIUM_CELLS = 130, 84


def columns_for(width: int) -> tuple[Col, ...]:
    """Return the columns that a table of this many cells has room for."""
    return COLUMNS if width >= WIDE_CELLS else MEDIUM if width >= MEDIUM_CELLS else NARROW


def column_row(column: Column, profile: Profile | None, columns: Sequence[Col] = COLUMNS) -> Row:
    """Return one line of the table of columns; figures are en dashes until they are measured."""
    cells: dict[str, Cell] = {"name": column.name, "type": type_cell(column)}
    values: dict[str, object] = {"name": column.name, "type": column.type}
    if profile is not None:
        cells |= {
            "missing": missing_cell(profile.missing_share),
            "distinct": number(profile.distinct),
            "minimum": end_text(profile, profile.minimum),
            "middle": middle_text(profile),
            "maximum": end_text(profile, profile.maximum),
            "shape": Content.styled(shape(profile.histogram.counts, SPARK_CELLS), "$busy"),
            "notes": notes_cell(profile),
        }
        values |= {
            "missing": profile.missing_share,
            "distinct": profile.distinct,
            "minimum": sortable(profile, profile.minimum),
            "middle": profile.median if profile.median is not None else middle_text(profile),
            "maximum": sortable(profile, profile.maximum),
            "shape": abs(profile.skewness or 0.0),
            "notes": len(profile.notes),
        }
    return Row(
        column.name,
        [cells.get(col.name, Content.styled(MISSING, "$muted")) for col in columns],
        [values.get(col.name) for col in columns],
    )


def type_cell(column: Column) -> Cell:
    """Return the type without unit and zone, and the role unless it is what most columns are."""
    words = column.type.partition("[")[0].removeprefix("large_")
    return words if column.role == "feature" else Content.assemble(words, (f" {column.role}", "$stage-accent"))


def missing_cell(part: float) -> Cell:
    """Return a share of missing rows with a small bar; none is quiet."""
    if not part:
        return Content.styled("0", "$muted") + " " * (BAR_CELLS + 1)
    full = max(1, round(part * BAR_CELLS))
    words = "<0.1" if part < 0.001 else f"{part * 100:.1f}"
    return Content.assemble(words, " ", ("▰" * full, "$warn"), ("▱" * (BAR_CELLS - full), "$faint"))


def notes_cell(profile: Profile) -> Cell:
    """Return the words of the notes."""
    words = ", ".join(note.word for note in profile.notes)
    return Content.assemble(("▲ ", "$warn"), words) if words else Content("")


def end_text(profile: Profile, text: str | None) -> Cell:
    """Return a smallest or largest value; of categories it says nothing."""
    if text is None or profile.kind in ("categorical", "boolean"):
        return Content.styled(MISSING, "$muted")
    return text[:16] if profile.kind == "time" else figure(float(text))


def middle_text(profile: Profile) -> str:
    """Return the median, or the most frequent value with its share."""
    if profile.median is not None:
        return when(round(profile.median), UTC)[:10] if profile.kind == "time" else figure(profile.median)
    if not profile.top:
        return MISSING
    top = profile.top[0]
    return f"{safe(top.value, limit=9)} {share(top.rows / (profile.rows - profile.missing), 0)}"


def sortable(profile: Profile, text: str | None) -> object:
    """Return an end of the range as a number where it is one."""
    return float(text) if text is not None and profile.kind == "numeric" else text


def figure(value: float | None) -> str:
    """Return a number of the data as short as it is still right to four digits."""
    if value is None or value != value:
        return MISSING
    if value == round(value) and abs(value) < 1e15:
        return number(round(value)) if abs(value) >= 10_000 else str(round(value)).replace("-", "−")
    return number(value, 3 if abs(value) < 10 else 2 if abs(value) < 1000 else 1)


# The class balance.


def balance_content(version: Version, width: int) -> Content:
    """Return the classes of the label in one line: name, rows, share, bar."""
    if not version.label:
        return Content.styled("No column has the role label; set problem.target.", "$muted")
    if not version.label_counts:
        return Content.styled(f"{safe(version.label)} has too many values for classes.", "$muted")
    labelled = sum(version.label_counts.values())
    without = version.rows - labelled
    tail = Content.styled(f"  {number(without)} without a label", "$muted") if without else Content("")
    parts: list[Content] = []
    for place, (name, rows) in enumerate(version.label_counts.items()):
        glyph, style = class_look(place)
        words = f" {safe(name, limit=20)} {number(rows)} {share(rows / labelled)}"
        parts.append(Content.assemble((glyph, style), words))
    words = Content.assemble((safe(version.label), "bold"), "  ") + Content("   ").join(parts) + tail
    room = min(40, width - words.cell_length - 4)
    if room < 10:
        return words
    return words + "  " + stacked(list(version.label_counts.values()), labelled, room)


def class_look(place: int) -> tuple[str, str]:
    """Return glyph and style of a class by its place; the glyphs differ, so the colour is never alone."""
    return CLASS_GLYPHS[place % len(CLASS_GLYPHS)], CLASS_STYLES[place % len(CLASS_STYLES)]


def stacked(counts: Sequence[int], scale: float, room: int, unlabelled: int = 0) -> Content:
    """Return one bar of several classes after each other and rows without one, `room` cells for `scale` rows.

    What is not zero has at least one cell, which shows the class that most of its rows have.
    """
    whole = sum(counts) + unlabelled
    if not whole or not scale:
        return Content("")
    length = max(1, min(room, round(whole / scale * room)))
    bar, drawn, total = Content(""), 0, 0
    looks = [*map(class_look, range(len(counts))), UNLABELLED]
    for (glyph, style), count in zip(looks, [*counts, unlabelled], strict=True):
        total += count
        end = round(total / whole * length)
        bar = bar + Content.styled(glyph * (end - drawn), style)
        drawn = end
    return bar


# One column in full.


def detail_content(profile: Profile, width: int, *, compact: bool = False) -> Content:
    """Return everything known of a column, top to bottom: notes, figures, quantiles, histogram, values.

    Compact leaves out the empty lines and begins with the histogram's outline, for a pane of a few lines.
    """
    gap = [] if compact else [Content("")]
    lines = [Content.assemble(("▲ ", "$warn"), (note.word, "bold"), f"  {note.detail}") for note in profile.notes]
    lines += figures_lines(profile, width)
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


def shape(counts: Sequence[int], cells: int) -> str:
    """Return bins as block characters scaled from zero, at most `cells` of them; an empty bin is blank."""
    cells = min(cells, len(counts))
    edges = [round(place * len(counts) / cells) for place in range(cells + 1)] if cells else []
    means = [sum(counts[low:high]) / (high - low) for low, high in pairwise(edges)]
    top = max(means, default=0) or 1
    return "".join(BLOCKS[min(7, int(mean / top * 8))] if mean else " " for mean in means)


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


# Rows of the data.


def row_columns(version: Version) -> list[Col]:
    """Return the columns of the rows view: the row's number, then the version's own."""
    own = [
        Col(f"c{place}", safe(column.name, limit=24), right=column.kind == "numeric", most=24)
        for place, column in enumerate(version.columns)
    ]
    return [Col("row", "row", right=True, width=9), *own]


def page_rows(page: Page) -> list[Row]:
    """Return a page of rows as table rows, numbered from 1 in the order they are shown."""
    return [
        Row(str(page.offset + place), [number(page.offset + place + 1), *map(value_cell, row)], [place, *row])
        for place, row in enumerate(page.rows)
    ]


def value_cell(value: Value) -> Cell:
    """Return one value of the data."""
    if value is None:
        return Content.styled(MISSING, "$muted")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return figure(value)
    return str(value)
