"""What is said of two versions compared: counts, columns, distributions and single rows, as cells and text. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.data.diff import Change, ColumnDiff, Diff, DiffRow, Listing, Side
from lemnis.engine.data.plain import Cell as Value
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, figure, number, share, styled, verdict
from lemnis.tui.language import _, sense
from lemnis.tui.widgets import Cell, Col, Row, data_cell
from lemnis.tui.widgets.cells import drawable, fitted, padded
from lemnis.tui.widgets.text import bar_of

COLUMNS = (
    Col("column", most=28),
    Col("changed", right=True),
    Col("share", "%", right=True),
    Col("mean", "mean", right=True),
    Col("shift", right=True),
    Col("missing", right=True),
    Col("psi", "PSI", right=True),
    Col("verdict"),
    Col("codes", "codes", flex=True),
)
NARROW = frozenset({"column", "changed", "share", "shift", "psi", "verdict", "codes"})
MARKS: dict[Change, tuple[str, str]] = {"changed": ("~", "$warn"), "removed": ("−", "$bad"), "added": ("+", "$ok")}
SCHEMA = {"added": "new", "removed": "gone", "retyped": "retyped"}
ARROW = "→"
CODES_SAID = 3
VALUE = 40  # characters of one value among others


def keys_line(keys: Sequence[tuple[str, str]]) -> Content:
    """Return the keys of a screen, each with what it does."""
    return Content.assemble(*(part for key, does in keys for part in ((f" {key} ", "$key"), f" {_(does)} ")))


def diff_facts(found: Diff) -> list[tuple[str, Cell]]:
    """Return what is compared and how many rows became what."""
    sides = ((found.before_title, found.before_rows), (found.after_title, found.after_rows))
    titles = f" {ARROW} ".join(
        _("{title} ({rows} rows)").format(title=title, rows=number(rows)) for title, rows in sides
    )
    facts: list[tuple[str, Cell]] = [(_("versions"), titles), (_("by"), key_words(found))]
    if found.identical:
        facts.append(
            (
                _("rows"),
                Content.assemble(
                    ("● ", "$ok"), _("the two versions are the same, {same} rows").format(same=number(found.same))
                ),
            )
        )
        return facts
    facts.append((_("rows"), counts_content(found)))
    changed = [column for column in found.columns if column.schema]
    if changed:
        said = ", ".join(f"{column.name} {schema_words(column)}" for column in changed[:6])
        more = " " + _("and {changed} more").format(changed=len(changed) - 6) if len(changed) > 6 else ""
        facts.append((_("columns"), Content.assemble(("▲ ", "$warn"), safe(said, limit=300) + more)))
    return facts


def key_words(found: Diff) -> str:
    """Return what says which rows are the same, and what is odd about it."""
    if not found.key:
        return _("whole rows: no key is declared (dataset.key) or given, so a row that changed is removed and added")
    repeated = [
        _("{rows} rows of {title} repeat one").format(rows=number(rows), title=title)
        for rows, title in ((found.repeated_before, found.before_title), (found.repeated_after, found.after_title))
        if rows
    ]
    return ", ".join(found.key) + (f"; ▲ {', '.join(repeated)}" if repeated else "")


def counts_content(found: Diff) -> Content:
    """Return the counts, each with its sign: ``+ 12 added  − 3 removed  ~ 40 changed  = 100 same``."""
    parts: list[Content] = []
    for change in ("added", "removed", "changed"):
        count = found.count(change)
        sign, style = MARKS[change]
        parts.append(Content.styled(f"{sign} {number(count)} {change}", style if count else "$muted"))
    parts.append(Content.styled(_("= {same} same").format(same=number(found.same)), "$muted"))
    return Content("   ").join(parts)


def schema_words(column: ColumnDiff) -> str:
    """Return what became of a column itself; empty when nothing did."""
    if column.schema == "retyped" and column.before and column.after:
        as_text = _(", compared as text") if column.nature == "text" else ""
        return _("was {type}, is {type2}{as_text}").format(
            type=column.before.type, type2=column.after.type, as_text=as_text
        )
    return {"added": _("is new"), "removed": _("is gone")}.get(column.schema, "")


def column_row(found: Diff, column: ColumnDiff) -> Row:
    """Return one column with its figures."""
    judged = column_verdict(found, column)
    both = column.before is not None and column.after is not None
    cells: list[Cell] = [
        column.name,
        changed_cell(column) if both else MISSING,
        share(found.share(column)) if both else MISSING,
        mean_words(column),
        shift_words(column),
        missing_words(column),
        MISSING if column.psi is None else number(round(column.psi, 3)),
        verdict(judged).content if judged else MISSING,
        codes_words(column),
    ]
    rank = {"drift": 3, "watch": 2, "ok": 0}.get(judged, 1 if column.schema else 0)
    after = column.after.mean if column.after else None
    gone = column.after.missing if column.after else None
    values = [column.name, column.changed if both else None, found.share(column), after, column.shift_deviations, gone]
    return Row(column.name, cells, [*values, column.psi, rank, column.new + column.vanished])


def column_verdict(found: Diff, column: ColumnDiff) -> str:
    """Return the word for a column: what became of it itself, else how far its values moved; empty without either."""
    return SCHEMA.get(column.schema, "") or found.verdict(column) or ""


def changed_cell(column: ColumnDiff) -> Cell:
    """Return in how many rows the value changed."""
    return styled(number(column.changed), "$warn" if column.changed else "$muted")


def mean_words(column: ColumnDiff) -> str:
    """Return the mean before and after; of times nothing."""
    means = [side.mean if side else None for side in (column.before, column.after)]
    if means[0] is None and means[1] is None:
        return MISSING
    said = [share(mean) if column.nature == "boolean" else figure(mean) for mean in means]
    return said[0] if said[0] == said[1] else f"{said[0]} {ARROW} {said[1]}"


def shift_words(column: ColumnDiff) -> str:
    """Return how far the mean moved, in standard deviations before; of truth values in points of a percent."""
    if column.nature == "boolean":
        return MISSING if column.shift is None else f"{delta(column.shift * 100, 1)} pp"
    return MISSING if column.shift_deviations is None else f"{delta(column.shift_deviations, 2)} sd"


def missing_words(column: ColumnDiff) -> str:
    """Return how many rows have no value, before and after where that differs."""
    counts = [number(side.missing) if side else MISSING for side in (column.before, column.after)]
    return counts[0] if counts[0] == counts[1] else f"{counts[0]} {ARROW} {counts[1]}"


def codes_words(column: ColumnDiff) -> str:
    """Return the codes that only one version has: ``+ZZ +Q9  −AA``; how many there are beyond the first."""
    parts: list[str] = []
    for sign, codes, total in (("+", column.new_codes, column.new), ("−", column.vanished_codes, column.vanished)):
        named = [f"{sign}{safe(code.value, limit=20) or _('(empty)')}" for code in codes[:CODES_SAID]]
        if total > CODES_SAID:
            named.append(_("{sign}{total} more").format(sign=sign, total=number(total - CODES_SAID)))
        parts.append(" ".join(named))
    said = "  ".join(filter(None, parts))
    return said or schema_words(column)


def column_words(found: Diff, column: ColumnDiff) -> list[str]:
    """Return one column as the cells of a printed table."""
    return [cell if isinstance(cell, str) else cell.plain for cell in column_row(found, column).cells]


def row_words(row: DiffRow) -> str:
    """Return what a row tells: ``delay 12 → 15, gate – → B4``; all values of a row that only one version has."""
    if row.change == "changed" and row.before is not None and row.after is not None:
        after = row.after
        pairs = [f"{value_words(was)} {ARROW} {value_words(after[name])}" for name, was in row.before.items()]
        return ", ".join(f"{safe(name, limit=VALUE)} {pair}" for name, pair in zip(row.before, pairs, strict=True))
    values = row.before if row.change == "removed" else row.after
    return ", ".join(f"{safe(name, limit=VALUE)} {value_words(value)}" for name, value in (values or {}).items())


def value_words(value: Value) -> str:
    """Return one value among others, shortened."""
    cell = data_cell(value)
    text = cell if isinstance(cell, str) else cell.plain
    return safe(text, limit=VALUE) if text else _("(empty)")


def detail_facts(found: Diff, column: ColumnDiff) -> list[tuple[str, Cell]]:
    """Return what became of one column, in words: the most telling first, for a small terminal shows five lines."""
    facts: list[tuple[str, Cell]] = []
    if column.schema:
        facts.append(("column", Content.styled(f"▲ {safe(schema_words(column))}", "$warn")))
    before, after = column.before, column.after
    if before and after:
        how = [
            _("{filled} had no value").format(filled=number(column.filled)),
            _("{emptied} lost theirs").format(emptied=number(column.emptied)),
        ]
        told = [words for words, rows in zip(how, (column.filled, column.emptied), strict=True) if rows]
        of = _("{changed} of {matched} rows ({column})").format(
            changed=number(column.changed), matched=number(found.matched), column=share(found.share(column), 2)
        )
        facts.append(("changed", ", ".join([of, *told])))
    if column.psi is not None:
        judged = verdict(column_verdict(found, column))
        watch, drift = (max(bound, column.noise or 0.0) for bound in (found.watch, found.drift))
        bounds = "  " + _("watch from {watch:.3f}, drift from {drift:.3f}").format(watch=watch, drift=drift)
        words = Content.assemble(f"{column.psi:.4f}  ", judged.content, (bounds, "$muted"))
        facts.append(("PSI", words))
    if any(side and side.mean is not None for side in (before, after)):
        moved = f", {shift_words(column)}" if column.shift is not None else ""
        facts.append((_("mean"), f"{mean_words(column)}{moved}"))
    if column.mean_change is not None:
        facts.append(
            (
                _("each"),
                _("{mean_change} on average where a number changed").format(mean_change=delta(column.mean_change)),
            )
        )
    codes_of = (
        (_("new"), column.new_codes, column.new),
        (_("vanished"), column.vanished_codes, column.vanished),
    )
    for label, codes, total in codes_of:
        if total:
            named = ", ".join(f"{code.value or _('(empty)')} ({number(code.rows)})" for code in codes[:12])
            facts.append((label, f"{number(total)}: {named}"))
    facts.append((_("missing"), missing_words(column)))
    named = ((sense("from", "a range"), "low"), (sense("to", "a range"), "high"))
    ranges = [(label, range_words(before, after, end)) for label, end in named]
    facts += [(label, words) for label, words in ranges if words]
    facts.append((_("type"), " ".join(filter(None, [f"{column.role},", type_words(column)]))))
    return facts


def range_words(before: Side | None, after: Side | None, end: str) -> str:
    """Return the smallest or largest value before and after; empty where there is none."""
    ends = [getattr(side, end) if side else None for side in (before, after)]
    if ends[0] is None and ends[1] is None:
        return ""
    said = [one or MISSING for one in ends]
    return said[0] if said[0] == said[1] else f"{said[0]} {ARROW} {said[1]}"


def type_words(column: ColumnDiff) -> str:
    """Return the type before and after."""
    types = [side.type for side in (column.before, column.after) if side]
    return f" {ARROW} ".join(dict.fromkeys(types))


def bins_content(column: ColumnDiff, width: int) -> Content:
    """Return the distribution before and after as two bars a bin, with the shares."""
    totals = [max(1, sum(getattr(one, side) for one in column.bins)) for side in ("before", "after")]
    shares = [(one.label, one.before / totals[0], one.after / totals[1]) for one in column.bins]
    if not shares:
        return Content("")
    wide = min(18, max(Content(safe(label)).cell_length for label, _, _ in shares))
    room = max(4, (width - wide - 18) // 2)
    top = max(max(before, after) for _, before, after in shares) or 1.0
    head = f"{'':<{wide}}  {padded(_('before'), room + 7)}  {_('after')}"
    lines = [Content.styled(head, "$muted")]
    for label, before, after in shares:
        bars = [fitted(Content(bar_of(part / top, room)), room) for part in (before, after)]
        said = [f"{share(part):>6}" for part in (before, after)]
        lines.append(
            Content.assemble(
                fitted(drawable(label), wide), "  ", bars[0].stylize("$muted"), f" {said[0]}  ",
                bars[1].stylize("$busy"), f" {said[1]}",
            )
        )  # fmt: skip
    return Content("\n").join(lines)


def listing_title(listing: Listing) -> str:
    """Return what a list of rows holds: ``Rows that changed in delay``, ``Removed rows``."""
    if listing.column and listing.change in ("", "changed"):
        return _("Rows that changed in {column}").format(column=listing.column)
    return _("{change} rows").format(change=listing.change.title()) if listing.change else _("Rows that differ")


def row_columns(found: Diff, listing: Listing) -> list[Col]:
    """Return the columns of a list of rows: the kind, the key, and what differs."""
    keys = [Col(_("key {name}").format(name=name), safe(name, limit=24), most=30, data=True) for name in found.key]
    if not listing.column:
        return [Col("change", "±"), *keys, Col("values", "what differs", flex=True)]
    column = found.column(listing.column)
    right = column is not None and column.nature == "numeric"
    name = safe(listing.column, limit=24)
    sides = [
        Col("before", _("{name} before").format(name=name), right=right),
        Col("after", _("{name} after").format(name=name), right=right),
    ]
    return [Col("change", "±"), *keys, *sides, *([Col("difference", right=True)] if right else [])]


def row_cells(found: Diff, listing: Listing, place: int, row: DiffRow) -> Row:
    """Return one row that differs."""
    sign, style = MARKS[row.change]
    keys = [row.key[name] for name in found.key]
    head: list[Cell] = [Content.styled(sign, style), *map(data_cell, keys)]
    if not listing.column:
        return Row(str(place), [*head, row_words(row)], [row.change, *keys, row_words(row)])
    was, now = ((side or {}).get(listing.column) for side in (row.before, row.after))
    cells: list[Cell] = [data_cell(was), data_cell(now)]
    column = found.column(listing.column)
    if column is None or column.nature != "numeric":
        return Row(str(place), [*head, *cells], [row.change, *keys, was, now])
    start, end = amount(was), amount(now)
    difference = end - start if start is not None and end is not None else None
    return Row(str(place), [*head, *cells, difference_words(difference)], [row.change, *keys, was, now, difference])


def amount(value: Value) -> int | float | None:
    """Return a value that can be subtracted, else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def difference_words(value: float | None) -> str:
    """Return a difference with its sign, as short as it is right."""
    if value is None:
        return MISSING
    return f"+{figure(value)}" if value > 0 else figure(value)


PSI_TEXT = (
    "The population stability index compares how all rows are spread over bins: sum of (after − before) · ln(after / "
    "before) over the shares, in nats; 0 when nothing moved. Numbers are cut into the bins of [monitor] (ten, unless "
    "lemnis.toml says otherwise) that hold equally many rows before; of texts the 30 commonest have a bin each. Rows "
    "without a value are a bin. watch and drift are the bounds of [monitor], or what two samples of one distribution "
    "stay below in 999 of 1,000 cases where that is more.\n\n"
    "changed: rows that both versions have, by the key, and that hold another value; null equals null, and 2 equals "
    "2.0. shift: how far the mean of all rows moved, in standard deviations before (of true and false: in percentage "
    "points). +CODE is in the version after alone, −CODE in the one before alone; whole numbers with at most 100 "
    "different values are codes too. Rows with one key are paired equal ones first, then in their order.\n\n"
    "Command: lemnis data diff BEFORE AFTER, --column NAME for the rows, --export FILE."
)
