"""The dialog that starts a training: choose a preset, change what should differ, press enter."""

from collections.abc import Mapping
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from lemnis.engine.config import Preset
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import Value, read_overrides
from lemnis.tui.widgets import Col, Row, Table, Words


@dataclass(frozen=True, slots=True)
class Training:
    """What is to be trained."""

    preset: str
    overrides: dict[str, Value]


class TrainDialog(ModalScreen[Training]):
    """Dismisses with the training that is wanted, or with None."""

    BINDINGS = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, presets: Mapping[str, Preset]) -> None:
        super().__init__()
        self.presets = dict(presets) or {"default": Preset()}

    def compose(self) -> ComposeResult:
        columns = (Col("preset"), Col("rounds", right=True), Col("stop after", right=True), Col("device"), Col("cores"))
        with Vertical(classes="dialog train"):
            yield Words(Content.styled("Train", "bold $stage-accent"))
            yield Table(*columns, Col("parameters", flex=True), id="presets")
            yield Input(placeholder="change: num_leaves=63 seed=2", id="overrides", compact=True)
            yield Words("", id="fault")
            keys = (
                (" enter ", "$key"),
                " train   ",
                (" tab ", "$key"),
                " change values   ",
                (" esc ", "$key"),
                " back",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one("#presets", Table)
        table.styles.height = min(len(self.presets), 10) + 1
        table.show([preset_row(name, preset) for name, preset in self.presets.items()])
        table.select("default")
        table.focus()

    @on(Table.Opened, "#presets")
    @on(Input.Submitted, "#overrides")
    def start(self) -> None:
        """Take what is chosen, or say what is wrong with it."""
        try:
            overrides = read_overrides(self.query_one("#overrides", Input).value.split())
        except BadInput as error:
            self.query_one("#fault", Words).say(Content.styled(f"✖ {error.problem} {error.remedy}", "$bad"))
            return
        self.dismiss(Training(self.query_one("#presets", Table).key, overrides))


def preset_row(name: str, preset: Preset) -> Row:
    """Return a preset as a row."""
    parameters = "  ".join(f"{key} {value}" for key, value in preset.parameters.items())
    stop = str(preset.early_stopping) if preset.early_stopping else "–"
    return Row(name, [name, str(preset.rounds), stop, preset.device, str(preset.cores), parameters])
