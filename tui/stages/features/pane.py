"""Panes of Features: one column in full, and the question for names and reasons."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.evaluate import Ablation
from lemnis.engine.features import FeatureScore, Pair, Ranking
from lemnis.engine.text import safe
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.stages.features import rows
from lemnis.tui.widgets import Bars, Facts, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

RELATIVES = 8


class FeatureDetail(VerticalScroll):
    """One column: leakage first, then what was measured, then the columns that say the same."""

    can_focus = False

    def compose(self) -> ComposeResult:
        yield Words(id="leakage")
        yield Facts(id="facts")
        yield Words(
            Content.styled(_("Goes with (ρ Spearman, V Cramér's V, η correlation ratio)"), "$muted"),
            id="relatives-title",
        )
        yield Bars(id="relatives")

    def show(
        self, score: FeatureScore | None, ranking: Ranking | None, pairs: Sequence[Pair], ablation: Ablation | None
    ) -> None:
        """Show one column; None says that it was not ranked, or not left out yet."""
        words, facts, bars = self.query_one("#leakage", Words), self.query_one(Facts), self.query_one(Bars)
        self.query_one("#relatives-title").display = bool(pairs) and score is not None
        if score is None:
            words.say(
                Content.styled(keyed(_("Not ranked yet. Press {features.rank} to measure what it is worth.")), "$muted")
            )
            facts.show([])
            bars.show([])
            return
        words.say(rows.verdict_content(score))
        facts.show(rows.detail_facts(score, ranking, ablation))
        bars.show(rows.relatives(pairs, score.name, RELATIVES))


class Question(Dialog[tuple[str, ...] | None]):
    """Asks for some texts, one after the other; escape gives none."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(
        self, title: str, fields: Sequence[tuple[str, str]], *, warning: str = "", word: str = N_("save")
    ) -> None:
        """Make a question.

        Args:
            title: What is about to happen.
            fields: Label and first text of each field.
            warning: A warning above them; empty for none.
            word: What enter does in the last field.
        """
        super().__init__()
        self.heading, self.fields, self.warning, self.word = title, list(fields), warning, word

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(safe(self.heading, limit=200), "bold"), markup=False)
            if self.warning:
                yield Static(Content.styled(f"▲ {safe(self.warning, limit=200)}", "$warn"), markup=False)
            for place, (label, text) in enumerate(self.fields):
                yield Static(label, markup=False)
                yield Field(text, id=f"field-{place}", compact=True)
            said = (
                " " + _("next, then {word}").format(word=_(self.word)) + "   "
                if len(self.fields) > 1
                else f" {_(self.word)}   "
            )
            keys = Content.assemble((" enter ", "$key"), said, (" esc ", "$key"), f" {_('keep as it is')}")
            yield Static(keys, classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#field-0", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Go to the next field, or answer."""
        message.stop()
        inputs = list(self.query(Input))
        place = inputs.index(message.input) + 1
        if place < len(inputs):
            inputs[place].focus()
        else:
            self.dismiss(tuple(field.value for field in inputs))

    def action_leave(self) -> None:
        self.dismiss(None)
