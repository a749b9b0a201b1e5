"""Linear: what a tab shows as plain lines in reading order, for screen readers, logs and the plainest terminals.

The tab is made without a screen and asked what it would show: the facts are those of the same reads.
"""

import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence

from rich.text import Text
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, RichLog, Static, TextArea
from textual.worker import WorkerFailed

from lemnis.engine.text import safe
from lemnis.tui.app import Console
from lemnis.tui.bugs import Bug
from lemnis.tui.format import MISSING, number
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages import BY_NAME
from lemnis.tui.widgets.cells import Row, drawable
from lemnis.tui.widgets.chart import Chart
from lemnis.tui.widgets.grid import Grid
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table

MOST_ROWS = 50  # of one table
SIZE = (200, 60)  # of the screen that is not there: nothing is left out for want of room
SETTLED = 3  # what one read shows may ask for another
UNSEEN = ("keys", "sign")  # what helps only on a screen


def lines_of(widget: Widget) -> Iterator[str]:
    """Return what a widget and all that is in it show, a fact a line, in the order they are read."""
    if not widget.display or any(widget.has_class(name) for name in UNSEEN):
        return
    if isinstance(widget, Panel):
        titles = [plain(words) for words in widget.said]
        yield ""
        yield f"# {' · '.join(filter(None, titles)) or widget.id or 'Panel'}"
    if isinstance(widget, Table):
        yield from table_lines(widget)
        return
    if isinstance(widget, Grid):
        yield from widget.copy_text("m").splitlines()[: MOST_ROWS + 2]
        return
    if isinstance(widget, Chart):
        yield from chart_lines(widget)
    elif not widget.children:
        yield from text_lines(widget)
    for child in widget.children:
        yield from lines_of(child)


def table_lines(table: Table) -> Iterator[str]:
    """Return a table's rows, each cell with its column's name; what has no value is left out."""
    if not table.total:
        yield plain(keyed(_(table.empty)))
        return
    labels = [plain(column.said) or column.name for column in table.columns]
    for row in table.rows[:MOST_ROWS]:
        yield row_line(labels, row)
    if table.total > MOST_ROWS:
        yield _("and {total:,} more rows").format(total=table.total - MOST_ROWS)


def row_line(labels: Sequence[str], row: Row) -> str:
    """Return one row as `label: value; label: value`."""
    values = [plain(drawable(cell).plain) for cell in row.cells]
    pairs = [f"{label}: {value}" for label, value in zip(labels, values, strict=False) if value not in ("", MISSING)]
    return "; ".join(pairs)


def chart_lines(chart: Chart) -> Iterator[str]:
    """Return the course of each line of a chart in words."""
    for series in chart.series:
        points = [(x, y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
        if points:
            low, high = min(y for _, y in points), max(y for _, y in points)
            course = _("first {point}, last {point2}").format(point=number(points[0][1]), point2=number(points[-1][1]))
            yield _("{name}: {points} points, {course}, lowest {low}, highest {high}").format(
                name=plain(series.name), points=len(points), course=course, low=number(low), high=number(high)
            )


def text_lines(widget: Widget) -> Iterator[str]:
    """Return the lines of a widget of text."""
    if isinstance(widget, Input):
        text = widget.value
    elif isinstance(widget, TextArea):
        text = widget.text
    elif isinstance(widget, RichLog):
        text = "\n".join(strip.text for strip in widget.lines)
    else:
        shown: object = widget.content if isinstance(widget, Static) else widget.render()
        text = shown.plain if isinstance(shown, Content | Text) else shown if isinstance(shown, str) else ""
    yield from (line for line in map(plain, text.splitlines()) if line)


def plain(text: str) -> str:
    """Return a text without what is drawn: lines, blocks, dots and the signs before words."""
    return " ".join("".join(" " if drawn(sign) else sign for sign in text).split())


def drawn(sign: str) -> bool:
    """Say whether a character is a picture; what stands for a control character is not."""
    return sign > "\x7f" and unicodedata.category(sign) in ("So", "Sk") and not "␀" <= sign <= "␦"


class Unseen(Console):
    """A console that nobody sees: what goes wrong in it is raised, not drawn.

    Attributes:
        failure: The bug that was met first.
    """

    failure: Exception | None = None

    def unread(self) -> BaseException | None:
        """Return the bug for which the tab was not read; a load may have ended before it was waited for."""
        failed = self.stage.failed if self.stage is not None else None
        return failed.__cause__ if isinstance(failed, Bug) else None

    def _fatal_error(self) -> None:
        self.failure = self._exception  # `run_test` raises it at its end only
        self._close_messages_no_wait()


async def tabs_told(app: Unseen, names: Sequence[str]) -> AsyncIterator[str]:
    """Return what each of these tabs shows, after its name and state; a bug in one is raised as it is."""
    states = {state.name: state for state in app.engine.lifecycle.stages()}
    async with app.run_test(size=SIZE) as pilot:
        for name in names:
            await app.open_stage(name)
            for _ in range(SETTLED):
                await read(app)
                await pilot.pause()
                if bug := app.failure or app.unread():
                    raise bug
            state = states.get(name)
            yield (
                f"{BY_NAME[name].said}: {state.state}. {plain(told(state.why))}".strip()
                if state
                else BY_NAME[name].said
            )
            if app.stage is not None:
                for line in lines_of(app.stage):
                    yield safe(line)
            yield ""


async def read(app: Unseen) -> None:
    """Wait until everything that is read in threads is read; raises what was raised there."""
    try:
        await app.workers.wait_for_complete()
    except WorkerFailed as failed:
        raise failed.error from None
