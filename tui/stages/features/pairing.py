"""Two columns side by side, on a screen of its own: a cloud, a table, or one box a category, with every measure."""

from collections.abc import Sequence

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.features import PairDetail
from lemnis.engine.features.records import MEASURES
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.format import MISSING, figure, share, verdict
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.features.rows import fixed
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.cells import drawable, fitted
from lemnis.tui.widgets.dialog import Dialog

SHADES = " ░▒▓█"
LABEL, AMOUNT, CELL = 14, 9, 6


class PairScreen(Dialog[None]):
    """Asks the engine for two columns and draws what comes back; escape goes back at once."""

    BINDINGS = [Binding("escape,q,enter", "dismiss", "Back", show=False)]

    class Measured(Message):
        """The engine answered, or refused."""

        def __init__(self, detail: PairDetail | None, error: LemnisError | None) -> None:
            super().__init__()
            self.detail, self.error = detail, error

    def __init__(self, engine: Engine, version_id: str, first: str, second: str) -> None:
        super().__init__()
        self.engine, self.version_id, self.first, self.second = engine, version_id, first, second

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog pair"):
            title = f"{safe(self.first, limit=60)} × {safe(self.second, limit=60)}"
            yield Words(Content.styled(title, "bold $stage-accent"))
            with VerticalScroll():
                yield Words(verdict("computing").content, id="pair")
            yield Words(Content.assemble((" esc ", "$key"), f" {_('back')}"), classes="keys")

    def on_mount(self) -> None:
        self.measure()

    @work(thread=True, exclusive=True, exit_on_error=False, group="pair")
    def measure(self) -> None:
        """Ask the engine."""
        try:
            detail = self.engine.features.pair(self.version_id, self.first, self.second)
        except LemnisError as error:
            answer(self.post_message, self.Measured(None, error))
        else:
            answer(self.post_message, self.Measured(detail, None))

    def on_pair_screen_measured(self, message: Measured) -> None:
        words = self.query_one("#pair", Words)
        if message.detail is not None:
            words.say(pair_content(message.detail))
        elif message.error is not None:
            words.say(f"{told(message.error.problem)}\n{told(message.error.remedy)}")


def pair_content(detail: PairDetail) -> Content:
    """Return the measures and the picture of two columns."""
    said = [
        Content.assemble((f"{told(MEASURES[name])} ", "bold" if name == detail.measure else "$muted"), fixed(value, 4))
        for name, value in detail.measures.items()
        if value is not None
    ]
    rows = _("{rows:,} sampled rows").format(rows=detail.rows) + (
        _(", {missing:,} more lack one of them").format(missing=detail.missing) if detail.missing else ""
    )
    lines = [Content("   ").join(said), Content.styled(rows, "$muted"), Content("")]
    if detail.grid:
        lines += cloud_lines(detail)
    elif detail.boxes:
        lines += box_lines(detail)
    elif detail.counts:
        lines += table_lines(detail)
    return Content("\n").join(lines)


def cloud_lines(detail: PairDetail) -> list[Content]:
    """Return two numbers as a cloud: the second rises upwards; darker is more rows, on a scale of square roots."""
    most = max(max(line) for line in detail.grid) or 1
    lines = [Content.styled(f"↑ {safe(detail.second, limit=60)}", "$muted")]
    for place, line in enumerate(detail.grid):
        end = {0: detail.up[1], len(detail.grid) - 1: detail.up[0]}.get(place)
        label = f"{figure(end) if end is not None else '':>{AMOUNT}} │"
        lines.append(Content.assemble((label, "$muted"), ("".join(shade(count, most) for count in line), "$busy")))
    low, high = figure(detail.across[0]), figure(detail.across[1])
    width = len(detail.grid[0])
    lines.append(Content.styled(f"{'':>{AMOUNT}} └{'─' * width}", "$muted"))
    axis = f"{low}{safe(detail.first, limit=40) + ' →':^{max(1, width - len(low) - len(high))}}{high}"
    lines.append(Content.styled(f"{'':>{AMOUNT}}  {axis}", "$muted"))
    return lines


def shade(count: int, most: int) -> str:
    """Return the glyph of a cell; a single row is seen."""
    if not count:
        return " "
    return SHADES[1 + min(3, int((count / most) ** 0.5 * 4))]


def box_lines(detail: PairDetail, width: int = 36) -> list[Content]:
    """Return a number as one box a category: ├ 5 %, ▐ 25 %, ┃ median, ▌ 75 %, ┤ 95 %."""
    low = min(box.quantiles[0] for box in detail.boxes)
    high = max(box.quantiles[-1] for box in detail.boxes)
    head = f"{'':<{LABEL}} {figure(low)}{figure(high):>{max(1, width - len(figure(low)))}}   median    rows"
    lines = [Content.styled(head, "$muted")]
    for box in detail.boxes:
        name = fitted(drawable(box.name or MISSING), LABEL)
        tail = f" {figure(box.quantiles[2]):>8} {box.rows:>7,}"
        lines.append(Content.assemble(name, " ", (drawn_box(box.quantiles, low, high, width), "$busy"), tail))
    return lines


def drawn_box(quantiles: Sequence[float], low: float, high: float, width: int) -> str:
    """Return a box over a scale from `low` to `high`."""
    places = [round((value - low) / ((high - low) or 1.0) * (width - 1)) for value in quantiles]
    cells = [" "] * width
    for at in range(places[0], places[4] + 1):
        cells[at] = "─"
    for at in range(places[1], places[3] + 1):
        cells[at] = "▒"
    cells[places[0]], cells[places[4]] = "├", "┤"
    cells[places[2]] = "┃"
    return "".join(cells)


def table_lines(detail: PairDetail) -> list[Content]:
    """Return two categories as a table: of each line's rows the share in each column, and how many rows it has."""
    head = "".join(f" {fitted(drawable(name), CELL, right=True).plain}" for name in detail.columns)
    lines = [Content.styled(f"{'':<{LABEL}}{head}    rows", "$muted")]
    for name, counts in zip(detail.lines, detail.counts, strict=True):
        total = sum(counts)
        if not total:
            continue
        cells = [Content.assemble(" ", (f"{share(count / total):>{CELL}}", heat(count / total))) for count in counts]
        lines.append(
            Content.assemble(fitted(drawable(name or MISSING), LABEL), Content("").join(cells), f" {total:>7,}")
        )
    return lines


def heat(part: float) -> str:
    """Return the style of a share: what is most of a line stands out."""
    return "bold $stage-accent" if part >= 0.5 else "$foreground" if part >= 0.1 else "$muted"
