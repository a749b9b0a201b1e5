"""The pane of what is missing together: a line a pattern, and the names of the one under the cursor in full."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from lemnis.engine.explore import Missingness, MissingPattern
from lemnis.engine.text import safe
from lemnis.tui.format import number, share
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Panel, Row, Table, Words

BAR_CELLS = 16
COLUMNS = (
    Col("rows", right=True, width=11),
    Col("share", right=True, width=7),
    Col("bar", "of all rows", width=BAR_CELLS),
    Col("many", "columns", right=True, width=7),
    Col("names", "missing together", most=200, flex=True),
)
NARROW = tuple(column for column in COLUMNS if column.name != "bar")


class MissingPane(Panel):
    """Which columns have no value in the same rows."""

    @dataclass
    class RowsWanted(Message):
        """The rows of a pattern are asked for."""

        found: Missingness
        pattern: MissingPattern

    def __init__(self, *, id: str) -> None:
        super().__init__(_("Missing together"), id=id)
        self.found: Missingness | None = None

    def compose(self) -> ComposeResult:
        yield Table(*COLUMNS, id="missing", empty=_("Not profiled yet. Press {app.back}, then {explore.profile}."))
        yield Words(id="missing-names")

    def show(self, found: Missingness | None) -> None:
        """Show the patterns of a version; None before it was profiled."""
        self.found = found
        table = self.query_one("#missing", Table)
        columns = NARROW if self.app.screen.has_class("-narrow") else COLUMNS
        table.set_columns(columns)
        table.show([pattern_row(place, found, columns) for place in range(len(found.patterns))] if found else [])
        if found is not None:
            of = (
                _("{rows} rows").format(rows=number(found.rows))
                if found.exact
                else _("~ sample of {rows} rows").format(rows=number(found.rows))
            )
            many = _("{patterns} of {total} patterns").format(patterns=len(found.patterns), total=number(found.total))
            self.retitle(
                _("Missing together"),
                _("{many} in {candidates} columns · {of}").format(many=many, candidates=len(found.candidates), of=of),
            )
        self._show_names()

    @on(Table.Moved, "#missing")
    def _show_names(self) -> None:
        pattern = self._pattern()
        self.query_one("#missing-names", Words).say(names_content(pattern, self.found) if pattern else "")

    @on(Table.Opened, "#missing")
    def open_rows(self) -> None:
        pattern = self._pattern()
        if self.found is not None and pattern is not None:
            self.post_message(self.RowsWanted(self.found, pattern))

    def _pattern(self) -> MissingPattern | None:
        key = self.query_one("#missing", Table).key
        return self.found.patterns[int(key)] if self.found is not None and key else None


def pattern_row(place: int, found: Missingness, columns: Sequence[Col] = COLUMNS) -> Row:
    """Return one pattern as a line: rows, share, bar, how many columns and which."""
    pattern = found.patterns[place]
    part = pattern.rows / max(1, found.rows)
    full = max(1, round(part * BAR_CELLS))
    names = ", ".join(safe(name) for name in pattern.columns)
    cells = {
        "rows": number(pattern.rows),
        "share": share(part),
        "bar": Content.assemble(("▰" * full, "$warn" if names else "$ok"), ("▱" * (BAR_CELLS - full), "$faint")),
        "many": number(len(pattern.columns)),
        "names": Content(names) if names else Content.styled(_("nothing: the rows are complete"), "$muted"),
    }
    values = {"rows": pattern.rows, "share": part, "bar": part, "many": len(pattern.columns), "names": names}
    return Row(str(place), [cells[column.name] for column in columns], [values[column.name] for column in columns])


def names_content(pattern: MissingPattern, found: Missingness | None) -> Content:
    """Return the names of a pattern in full, and those that are present in its rows."""
    if not pattern.columns:
        return Content.styled(_("In these rows every column has a value."), "$muted")
    gone = Content(", ".join(safe(name) for name in pattern.columns))
    there = [name for name in found.candidates if name not in pattern.columns] if found else []
    rest = "   " + _("present: {name}").format(name=", ".join(safe(name) for name in there)) if there else ""
    return Content.assemble((f"{_('missing:')} ", "$warn"), gone, (rest, "$muted"))
