"""The association view: the heat map, what it measures by, and the pair under its cursor read off exactly."""

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from lemnis.engine.features import Matrix
from lemnis.engine.features.records import MEASURES
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.features import rows
from lemnis.tui.stages.features.heat import HeatMap
from lemnis.tui.widgets import Panel, Words

NOTHING = N_("Not measured yet. Press {features.rank} to rank the columns and measure how they go together.")


class Association(Panel):
    """A panel with the heat map and one line for the pair under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(_("Association"), id=id)
        self.measure = "kind"

    def compose(self) -> ComposeResult:
        yield HeatMap(id="heat")
        yield Words(id="pair-words")

    @property
    def heat(self) -> HeatMap:
        """The heat map."""
        return self.query_one("#heat", HeatMap)

    @property
    def name_here(self) -> str:
        """The column on the cursor's line; empty before anything is measured."""
        return self.heat.matrix.names[self.heat.pair[0]] if self.heat.matrix and self.heat.pair else ""

    def show(self, matrix: Matrix | None, working: str = "") -> None:
        """Show a matrix by the measure in force; `working` is what is being measured now."""
        self.heat.show(matrix, self.measure)
        self.retitle(
            _("Association · {measures}").format(measures=told(MEASURES[self.measure])), rows.matrix_words(matrix)
        )
        self.footnote(
            working or _("83 is 0.83, · below 0.10 · {features.measure} next measure · {table.open} opens a pair")
        )
        self.say_pair()

    def next_measure(self) -> None:
        """Measure by the next measure."""
        names = list(MEASURES)
        self.measure = names[(names.index(self.measure) + 1) % len(names)]
        self.show(self.heat.matrix)

    @on(HeatMap.Moved, "#heat")
    def say_pair(self) -> None:
        """Say both names, the measure and the value."""
        heat, words = self.heat, self.query_one("#pair-words", Words)
        if heat.matrix is None or heat.pair is None:
            words.say(Content.styled(keyed(_(NOTHING)), "$muted"))
        else:
            words.say(rows.pair_words(heat.matrix, heat.pair, self.measure))
