"""Small widgets of text: facts, empty states, meters, sparklines, bars and logs; data is never read as markup."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from lemnis.engine.text import safe
from lemnis.tui.actions import key_label
from lemnis.tui.format import MISSING, number, share, spark
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.widgets.cells import Cell, data_cell, drawable, fitted, padded

if TYPE_CHECKING:
    from textual.css.styles import RulesMap


class Words(Static):
    """A Static that never reads markup and redraws only when its text differs."""

    def __init__(self, text: Cell = "", *, id: str | None = None, classes: str | None = None):
        super().__init__(paragraph(text), id=id, classes=classes, markup=False)
        self._said = paragraph(text)

    def say(self, text: Cell) -> None:
        """Show a text; a `str` is data and may have several lines."""
        said = paragraph(text)
        if not said.is_same(self._said):
            self._said = said
            self.update(said, layout=False)
            if not self._as_large():
                self.refresh(layout=True)

    def _as_large(self) -> bool:
        """Say whether the text takes the room it has: then nothing around it is placed and drawn anew."""
        styles, (width, height) = self.styles, self.content_size
        if not width or styles.is_auto_width:
            return False
        return (
            not styles.is_auto_height or self.visual.get_height(cast("RulesMap", styles), width) == height
        )  # as Textual asks


class Facts(Words):
    """A grid of label and value: labels muted and aligned, values as they come."""

    def show(self, facts: Sequence[tuple[str, Cell]]) -> None:
        """Show pairs of label and value, one a line; a missing value is an en dash, a value cut to the width."""
        wide = max((cell_len(label) for label, _value in facts), default=0)
        lines = [
            Content.assemble((f"{padded(label, wide)}  ", "$muted"), drawable(value) if plain_of(value) else MISSING)
            for label, value in facts
        ]
        self.say(Content("\n").join(lines))


class Empty(Words):
    """What a place says while there is nothing: one sentence, and the one key that changes it."""

    def __init__(self, sentence: str = "", key: str = "", does: str = "", *, id: str | None = None):
        super().__init__(self.words(sentence, key, does), id=id, classes="empty")

    @staticmethod
    def words(sentence: str, key: str = "", does: str = "") -> Content:
        said = Content.styled(safe(keyed(sentence)), "$muted")
        if not key:
            return said
        return Content.assemble(said, "\n\n", (f" {key_label(key)} ", "$key"), f"  {does}")

    def show(self, sentence: str, key: str = "", does: str = "") -> None:
        self.say(self.words(sentence, key, does))


class Keys(Words):
    """The line of keys at a screen's foot; where not all fit, the last two stay: help and the way out."""

    def __init__(self, *keys: tuple[str, str], id: str | None = None):
        super().__init__(id=id, classes="keys")
        self._keys = keys

    def show(self, *keys: tuple[str, str]) -> None:
        """Show keys, each with what it does, those that matter most first, help and the one that leaves last."""
        self._keys = keys
        self.on_resize()

    def on_resize(self) -> None:
        parts = [Content.assemble((f" {key} ", "$key"), f"{_(does)} ") for key, does in self._keys]
        room = self.size.width + 1  # the blank after the last need not be seen
        while len(parts) > 2 and sum(part.cell_length for part in parts) > room:
            del parts[-3]
        self.say(Content("").join(parts))


