"""What is said of two versions compared: counts, columns, distributions and single rows, as cells and text. Pure."""

from textual.content import Content

from lemnis.engine.data.diff import Change, ColumnDiff, Diff, DiffRow
from lemnis.engine.data.plain import Cell as Value
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, figure, number, share, styled, verdict
from lemnis.tui.widgets import Cell, Col, Row, data_cell

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


def diff_facts(found: Diff) -> list[tuple[str, Cell]]:
    """Return what is compared and how many rows became what."""
    sides = ((found.before_title, found.before_rows), (found.after_title, found.after_rows))
    titles = f" {ARROW} ".join(f"{title} ({number(rows)} rows)" for title, rows in sides)
    facts: list[tuple[str, Cell]] = [("versions", titles), ("by", key_words(found))]
    if found.identical:
        facts.append(
            ("rows", Content.assemble(("● ", "$ok"), f"the two versions are the same, {number(found.same)} rows"))
        )
        return facts
    facts.append(("rows", counts_content(found)))
    changed = [column for column in found.columns if column.schema]
    if changed:
        said = ", ".join(f"{column.name} {schema_words(column)}" for column in changed[:6])
        more = f" and {len(changed) - 6} more" if len(changed) > 6 else ""
        facts.append(("columns", Content.assemble(("▲ ", "$warn"), safe(said, limit=300) + more)))
    return facts


def key_words(found: Diff) -> str:
    """Return what says which rows are the same, and what is odd about it."""
    if not found.key:
        return "whole rows: no key is declared (dataset.key) or given, so a row that changed is removed and added"
    repeated = [
        f"{number(rows)} rows of {title} repeat one"
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
    parts.append(Content.styled(f"= {number(found.same)} same", "$muted"))
    return Content("   ").join(parts)


def schema_words(column: ColumnDiff) -> str:
    """Return what became of a column itself; empty when nothing did."""
    if column.schema == "retyped" and column.before and column.after:
        as_text = ", compared as text" if column.nature == "text" else ""
        return f"was {column.before.type}, is {column.after.type}{as_text}"
    return {"added": "is new", "removed": "is gone"}.get(column.schema, "")


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
        MISSING if column.psi is None else number(column.psi),
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
        named = [f"{sign}{safe(code.value, limit=20) or '(empty)'}" for code in codes[:CODES_SAID]]
        if total > CODES_SAID:
            named.append(f"{sign}{number(total - CODES_SAID)} more")
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
    return safe(text, limit=VALUE) if text else "(empty)"
