"""The distinct values of a column under the filters: counts, shares, a search, bins; enter filters the rows by them."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine import LemnisError
from lemnis.engine.errors import Cancelled
from lemnis.engine.explore import Count, Counted, Filter, Values, View, chosen
from lemnis.engine.explore.values import By
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.format import number, share
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Panel, PromptLine, Row, Table, Words, value_bar, value_cell
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.windows import PAGE

COLUMNS = (
    Col("value", most=48),
    Col("rows", right=True, width=12),
    Col("share", right=True, width=7),
    Col("bar", "", width=20),
    Col("upto", "up to here", right=True, width=10),
)
NARROW = tuple(one for one in COLUMNS if one.name != "upto")


class Asked(NamedTuple):
    """Which values are listed: in which order, and those that hold a text."""

    by: By
    descending: bool | None
    search: str

    def page(self, values: Values, offset: int, limit: int) -> Counted:
        """Return some of them from a place on."""
        return values.page(offset, limit, by=self.by, descending=self.descending, search=self.search)


class ValuesScreen(Dialog[Filter | None]):
    """One column's values; dismisses with the filter that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("v", "bins", "Bins", show=False),
        Binding("equals_sign", "take", "Only these", show=False),
        Binding("exclamation_mark", "take(True)", "Not these", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Told(Message):
        """So much of the version is read."""

        part: float

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ValuesScreen.Told)

    @dataclass
    class Ready(Message):
        """The values are counted, and the first of them read."""

        values: Values
        first: Counted
        asked: Asked

    @dataclass
    class Refused(Message):
        """They could not be counted."""

        error: LemnisError

    def __init__(self, view: View, column: str, *, binned: bool = False) -> None:
        super().__init__(classes="values")
        self.view, self.column, self.binned = view, column, binned
        self.by: By = "value" if binned else "rows"
        self.descending: bool | None = None
        self.search = ""
        self.values: Values | None = None
        self._counting: Values | None = None
        self._lines: dict[str, Count] = {}

    def compose(self) -> ComposeResult:
        with Vertical():
            with Panel(self.column, id="values-panel"):
                yield Table(*COLUMNS, id="values", empty=_("Counting …"))
            yield PromptLine("/", id="values-search")
        yield Words(keys_line(), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self.count()

    def on_unmount(self) -> None:
        if self._counting is not None:
            self._counting.stop()
        if self.values is not None:
            self.values.stop()
            self.values.close()

    def count(self) -> None:
        """Count the values, or the bins, in a thread."""
        if self._counting is not None:
            self._counting.stop()
        values = self._counting = Values(self.view, self.column, binned=self.binned)
        table = self.query_one(Table)
        table.empty = _("Counting …")
        asked = self.asked()

        def tell(part: float) -> None:
            self.post_message(self.Told(part))

        def work() -> None:
            try:
                values.count(tell)
                first = asked.page(values, 0, PAGE)
            except Cancelled:
                values.close()
            except LemnisError as error:
                values.close()
                self.post_message(self.Refused(error))
            else:
                self.post_message(self.Ready(values, first, asked))

        self.run_worker(work, group="values", thread=True, exit_on_error=False)

    @on(Told)
    def say_progress(self, message: Told) -> None:
        self.query_one("#values-panel", Panel).footnote(_("counting {part}").format(part=share(message.part, 0)))

    @on(Refused)
    def say_refusal(self, message: Refused) -> None:
        self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)
        if self.values is None:
            self.dismiss(None)
        else:
            self.binned = self.values.binned

    @on(Ready)
    def show_values(self, message: Ready) -> None:
        if message.values is not (self._counting or self.values):  # others are counted by now
            if message.values is not self.values:
                message.values.close()
            return
        counted = message.values is self._counting
        if counted and self.values is not None:
            self.values.close()
        self.values, self._counting = message.values, None
        if message.asked == self.asked():
            self.draw(message.first)
        elif counted:  # what was asked for meanwhile waits for nobody else
            self.again()

    def draw(self, first: Counted) -> None:
        """Show the values from the first on; the others are read as they are scrolled to."""
        values = self.values
        if values is None:
            return
        table = self.query_one(Table)
        table.set_columns(NARROW if self.size.width < 90 else COLUMNS)
        table.empty = _("No value fits.") if self.search else _("There is no row.")
        table.sorted_by = (self.by, (self.by == "rows") if self.descending is None else self.descending)
        self._lines = {}
        asked = self.asked()

        def fetch(offset: int, limit: int) -> list[Row]:
            part = first if offset == 0 else asked.page(values, offset, limit)
            return [self.line(part.offset + place, one, values) for place, one in enumerate(part.counts)]

        table.mark_only([])
        table.cursor = 0
        table.show_window(first.listed, fetch)
        panel = self.query_one("#values-panel", Panel)
        panel.retitle(self.column, values_words(values, first, self.search))
        panel.footnote(
            ""
            if first.listed == first.total
            else _("the first {listed}; search for others").format(listed=number(first.listed))
        )

    def line(self, place: int, one: Count, values: Values) -> Row:
        """Return one value as a line."""
        of = max(1, values.rows)
        key = str(place)
        self._lines[key] = one
        cells = {
            "value": value_cell(one.value),
            "rows": number(one.rows),
            "share": share(one.rows / of),
            "bar": value_bar(one.rows / of, 20),
            "upto": share(one.upto / of),
        }
        raw = {"value": one.value, "rows": one.rows, "share": one.rows / of, "bar": None, "upto": one.upto / of}
        names = [column.name for column in self.query_one(Table).columns]
        return Row(key, [cells[name] for name in names], [raw[name] for name in names])

    @on(Table.Sorted)
    def sort(self, message: Table.Sorted) -> None:
        """Order by rows or by value."""
        message.stop()
        self.by = "value" if message.column == "value" else "rows"
        self.descending = message.descending
        self.again()

    def asked(self) -> Asked:
        """Return which of the values are wished for, and in which order."""
        return Asked(self.by, self.descending, self.search)

    def again(self) -> None:
        """Read the first values in another order or by another search."""
        values = self.values
        if values is None:
            return
        asked = self.asked()

        def work() -> None:
            try:
                first = asked.page(values, 0, PAGE)
            except LemnisError as error:
                answer(self.post_message, self.Refused(error))
            else:
                answer(self.post_message, self.Ready(values, first, asked))

        self.run_worker(work, group="values-again", thread=True, exclusive=True, exit_on_error=False)

    def action_search(self) -> None:
        self.query_one(PromptLine).open(self.search, "a part of the value, or ^ and its start")

    @on(PromptLine.Entered)
    @on(PromptLine.Typed)
    def searched(self, message: PromptLine.Entered | PromptLine.Typed) -> None:
        """Narrow the values while the text is typed."""
        message.stop()
        if isinstance(message, PromptLine.Entered):
            self.query_one(PromptLine).close()
            self.query_one(Table).focus()
        if message.text != self.search:
            self.search = message.text
            self.again()

    @on(PromptLine.Left)
    def left(self, message: PromptLine.Left) -> None:
        message.stop()
        self.query_one(Table).focus()

    def action_bins(self) -> None:
        self.binned = not self.binned
        self.by, self.descending, self.search = ("value" if self.binned else "rows"), None, ""
        self.count()

    @on(Table.Opened)
    def opened(self, message: Table.Opened) -> None:
        message.stop()
        self.action_take()

    def action_take(self, exclude: bool = False) -> None:
        """Filter by the marked values, or by the one under the cursor."""
        table = self.query_one(Table)
        lines = [self._lines[key] for key in (table.marks or [table.key]) if key in self._lines]
        if not lines:
            return
        one = chosen(self.column, lines)
        if exclude and one.op == "within":
            self.notify(_("Bins can be chosen, not left out; press v for the values."), markup=False)
            return
        self.dismiss(Filter(column=one.column, op="not in", values=one.values) if exclude else one)

    def action_leave(self) -> None:
        if self.search:
            self.search = ""
            self.again()
        else:
            self.dismiss(None)


def values_words(values: Values, part: Counted, search: str) -> str:
    """Return in words what was counted."""
    noun = _("bins") if values.binned else _("distinct")
    found = (
        _("{total} of {distinct} {noun} with {search}").format(
            total=number(part.total), distinct=number(values.distinct), noun=noun, search=safe(search)
        )
        if search
        else f"{number(values.distinct)} {noun}"
    )
    missing = (
        " "
        + _("· missing {missing} ({missing2})").format(
            missing=number(values.missing), missing2=share(values.missing / max(1, values.rows))
        )
        if values.missing
        else ""
    )
    return _("{found} in {rows} rows{missing}").format(found=found, rows=number(values.rows), missing=missing)


def keys_line() -> Content:
    """Return the screen's keys."""
    keys = (
        ("enter", _('rows with it')), ("!", _('rows without')), ("space", "mark"), ("/", "search"),
        ("v", "bins"), ("s S", "sort"), ("esc", "back"),
    )  # fmt: skip
    return Content("").join([Content.assemble((f" {key} ", "$key"), f"{_(does)} ") for key, does in keys])
