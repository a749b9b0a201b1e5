"""What `K` says of one cell: the definition of its column, after the value that is under the cursor. Pure."""

from collections.abc import Mapping

from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.widgets.cells import plain
from lemnis.tui.widgets.table import Table

LONGEST = 40  # characters of a value in the title


def cell_explained(table: Table | None, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Return title and text of the cell under the cursor of a table, None where its column has no text.

    Args:
        table: The table that has the focus, None without one.
        texts: What is said of each column, by the table's id and the column's name: ``endpoints.p99``.
    """
    if table is None or not table.columns or table.current is None:
        return None
    column = table.columns[table.column]
    text = texts.get(f"{table.id}.{column.name}")
    if text is None:
        return None
    cells = table.current.cells
    value = safe(plain(cells[table.column]).strip(), limit=LONGEST) if table.column < len(cells) else ""
    return f"{column.said} · {value}" if value else column.said, _(text)
