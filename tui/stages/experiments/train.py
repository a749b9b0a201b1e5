"""The dialog that starts a training: choose a preset, change what should differ, press enter."""

from collections.abc import Mapping

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.config import Preset
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import Value, read_overrides
from lemnis.engine.text import safe
from lemnis.engine.validate import Standing
from lemnis.tui.format import verdict
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class Training(Struct, frozen=True):
    """What is to be trained."""

    preset: str
    overrides: dict[str, Value]
    despite_checks: str = ""


class TrainDialog(Dialog[Training]):
    """Dismisses with the training that is wanted, or with None."""

    BINDINGS = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
        Binding("a", "advise", "Which device?", show=False),
    ]

    def __init__(self, engine: Engine, presets: Mapping[str, Preset]) -> None:
        super().__init__()
        self.engine = engine
        self.standing: Standing | None = None  # of the data; read while the dialog is open already
        self.presets = dict(presets) or {"default": Preset()}

    def compose(self) -> ComposeResult:
        columns = (
            Col("preset"),
            Col("algorithm"),
            Col("rounds", right=True),
            Col("stop after", right=True),
            Col("device"),
            Col("cores"),
        )
        with Vertical(classes="dialog train"):
            yield Words(Content.styled(_("Train"), "bold $stage-accent"))
            yield Table(*columns, Col("parameters", flex=True), id="presets")
            yield Field(placeholder=_("change: algorithm=dart num_leaves=63 seed=2"), id="overrides", compact=True)
            yield Words("", id="checks")
            yield Field(placeholder=_("why it is trained despite the checks"), id="despite", compact=True)
            yield Words("", id="fault")
            keys = (
                (" enter ", "$key"),
                f" {_('train')}   ",
                (" tab ", "$key"),
                f" {_('change values')}   ",
                (" a ", "$key"),
                f" {_('which device?')}   ",
                (" esc ", "$key"),
                f" {_('back')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one("#presets", Table)
        table.styles.height = min(len(self.presets), 10) + 1
        table.show([preset_row(name, preset) for name, preset in self.presets.items()])
        table.select("default")
        table.focus()
        self.tell(self.standing)

    def tell(self, standing: Standing | None) -> None:
        """Say how the checks of the data stand; where one blocks, a reason can be given. None: not known."""
        self.standing = standing
        if not self.query("#despite"):
            return  # not drawn yet: said once it is; or answered meanwhile: the engine refuses what must not be trained
        text = standing.text if standing else ""
        blocked = bool(standing and standing.blocking)
        word = "failed" if blocked else "warned" if standing and standing.run is None else "passed"
        drawn = verdict(word)
        line = self.query_one("#checks", Words)
        line.display = bool(text)
        line.say(Content.assemble((f"{drawn.glyph} ", drawn.style), _("checks: {text}").format(text=safe(told(text)))))
        self.query_one("#despite").display = blocked

    @on(Table.Opened, "#presets")
    @on(Input.Submitted, "#overrides")
    @on(Input.Submitted, "#despite")
    def start(self) -> None:
        """Take what is chosen, or say what is wrong with it."""
        overrides = self.overrides()
        if overrides is None:
            return
        blocked = self.standing is not None and bool(self.standing.blocking)
        despite = self.query_one("#despite", Input).value.strip() if blocked else ""
        if blocked and not despite:
            fault = _("A check failed: mend the data, waive it in Validate (5, w), or give a reason below the values.")
            self.query_one("#fault", Words).say(Content.styled(f"✖ {fault}", "$bad"))
            return
        self.dismiss(Training(self.query_one("#presets", Table).key, overrides, despite))

    def overrides(self) -> dict[str, Value] | None:
        """Return what is to be changed; None, and what is wrong is said, if it can't be read."""
        try:
            return read_overrides(self.query_one("#overrides", Input).value.split())
        except BadInput as error:
            self.query_one("#fault", Words).say(Content.styled(f"✖ {told(error.problem)} {told(error.remedy)}", "$bad"))
            return None

    def action_advise(self) -> None:
        """Find out on which device this trains best, and take that."""
        from lemnis.tui.stages.experiments.advised import DevicesScreen

        overrides = self.overrides()
        if overrides is None or self.engine.store.read_only:
            return

        def take(device: str | None) -> None:
            if device:
                line = self.query_one("#overrides", Input)
                line.value = " ".join(
                    [*(w for w in line.value.split() if not w.startswith("device=")), f"device={device}"]
                )

        self.app.push_screen(DevicesScreen(self.engine, self.query_one("#presets", Table).key, overrides), take)


def preset_row(name: str, preset: Preset) -> Row:
    """Return a preset as a row."""
    parameters = "  ".join(f"{key} {value}" for key, value in preset.parameters.items())
    stop = str(preset.early_stopping) if preset.early_stopping else "–"
    return Row(name, [name, preset.algorithm, str(preset.rounds), stop, preset.device, str(preset.cores), parameters])