class Meter(Widget):
    """One line: label, a bar for a share of 1, and the value in words."""

    def __init__(self, label: str = "", *, label_width: int = 8, id: str | None = None, classes: str | None = None):
        super().__init__(id=id, classes=classes)
        self.label, self.label_width = label, label_width
        self._shown: tuple[float | None, str, str] = (None, MISSING, "$busy")

    def show(self, value: float | None, text: str = "", *, warn: float = 0.85, bad: float = 0.95) -> None:
        """Show a share.

        Args:
            value: 0..1; None draws an empty bar and the en dash.
            text: The words on the right; the percentage if empty.
            warn: From this share on the bar takes the warning colour and the words say ``▲``.
            bad: From this share on the alarm colour and ``✖``.
        """
        level = 0.0 if value is None else value
        style, mark = ("$bad", "✖ ") if level >= bad else ("$warn", "▲ ") if level >= warn else ("$busy", "")
        shown = (value, f"{mark}{safe(text) or share(value)}", style)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> RenderResult:
        value, text, style = self._shown
        words = Content(text)
        label = fitted(Content(safe(self.label)), self.label_width)
        room = max(0, self.size.width - self.label_width - max(12, words.cell_length) - 2)
        full = round(room * min(1.0, max(0.0, value or 0.0)))
        return Content.assemble(
            label,
            " ",
            ("━" * full, style),
            ("─" * (room - full), "$faint"),
            " ",
            fitted(words, max(12, words.cell_length), right=True),
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1


class Spark(Words):
    """A sparkline with its last value: ``auc ▁▂▅▇ 0.842``."""

    _shown: tuple[tuple[float | None, ...], str, str, int] | None = None

    def show(self, values: Sequence[float | None], *, label: str = "", last: str = "", width: int = 0) -> None:
        """Show values from left to right.

        Args:
            values: What to draw; None is a gap.
            label: Muted words in front.
            last: The words behind; the last known value if empty.
            width: Characters of the line; 0 takes what the widget has left.
        """
        self._shown = (tuple(values), label, last, width)
        self.on_resize()

    def on_resize(self) -> None:
        if self._shown is None:
            return
        values, label, last, width = self._shown
        known = [value for value in values if value is not None]
        words = safe(last) or number(known[-1] if known else None)
        room = width or max(8, self.content_size.width - cell_len(label) - cell_len(words) - 2)
        line = (spark(list(values), room), "$busy")
        self.say(Content.assemble((f"{label} " if label else "", "$muted"), line, f" {words}"))


class Bars(Words):
    """Horizontal bars: label, bar, value; for top values, importances and histograms."""

    _shown: tuple[tuple[tuple[str, float | None, str], ...], tuple[str, ...], int, int] | None = None

    def show(
        self,
        bars: Sequence[tuple[str, float | None, str]],
        *,
        marks: Sequence[str] = (),
        label_width: int = 0,
        width: int = 0,
    ) -> None:
        """Show bars scaled to the largest.

        Args:
            bars: Label, size (None is missing), and the words on the right.
            marks: Per bar a style token such as ``$warn``; the accent if empty.
            label_width: Cells for labels; 0 for the widest, at most 24.
            width: Cells of a full bar; 0 for what the widget has left.
        """
        self._shown = (tuple(bars), tuple(marks), label_width, width)
        self.on_resize()

    def on_resize(self) -> None:
        if self._shown is None:
            return
        bars, marks, label_width, width = self._shown
        labels = [drawable(label) for label, _, _ in bars]
        wide = label_width or min(24, max((label.cell_length for label in labels), default=0))
        words = [Content(safe(text)) for _, _, text in bars]
        tail = max((text.cell_length for text in words), default=0)
        room = width or max(6, (self.content_size.width or 60) - wide - tail - 2)
        top = max((abs(size) for _, size, _ in bars if size is not None), default=0.0) or 1.0
        lines: list[Content] = []
        for index, size in enumerate([bar[1] for bar in bars]):
            style = marks[index] if index < len(marks) and marks[index] else "$busy"
            bar = bar_of((abs(size) if size is not None else 0.0) / top, room)
            name, value = fitted(labels[index], wide), fitted(words[index], tail, right=True)
            lines.append(Content.assemble(name, " ", (bar, style), " " * (room - len(bar)), " ", value))
        self.say(Content("\n").join(lines))


def paragraph(text: Cell) -> Content:
    """Return a text of one or more lines as harmless content."""
    if isinstance(text, str):
        return Content("\n").join([Content(safe(line)) for line in text.split("\n")])
    content = text if isinstance(text, Content) else Content.from_rich_text(text)
    clean = "\n".join(safe(line) for line in content.plain.split("\n"))
    return content if clean == content.plain else Content(clean)


def plain_of(value: Cell) -> str:
    """Return the characters of a cell."""
    return value if isinstance(value, str) else value.plain


def bar_of(part: float, width: int) -> str:
    """Return a bar of `part` (0..1) of `width` cells with eighths at its end; what is not zero is seen."""
    eighths = round(max(0.0, min(1.0, part)) * width * 8)
    if part > 0:
        eighths = max(1, eighths)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


def value_bar(part: float, width: int) -> Content:
    """Return a bar of `part` (0..1), exactly `width` cells wide."""
    bar = bar_of(part, width)
    return Content.styled(bar, "$busy") + " " * (width - len(bar))


def value_cell(value: object) -> Content:
    """Return a distinct value as a cell: what is missing or empty says so."""
    if value is None:
        return Content.styled(_("missing"), "$muted")
    return Content.styled(_("empty text"), "$muted") if value == "" else drawable(data_cell(value))
