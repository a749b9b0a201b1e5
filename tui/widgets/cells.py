"""Cells of a table: columns and rows as records, and how a cell is measured, drawn, sorted and copied. Pure."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeGuard, cast
from weakref import WeakKeyDictionary

from msgspec import Struct, json
from msgspec.structs import force_setattr
from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual.app import App
from textual.content import Content, Span
from textual.markup import parse_style
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, figure, number
from lemnis.tui.language import _

Cell: TypeAlias = str | Text | Content
# How the parts of a table look, over the table itself.
PARTS = {
    "header": "bold $muted",
    "current": "bold $stage-accent",
    "cursor": "bold on $cursor",
    "blurred": "on $surface",
    "marked": "$stage-accent",
    "missing": "$muted",
    "cell": "bold reverse $stage-accent",
}
COLOURLESS = {"cursor": "bold reverse", "blurred": "underline"}
LIMIT = 2000  # characters of one cell that are looked at; more can't be seen on any screen


class Col(Struct, frozen=True):
    """One column.

    Attributes:
        name: Its id: what `Sorted` says and the key in copied JSON.
        label: The header, with the unit; the name if empty.
        right: Align right, for numbers.
        width: Cells; 0 for as wide as its widest cell.
        most: Widest it gets by itself.
        flex: Takes what is left of the window (one column at most).
        data: Its label is a name of the data, of a metric or a parameter, which no language translates.
    """

    name: str
    label: str = ""
    right: bool = False
    width: int = 0
    most: int = 40
    flex: bool = False
    data: bool = False

    def __post_init__(self) -> None:
        if not self.label:
            force_setattr(self, "label", self.name)

    @property
    def said(self) -> str:
        """The header in the language of the console."""
        return self.label if self.data else _(self.label)


class Row(Struct, frozen=True):
    """One row: its key, its cells, and optionally what they stand for.

    Attributes:
        key: Unique in the table; the cursor and the marks stay with it.
        cells: One a column; a `str` is data and shown as it is.
        values: Raw values, one a column, to sort by and to copy as JSON; the cells' text if empty.
    """

    key: str
    cells: Sequence[Cell]
    values: Sequence[Any] = ()  # Any: numbers, text, None; whatever the column holds


def drawable(cell: Cell) -> Content:
    """Return a cell as content whose every character is visible and harmless."""
    if isinstance(cell, str):
        return Content(safe(cell, limit=LIMIT))
    content = Content.from_rich_text(cell) if isinstance(cell, Text) else cell
    clean = safe(content.plain)
    return content if clean == content.plain else Content(clean)


def plain(cell: Cell) -> str:
    """Return a cell's text."""
    return safe(cell if isinstance(cell, str) else cell.plain)


