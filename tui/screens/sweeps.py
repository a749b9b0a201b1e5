"""The list of sweeps: how each stands, beginning another, and the way into one."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.experiments.sweep import Sweep, Wishes
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.screens.sweep import SweepScreen
from lemnis.tui.screens.swept import tables
from lemnis.tui.screens.swept.begin import BeginDialog
from lemnis.tui.screens.swept.words import best_value
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Panel, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 2.0


class SweepsScreen(Dialog[int | None]):
    """Dismisses with the run that is to be shown, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("n", "begin", "Begin", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The sweeps were read."""

        rows: list[Row]

    @dataclass
    class Refused(Message):
        """They can't be read, or none can be begun."""

        error: LemnisError

    @dataclass
    class Begun(Message):
        """A sweep was begun."""

        name: str

    def __init__(self, engine: Engine, chosen: str = "") -> None:
        super().__init__(classes="sweep")
        self.engine, self.chosen = engine, chosen
        self._best: dict[int, tuple[int, str]] = {}  # by sweep: how many had ended then, and the best in words

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Sweeps"), id="sweeps-panel"):
            yield Table(*tables.LISTED, id="sweeps", empty=_("No sweep yet. Press n to look for better parameters."))
        keys = ((" enter ", "$key"), " open  ", (" n ", "$key"), f" {_('begin one')}  ", (" esc ", "$key"), " back")
        yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read)
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="sweeps")
    def read(self) -> None:
        """Read the sweeps."""
        try:
            rows = [
                tables.sweep_row(sweep, self.best_of(sweep), self.engine.now_ms())
                for sweep in self.engine.sweeps.sweeps()
            ]
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Read(rows))

    def best_of(self, sweep: Sweep) -> str:
        """Return a sweep's best value in words; its trials are read again when more of them have ended."""
        ended, words = self._best.get(sweep.id, (-1, ""))
        if ended != sweep.ended:
            words = best_value(sweep, self.engine.sweeps.trials(sweep.id))
            self._best[sweep.id] = (sweep.ended, words)
        return words

    def on_sweeps_screen_read(self, message: Read) -> None:
        table = self.query_one(Table)
        table.show(message.rows)
        if self.chosen and table.select(self.chosen):
            self.chosen = ""

    def on_sweeps_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    @on(Table.Opened, "#sweeps")
    def on_opened(self, message: Table.Opened) -> None:
        self.open(message.key)

    def open(self, name: str) -> None:
        """Show one sweep."""
        self.app.push_screen(SweepScreen(self.engine, name), self.left)

    def left(self, run_id: int | None) -> None:
        """Go to a run of the sweep, or read again."""
        if run_id is not None:
            self.dismiss(run_id)
        else:
            self.read()

    def action_begin(self) -> None:
        """Ask what to look for."""
        try:
            config = self.engine.config()
        except LemnisError as error:
            self.query_one(ErrorStrip).show(error)
            return
        self.query_one(ErrorStrip).clear()
        self.app.push_screen(BeginDialog(config.sweeps, config.presets), self.answered)

    def answered(self, wanted: tuple[str, Wishes] | None) -> None:
        """Begin what was chosen."""
        if wanted is not None:
            self.begin(*wanted)

    @work(thread=True, exit_on_error=False, group="sweeps-begin")
    def begin(self, named: str, wishes: Wishes) -> None:
        """Begin a sweep and see that somebody drives it."""
        start = partial(self.engine.sweeps.start, named if named in self.known() else None, wishes)
        try:
            sweep = start()
            self.engine.jobs.ensure_supervisor()
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Begun(sweep.name))

    def known(self) -> set[str]:
        """Return what is declared; `default` may not be."""
        config = self.engine.config()
        return {*config.sweeps, *config.presets}

    def on_sweeps_screen_begun(self, message: Begun) -> None:
        self.chosen = message.name
        self.read()
        self.open(message.name)
