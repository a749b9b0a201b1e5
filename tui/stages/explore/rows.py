"""How columns, their profiles and their rows look: record → cells. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from itertools import pairwise
from typing import Any

from textual.content import Content

from lemnis.engine.data import Column, Version
from lemnis.engine.explore import Order, Profile, View, interest
from lemnis.engine.text import safe
from lemnis.tui.format import BLOCKS, MISSING, figure, number, share, when
from lemnis.tui.language import _, sense
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Field, Row

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
    Col("notes", "why look", most=60, flex=True),
)
MEDIUM = tuple(column for column in COLUMNS if column.name in ("name", "missing", "distinct", "shape", "notes"))
NARROW = tuple(column for column in COLUMNS if column.name in ("name", "missing", "distinct", "notes"))
WIDE_CELLS, MEDIUM_CELLS = 130, 84


def order_words(order: Order, profiles: Mapping[str, Profile]) -> str:
    """Return what the columns are ordered by; of drift it says against what."""
    if order == "association":
        return _("what they tell of the target")
    if order == "drift":
        before = next((one.findings.drift_from for one in profiles.values() if one.findings.drift_from), "")
        return (
            _("drift against {before}").format(before=before)
            if before
            else _("drift: there is no profile of a version before")
        )
    return sense(order, "an order")


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
            "distinct": number(profile.distinct) if profile.exact else f"≥{number(profile.distinct)}",
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
            "notes": interest(profile).score,
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


def looked_at(profile: Profile) -> str:
    """Return in words how many rows a profile is from."""
    if profile.exact:
        return _("{rows} rows").format(rows=number(profile.rows))
    return _("~ sample of {rows} of {sample_of} rows, not exact yet").format(
        rows=number(profile.rows), sample_of=number(profile.sample_of)
    )


def missing_cell(part: float) -> Cell:
    """Return a share of missing rows with a small bar; none is quiet."""
    if not part:
        return Content.styled("0", "$muted") + " " * (BAR_CELLS + 1)
    full = max(1, round(part * BAR_CELLS))
    words = "<0.1" if part < 0.001 else f"{part * 100:.1f}"
    return Content.assemble(words, " ", ("▰" * full, "$warn"), ("▱" * (BAR_CELLS - full), "$faint"))


def notes_cell(profile: Profile) -> Cell:
    """Return why the column may be looked at: with a mark what asks to act, muted what is only to know."""
    sampled = [] if profile.exact else [Content.styled(_("~ sample"), "$busy")]
    calls, others = list[Content](), list[Content]()
    for reason in interest(profile).reasons:
        words = safe(", ".join(map(told, reason.words.split(", "))))
        calls.append(Content(words)) if reason.act else others.append(Content.styled(words, "$muted"))
    if calls:
        calls[0] = Content.assemble(("▲ ", "$warn"), calls[0])
    return Content(" · ").join([*sampled, *calls, *others])


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


def shape(counts: Sequence[int], cells: int) -> str:
    """Return bins as block characters scaled from zero, at most `cells` of them; an empty bin is blank."""
    cells = min(cells, len(counts))
    edges = [round(place * len(counts) / cells) for place in range(cells + 1)] if cells else []
    means = [sum(counts[low:high]) / (high - low) for low, high in pairwise(edges)]
    top = max(means, default=0) or 1
    return "".join(BLOCKS[min(7, int(mean / top * 8))] if mean else " " for mean in means)


def bin_labels(profile: Profile) -> list[str]:
    """Return a label per bin: a category, a whole number, or both edges."""
    drawn = profile.histogram
    if drawn.labels:
        return [safe(label, limit=20) for label in drawn.labels]
    if profile.kind == "time":
        return [when(round(edge), UTC)[:10] for edge in drawn.edges[:-1]]
    whole = profile.type.startswith(("int", "uint"))
    if whole and all(b - a == 1 for a, b in pairwise(drawn.edges)):
        return [figure(edge) for edge in drawn.edges[:-1]]
    return [f"{figure(low)} – {figure(high)}" for low, high in pairwise(drawn.edges)]


# The class balance.


def balance_content(version: Version, width: int) -> Content:
    """Return the classes of the label in one line: name, rows, share, bar."""
    if not version.label:
        return Content.styled(_("No column has the role label; set problem.target."), "$muted")
    if not version.label_counts:
        return Content.styled(_("{label} has too many values for classes.").format(label=safe(version.label)), "$muted")
    labelled = sum(version.label_counts.values())
    without = version.rows - labelled
    tail = (
        Content.styled("  " + _("{without} without a label").format(without=number(without)), "$muted")
        if without
        else Content("")
    )
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


# Rows of the data.


def fields(version: Version, folded: Sequence[str] = ()) -> list[Field]:
    """Return the version's columns as fields of the rows' grid, without those that are folded."""
    return [
        Field(column.name, safe(column.name, limit=24), right=column.kind == "numeric")
        for column in version.columns
        if column.name not in folded
    ]


def asked_content(view: View, version: Version) -> Content:
    """Return in one line which rows are shown and how many they are; what is not known yet says so."""
    asked = view.asked
    many, total = view.matched, version.rows
    if view.total is None:
        found = _("≥ {many} of {total}").format(many=number(many), total=number(total))
        state = (
            "  " + _("{searched} looked at").format(searched=share(view.searched, 0))
            if view.searched
            else f"  {_('looking …')}"
        )
    else:
        found = (
            _("{many} of {total} ({many2})").format(
                many=number(many), total=number(total), many2=share(many / max(1, total))
            )
            if asked.words
            else number(total)
        )
        state = (
            ""
            if view.complete
            else "  "
            + _("sorting …{value}").format(
                value=" " + _("the first {known} are here").format(known=number(view.known)) if view.known else ""
            )
        )
    order = (
        "  "
        + _("by {order}{which}").format(order=safe(asked.order, limit=30), which=" ▼" if asked.descending else " ▲")
        if asked.order
        else ""
    )
    words = Content.styled(_("all rows"), "$muted")
    if asked.words:
        words = Content.styled(" · ", "$muted").join([Content.styled(one, "bold $stage-accent") for one in asked.parts])
    return Content.assemble(words, f"  {found}", (order, "$muted"), (state, "$busy"))


def fetch_of(view: View) -> Callable[[int, int, list[str], Callable[[], bool]], Sequence[Sequence[Any]]]:
    """Return what reads cells of a view for a grid."""
    return lambda offset, limit, columns, wanted: view.page(offset, limit, columns, wanted).rows