def plain_ascii(cell: Cell) -> TypeGuard[str]:
    """Say whether a cell is text of which every character is one cell wide and harmless, as most are."""
    return isinstance(cell, str) and len(cell) <= LIMIT and cell.isascii() and cell.isprintable()


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks to `width` terminal cells, which letters of some languages take two of; never cut."""
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def fitted(content: Content, width: int, *, right: bool = False) -> Content:
    """Return content exactly `width` terminal cells wide, cut with an ellipsis or padded."""
    if content.cell_length > width:
        content = content.truncate(width, ellipsis=True)
    missing = width - content.cell_length
    return content.pad_left(missing) if right else content.pad_right(missing)


def widths_of(columns: Sequence[Col], rows: Sequence[Row], available: int, *, sorted_by: str = "") -> list[int]:
    """Return each column's width in cells; a flexible column takes what is left of `available`.

    The header of the column named `sorted_by` has an arrow behind its label.
    """
    widths: list[int] = []
    for index, column in enumerate(columns):
        cells = [row.cells[index] for row in rows if index < len(row.cells)]
        needed = [len(cell) if plain_ascii(cell) else drawable(cell).cell_length for cell in cells]
        header = cell_len(column.said) + (column.name == sorted_by)
        widths.append(column.width or max(header, min(column.most, max([header, *needed]))))
    for index, column in enumerate(columns):
        if column.flex:
            rest = available - 2 * len(columns) - sum(widths) + widths[index]
            widths[index] = max(cell_len(column.said) + (column.name == sorted_by), rest)
    return widths


def sort_key(row: Row, index: int) -> tuple[int, float, str] | None:
    """Return what a row is sorted by in one column: numbers before text; None for missing, which comes last."""
    if row.values:
        value = row.values[index] if index < len(row.values) else None
    else:
        value = plain(row.cells[index]).strip() if index < len(row.cells) else None
        value = None if value in ("", MISSING) else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool | int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value).casefold())


def ordered(rows: Sequence[Row], index: int, *, descending: bool) -> list[Row]:
    """Return rows sorted by one column; what is missing comes last either way."""
    keyed = [(sort_key(row, index), row) for row in rows]
    known = [(key, row) for key, row in keyed if key is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in known] + [row for key, row in keyed if key is None]


def header_labels(columns: Sequence[Col], widths: Sequence[int], sorted_by: tuple[str, bool] | None) -> list[Content]:
    """Return the headers, each as wide as its column and the gaps beside it; the sorted one has an arrow."""
    labels: list[Content] = []
    for column, width in zip(columns, widths, strict=True):
        arrow = ("▼" if sorted_by[1] else "▲") if sorted_by is not None and sorted_by[0] == column.name else ""
        labels.append(Content(" ") + fitted(Content(column.said + arrow), width, right=column.right) + " ")
    return labels


def row_content(columns: Sequence[Col], widths: Sequence[int], row: Row, gutter: str) -> Content:
    """Return one row as it is drawn: a character for cursor or mark, then the cells."""
    parts, spans, length = [gutter], list[Span](), len(gutter)
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        cell = row.cells[index] if index < len(row.cells) else ""
        if plain_ascii(cell) and len(cell) <= width:
            part = cell.rjust(width) if column.right else cell.ljust(width)
        else:
            content = fitted(drawable(cell), width, right=column.right)
            part = content.plain
            spans += [Span(span.start + length, span.end + length, span.style) for span in content.spans]
        part += "  " if index < len(columns) - 1 else " "
        parts.append(part)
        length += len(part)
    return Content("".join(parts), spans)


class Styles:
    """Styles by their text with the theme's variables resolved; each is parsed once."""

    def __init__(self, variables: dict[str, str], *, colourless: bool = False) -> None:
        self.variables = variables
        self._parts = {**PARTS, **(COLOURLESS if colourless else {})}
        self._known: dict[str, Style] = {}

    def __call__(self, text: str | Style) -> Style:
        if isinstance(text, Style):
            return text
        if text not in self._known:
            self._known[text] = parse_style(text, variables=self.variables)
        return self._known[text]

    def part(self, name: str) -> Style:
        """Return how a part of a table differs from the table."""
        return self(self._parts[name])


WORN: WeakKeyDictionary[App[Any], Styles] = WeakKeyDictionary()  # by app: those of the theme it wears


def styles_for(widget: Widget) -> Styles:
    """Return the styles of the theme that a widget's app wears now."""
    app = cast(App[Any], widget.app)
    styles = WORN.get(app)
    if styles is None or styles.variables is not app.theme_variables:
        styles = WORN[app] = Styles(app.theme_variables, colourless=app.no_color)
    return styles


def strip_of(content: Content, style: Style, styles: Styles) -> Strip:
    """Return content as a strip over a style."""
    parts = content.render(style, end="", parse_style=styles)
    return Strip([Segment(text, (style + part).rich_style) for text, part in parts])


def copied(kind: str, columns: Sequence[Col], rows: Sequence[Row], row: Row | None, column: int) -> str:
    """Return what is copied of a table: ``c`` a cell, ``l`` its column, ``r`` a row, ``j`` its JSON, ``m`` all."""
    if kind == "m":
        return markdown(columns, rows)
    if kind == "l":
        return "\n".join(plain(row.cells[column]) for row in rows if column < len(row.cells))
    if row is None:
        return ""
    if kind == "c":
        return plain(row.cells[column]) if column < len(row.cells) else ""
    return row_json(columns, row) if kind == "j" else "\t".join(plain(cell) for cell in row.cells)


def row_json(columns: Sequence[Col], row: Row) -> str:
    """Return a row as a JSON object by column name."""
    values = row.values or [plain(cell) for cell in row.cells]
    return json.encode(dict(zip((column.name for column in columns), values, strict=False)), enc_hook=str).decode()


def markdown(columns: Sequence[Col], rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table; bars inside cells are escaped."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join("--:" if column.right else "---" for column in columns) + "|"
    body = [line([plain(cell) for cell in row.cells]) for row in rows]
    return "\n".join([line([column.said for column in columns]), rule, *body]) + "\n"


def data_cell(value: object) -> Cell:
    """Return one value of the data: missing as the en dash, a fraction as short as it is right, text as it is."""
    if value is None:
        return Content.styled(MISSING, "$muted")
    if isinstance(value, bool):
        return "true" if value else "false"
    return figure(value) if isinstance(value, float) else str(value)


def numbered_rows(offset: int, rows: Sequence[Sequence[object]]) -> list[Row]:
    """Return a page of data rows, each with its number (from 1) before its cells."""
    return [
        Row(str(offset + place), [number(offset + place + 1), *map(data_cell, row)], [place, *row])
        for place, row in enumerate(rows)
    ]
