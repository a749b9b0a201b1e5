"""Facets: the most frequent values of some columns in the rows that are shown, with bars; enter filters by one."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from lemnis.engine import LemnisError
from lemnis.engine.explore import Count, Counted, Filter, Values, View, chosen
from lemnis.engine.text import safe
from lemnis.tui.format import number, share
from lemnis.tui.language import _
from lemnis.tui.widgets import Cell, Col, Panel, Row, Table, value_bar, value_cell

COLUMNS = (Col("value", "value", most=16, flex=True), Col("rows", right=True, width=11), Col("share", "", width=12))
BAR = 6
MOST, LINES = 3, 8  # columns at once, values of each


class FacetsPane(Panel):
    """Counts its columns whenever the rows are others.

    Attributes:
        columns: Their names, the first added first.
    """

    @dataclass
    class Chosen(Message):
        """A value was chosen."""

        filter: Filter

    @dataclass
    class Counted(Message):
        """One column is counted."""

        view: View
        facet: "Facet"

    def __init__(self) -> None:
        super().__init__(_("Facets"), id="facets-panel")
        self.columns: list[str] = []
        self._view: View | None = None
        self._facets: dict[str, Facet] = {}

    def compose(self) -> ComposeResult:
        yield Table(*COLUMNS, id="facets", empty=_("Counting …"))

    def toggle(self, name: str) -> None:
        """Add a column, or leave it out; of too many the first one goes."""
        others = [column for column in self.columns if column != name]
        self.columns = others if name in self.columns else [*others, name][-MOST:]

    def count(self, view: View) -> None:
        """Count the columns in these rows, in a thread."""
        if view is not self._view:
            self._view, self._facets = view, {}
        self.draw()
        absent = [name for name in self.columns if name not in self._facets]

        def counted(name: str) -> Facet:
            with closing(Values(view, name)) as values:

                def tell(_: float) -> None:
                    if view is not self._view:
                        values.stop()

                values.count(tell)
                return Facet(values, values.page(0, LINES))

        def work() -> None:
            try:
                for name in absent:
                    if view is self._view:
                        self.post_message(self.Counted(view, counted(name)))
            except LemnisError:
                return  # other rows are wanted; what is wrong with a filter its search has said

        if absent:
            self.run_worker(work, group="facets", thread=True, exit_on_error=False)

    @on(Counted)
    def take(self, message: Counted) -> None:
        """Draw a column, unless the rows are others by now."""
        message.stop()
        if message.view is self._view:
            self._facets[message.facet.values.column] = message.facet
            self.draw()

    def draw(self) -> None:
        """Draw what is counted."""
        self.query_one(Table).show(facet_rows(self.columns, self._facets))

    @on(Table.Opened)
    def choose(self, message: Table.Opened) -> None:
        """Say which value was chosen."""
        message.stop()
        found = picked(message.key, self.columns, self._facets)
        if found is not None:
            self.post_message(self.Chosen(chosen(*found)))


class Facet(Struct, frozen=True):
    """A column's counted values, and the most frequent of them."""

    values: Values
    part: Counted


def facet_rows(columns: Sequence[str], facets: Mapping[str, Facet]) -> list[Row]:
    """Return a heading and the values of each column; one that is not counted yet says so."""
    found: list[Row] = []
    for place, name in enumerate(columns):
        facet = facets.get(name)
        heading = Content.styled(_("counting …") if facet is None else number(facet.values.distinct), "$muted")
        found.append(Row(f"{place}", [Content.styled(safe(name), "bold $stage-accent"), heading, ""]))
        if facet is None:
            continue
        found += [
            Row(f"{place} {line}", facet_cells(one, facet.values.rows)) for line, one in enumerate(facet.part.counts)
        ]
        rest = facet.part.total - len(facet.part.counts)
        if rest > 0:
            rows = facet.values.rows - facet.part.counts[-1].upto
            words = Content.styled("  " + _("{rest} more: f").format(rest=number(rest)), "$muted")
            found.append(Row(f"{place} rest", [words, Content.styled(number(rows), "$muted"), ""]))
    return found


def facet_cells(one: Count, rows: int) -> list[Cell]:
    """Return one value: its name, its rows, its share as a bar."""
    part = one.rows / max(1, rows)
    return [
        Content("  ") + value_cell(one.value),
        number(one.rows),
        Content.assemble(value_bar(part, BAR), f" {share(part, 0):>4}"),
    ]


def picked(key: str, columns: Sequence[str], facets: Mapping[str, Facet]) -> tuple[str, list[Count]] | None:
    """Return the column and the value that a line stands for; None for a heading."""
    place, _, line = key.partition(" ")
    facet = facets.get(columns[int(place)]) if place.isdecimal() and int(place) < len(columns) else None
    if facet is None or not line.isdecimal():
        return None
    return facet.values.column, [facet.part.counts[int(line)]]
