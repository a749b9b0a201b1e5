"""The model card of a version: what is on record of it, or only what differs from another version."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from lemnis.engine import Engine, LemnisError
from lemnis.engine.modelcard import Card, differences, markdown
from lemnis.engine.modelcard.text import differences_markdown, fact_text
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.format import MISSING
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Panel, Words
from lemnis.tui.widgets.cells import fitted
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

if TYPE_CHECKING:
    from lemnis.tui.app import Console

KEYS = (("d", "only what differs from the version before"), ("[ ]", "version"), ("y", "copy"), ("esc", "close"))


class ModelCard(Dialog[None]):
    """One version's card; brackets go through the versions, d shows only what differs from the one before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close", show=False),
        Binding("d", "differ", "Differences", show=False),
        Binding("left_square_bracket", "turn(-1)", "Older", show=False),
        Binding("right_square_bracket", "turn(1)", "Newer", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, engine: Engine, model: str, version: int, versions: Sequence[int]) -> None:
        """Take the model, the version to begin with, and all its versions, oldest first."""
        super().__init__(classes="model-card")
        self.engine, self.model, self.version, self.versions = engine, model, version, list(versions)
        self.differ = False
        self._shown: tuple[Card | None, Card] | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield ErrorStrip()
            with Panel(_("Model card"), id="card-panel"), VerticalScroll():
                yield Words(_("Reading …"), id="card")
        keys = [Content.assemble((f" {key} ", "$key"), f"{_(does)} ") for key, does in KEYS]
        yield Words(Content("").join(keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._load()

    def on_resize(self) -> None:
        self._draw()

    @property
    def before(self) -> int | None:
        """The version before the shown one."""
        place = self.versions.index(self.version)
        return self.versions[place - 1] if place else None

    @work(thread=True, exclusive=True, exit_on_error=False, group="card")
    def _load(self) -> None:
        version, before = self.version, self.before if self.differ else None
        try:
            cards = self.engine.cards
            found = (None if before is None else cards.card(self.model, before), cards.card(self.model, version))
        except LemnisError as error:
            answer(self.call_later, self.query_one(ErrorStrip).show, error)
        else:
            answer(self.call_later, self._show, found)

    def _show(self, found: tuple[Card | None, Card]) -> None:
        if found[1].version == self.version:
            self._shown = found
            self._draw()

    def _draw(self) -> None:
        if self._shown is None or not self.is_mounted:
            return
        before, card = self._shown
        words = self.query_one("#card", Words)
        width = max(40, self.size.width - 6)
        detail = _("· {model} version {version}").format(model=self.model, version=card.version)
        if before is not None:
            detail += _(", what differs from {version}").format(version=before.version)
        elif self.differ:
            detail += _(", there is none before")
        self.query_one("#card-panel", Panel).retitle(_("Model card"), detail)
        words.say(
            Content("\n").join(card_lines(card, width) if before is None else difference_lines(before, card, width))
        )

    def action_differ(self) -> None:
        self.differ = not self.differ
        self._load()

    def action_turn(self, by: int) -> None:
        place = self.versions.index(self.version) + by
        if 0 <= place < len(self.versions):
            self.version = self.versions[place]
            self._load()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        """Copy what is shown as Markdown."""
        if self._shown is not None:
            before, card = self._shown
            text = markdown(card) if before is None else differences_markdown(before, card)
            cast("Console", self.app).copy(text, _("card as Markdown"))

    def action_leave(self) -> None:
        self.dismiss(None)


def card_lines(card: Card, width: int) -> list[Content]:
    """Return a card as lines: headings, then names and values in two columns."""
    label = min(30, width // 3)
    lines: list[Content] = []
    for section in card.sections:
        lines += [*([Content("")] if lines else []), Content.styled(told(section.title), "bold $stage-accent")]
        if section.note:
            lines.append(Content.styled(safe(told(section.note), limit=400), "$muted"))
        for fact in section.facts:
            name = fitted(Content.styled(safe(told(fact.name)), "$muted"), label)
            lines.append(fitted(Content.assemble(name, "  ", safe(told(fact_text(fact)), limit=400)), width))
    return lines


def difference_lines(before: Card, after: Card, width: int) -> list[Content]:
    """Return what differs as lines: name, the earlier value, the later value."""
    label = min(26, width // 4)
    cell = (width - label - 6) // 2
    lines: list[Content] = []
    section = ""
    for one in differences(before, after):
        if one.section != section:
            section = one.section
            lines += [*([Content("")] if lines else []), Content.styled(section, "bold $stage-accent")]
        name = fitted(Content.styled(safe(one.name), "$muted"), label)
        values = [fitted(Content(safe(text or MISSING, limit=400)), cell) for text in (one.before, one.after)]
        lines.append(Content.assemble(name, "  ", values[0], " → ", values[1]))
    return lines or [Content(_("Nothing on record differs."))]
