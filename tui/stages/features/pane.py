"""Panes of Features: one column in full, and the question for a set's name and reason."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lemnis.engine.features import FeatureScore, Pair, Ranking
from lemnis.engine.text import safe
from lemnis.tui.stages.features import rows
from lemnis.tui.widgets import Bars, Facts, Words

RELATIVES = 8


class FeatureDetail(VerticalScroll):
    """One column: leakage first, then what was measured, then the columns that say the same."""

    can_focus = False

    def compose(self) -> ComposeResult:
        yield Words(id="leakage")
        yield Facts(id="facts")
        yield Words(
            Content.styled("Goes with (ρ Spearman, V Cramér's V, η correlation ratio)", "$muted"), id="relatives-title"
        )
        yield Bars(id="relatives")

    def show(self, score: FeatureScore | None, ranking: Ranking | None, pairs: Sequence[Pair]) -> None:
        """Show one column; None says that it was not ranked."""
        words, facts, bars = self.query_one("#leakage", Words), self.query_one(Facts), self.query_one(Bars)
        self.query_one("#relatives-title").display = bool(pairs) and score is not None
        if score is None:
            words.say(Content.styled("Not ranked yet. Press n to measure what it is worth.", "$muted"))
            facts.show([])
            bars.show([])
            return
        words.say(rows.verdict_content(score))
        facts.show(rows.detail_facts(score, ranking))
        bars.show(rows.relatives(pairs, score.name, RELATIVES))


class SaveSet(ModalScreen[tuple[str, str] | None]):
    """Asks under which name a set is kept and why; escape keeps nothing."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, name: str, count: int, leaks: Sequence[str]) -> None:
        super().__init__()
        self.set_name, self.count, self.leaks = name, count, list(leaks)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(f"Keep {self.count} columns as a feature set", "bold"), markup=False)
            if self.leaks:
                named = safe(", ".join(self.leaks), limit=200)
                yield Static(Content.assemble(("▲ suspected of leaking: ", "$warn"), named), markup=False)
            yield Static("Name", markup=False)
            yield Input(self.set_name, id="set-name", compact=True)
            yield Static("Why (for the ones who read it later)", markup=False)
            yield Input(id="set-why", compact=True)
            keys = Content.assemble((" enter ", "$key"), " next, then save   ", (" esc ", "$key"), " keep nothing")
            yield Static(keys, classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#set-name", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id == "set-name":
            self.query_one("#set-why", Input).focus()
        else:
            name, why = (self.query_one(f"#set-{field}", Input).value for field in ("name", "why"))
            self.dismiss((name, why))

    def action_leave(self) -> None:
        self.dismiss(None)
