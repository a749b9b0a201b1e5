"""The sweep screen: its trials live, the best so far, what decides, the Pareto front; and steering it by key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import read_overrides
from lemnis.engine.experiments.sweep import Trial
from lemnis.engine.experiments.sweep.space import dimension_of, value_text
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.swept import tables
from lemnis.tui.screens.swept.panel import PARETO, TRIALS, VIEWS, PicturePanel
from lemnis.tui.screens.swept.texts import EXPLAINED, HELP
from lemnis.tui.screens.swept.view import SweepView, read_view
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Confirm, Facts, Panel, PromptLine, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 1.0
WIDE = 130  # cells, from which the picture stands beside the trials
MORE = 20  # trials that are offered
KEYS = (
    ("enter", "run"), ("x", "prune"), ("+", "point"), ("f", "freeze"), ("[ ]", "narrow"), ("p", "pause"),
    ("e", "extend"), ("v", "view"), ("?", "keys"), ("esc", "back"),
)  # fmt: skip


class SweepScreen(Dialog[int | None]):
    """Dismisses with the run that is to be shown, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *place_bindings(),
        Binding("escape,q", "leave", "Back", show=False),
        *(Binding(str(place + 1), f"view({place})", name, show=False) for place, name in enumerate(VIEWS)),
        Binding("v", "next", "View", show=False),
        Binding("x", "prune", "Prune", show=False),
        Binding("plus,equals_sign", "enqueue", "Point", show=False),
        Binding("f", "freeze", "Freeze", show=False),
        Binding("left_square_bracket", "narrow('low')", "Lower bound", show=False),
        Binding("right_square_bracket", "narrow('high')", "Upper bound", show=False),
        Binding("p", "pause", "Pause", show=False),
        Binding("e", "extend", "Extend", show=False),
        Binding("K", "explain", "Explain", show=False),
        Binding("question_mark", "help", "Keys", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The sweep was read."""

        view: SweepView

    @dataclass
    class Refused(Message):
        """It can't be read, or something could not be done."""

        error: LemnisError

    @dataclass
    class Done(Message):
        """Something was done."""

        what: str

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(classes="sweep")
        self.engine, self.sweep_name = engine, name
        self.view = TRIALS
        self._seen: SweepView | None = None
        self._entered: Callable[[str], object] | None = None  # what the open prompt does with its line
        self._said = ""

    def address(self) -> Address:
        return address("sweep", self.sweep_name)

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Words(id="sweep-tabs")
        with Panel(_("Sweep"), id="sweep-head"):
            yield Facts(_("Reading …"), id="sweep-facts")
        with Container(id="sweep-both"):
            with Panel(_("Trials"), id="sweep-trials-panel"):
                yield Table(id="sweep-trials", empty=_("The first trial is about to begin."))
            yield PicturePanel(id="sweep-picture-panel")
        yield PromptLine("✎")
        yield Words(tables.keys_line(KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read_live)
        self.share_room()
        self.draw()
        self.read()

    # Reading.

    def read_live(self) -> None:
        """Read again while something may still change."""
        seen = self._seen
        if seen is None or seen.sweep.state == "running" or seen.sweep.counts.get("running"):
            self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="sweep")
    def read(self) -> None:
        """Read the sweep and its trials."""
        try:
            view = read_view(self.engine.sweeps, self.sweep_name, self._seen)
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Read(view))

    def on_sweep_screen_read(self, message: Read) -> None:
        self._seen = message.view
        self.draw()

    def on_sweep_screen_refused(self, message: Refused) -> None:
        prompt = self.query_one(PromptLine)
        if prompt.display:
            prompt.refuse(message.error)
        else:
            self.query_one(ErrorStrip).show(message.error)

    def on_sweep_screen_done(self, message: Done) -> None:
        self.query_one(ErrorStrip).clear()
        self.close_prompt()
        self.notify(message.what, markup=False)
        self.read()

    # Drawing.

    def draw(self) -> None:
        """Draw what was read."""
        self.query_one("#sweep-tabs", Words).say(tables.tabs_line(VIEWS, self.view))
        if self._seen is None:
            return
        sweep, trials = self._seen.sweep, self._seen.trials
        self.query_one("#sweep-head", Panel).retitle(
            _("Sweep {name}").format(name=sweep.name), tables.head_words(sweep)
        )
        self.query_one("#sweep-facts", Facts).show(tables.sweep_facts(sweep, trials))
        table = self.query_one(Table)
        table.set_columns(tables.trial_columns(sweep, narrow=True))
        table.show(self._seen.rows)
        self.draw_picture()

    def draw_picture(self) -> None:
        """Draw the picture with the trial under the cursor in front, where it can be seen."""
        picture = self.query_one(PicturePanel)
        if self._seen is not None and picture.display:
            trial = self.trial_here()
            seen = self._seen
            picture.draw(self.view, seen.sweep, seen.trials, seen.events, trial.number if trial else 0)

    def share_room(self) -> None:
        """Show trials and picture side by side, or one of them."""
        wide = self.app.size.width >= WIDE
        self.query_one("#sweep-trials-panel").display = wide or self.view == TRIALS
        self.query_one(PicturePanel).display = wide or self.view != TRIALS

    def on_resize(self) -> None:
        self.share_room()
        self.call_after_refresh(self.draw)

    @on(Table.Moved)
    def on_moved(self) -> None:
        self.draw_picture()

    def trial_here(self) -> Trial | None:
        """Return the trial under the cursor."""
        key = self.query_one(Table).key
        trials = self._seen.trials if self._seen else []
        return next((trial for trial in trials if str(trial.number) == key), None)

    def parameter_here(self) -> str:
        """Return the parameter in whose column the cursor is; empty and said if it is in none."""
        table = self.query_one(Table)
        name = table.columns[table.column].name if table.columns else ""
        if not name.startswith(tables.PARAM):
            self.notify(_("Move with h and l into the column of a parameter."), severity="warning", markup=False)
            return ""
        return name.removeprefix(tables.PARAM)

    # Keys.

    def action_view(self, place: int) -> None:
        """Go to a view."""
        self.view = place
        self.share_room()
        self.call_after_refresh(self.draw)  # once its room is known
        self.query_one(Table).focus()

    def action_next(self) -> None:
        """Go to the next view; the Pareto front only where there is one."""
        place = (self.view + 1) % len(VIEWS)
        several = self._seen is not None and len(self._seen.sweep.objectives) > 1
        self.action_view(place + 1 if place == PARETO and not several else place)

    def action_leave(self) -> None:
        """Close the prompt, go back to the trials, or leave."""
        if self.query_one(PromptLine).display:
            self.close_prompt()
        elif self.view != TRIALS:
            self.action_view(TRIALS)
        else:
            self.dismiss(None)

    @on(Table.Opened)
    def on_opened(self) -> None:
        trial = self.trial_here()
        if trial is not None and trial.run_id is not None:
            self.dismiss(trial.run_id)

    def action_prune(self) -> None:
        """Ask, then stop the trial under the cursor."""
        trial = self.trial_here()
        if trial is None or trial.state not in ("running", "waiting"):
            self.notify(_("Only a running or waiting trial can be pruned."), severity="warning", markup=False)
            return
        lost = _("the rest of its rounds") if trial.state == "running" else _("its place")

        def answered(yes: bool | None) -> None:
            if yes:
                self.act(
                    lambda: self.engine.sweeps.prune(self.sweep_name, trial.number),
                    _("Trial {number} is pruned.").format(number=trial.number),
                )

        self.app.push_screen(
            Confirm(_("Prune trial {number}?").format(number=trial.number), lost=lost, word=_("prune")), answered
        )

    def action_pause(self) -> None:
        """Pause the sweep, or let it go on."""
        room, name = self.engine.sweeps, self.sweep_name
        if self._seen is not None and self._seen.sweep.state == "running":
            self.act(lambda: room.pause(name), _("Paused: what trains goes on, nothing more is begun."))
        else:
            self.act(lambda: self.driven(lambda: room.resume(name)), _("It goes on."))

    def action_extend(self) -> None:
        """Ask how many more trials there are to be."""

        def extend(line: str) -> object:
            if not line.isdecimal():
                raise BadInput(f"{line or 'Nothing'} is no number of trials.", "Write for example 20.")
            return self.driven(lambda: self.engine.sweeps.extend(self.sweep_name, int(line)))

        self.ask(str(MORE), "20", extend, _("more trials"), lambda line: _("{line} more trials.").format(line=line))

    def action_enqueue(self) -> None:
        """Ask for a point, beginning with that of the trial under the cursor."""
        if self._seen is None:
            return
        trial = self.trial_here()
        names = {dimension.name for dimension in self._seen.sweep.declared}
        params = {name: value for name, value in (trial.params if trial else {}).items() if name in names}
        text = " ".join(f"{name}={value_text(value)}" for name, value in params.items())

        def enqueue(line: str) -> object:
            point = read_overrides(line.split())
            return self.driven(lambda: self.engine.sweeps.enqueue(self.sweep_name, point))

        self.ask(
            text, "num_leaves=31", enqueue, _("tried next; the rest is chosen"), lambda _line: _("It is tried next.")
        )

    def action_freeze(self) -> None:
        """Ask for the one value of a parameter; one that is frozen varies again."""
        name = self.parameter_here()
        if not name or self._seen is None:
            return
        room = self.engine.sweeps
        if dimension_of(self._seen.sweep.space, name).frozen is not None:
            self.act(lambda: room.freeze(self.sweep_name, name, "-"), _("{name} varies again.").format(name=name))
            return
        value = self.value_here(name)
        self.ask(
            value,
            _("a value; empty for the best trial's"),
            lambda line: room.freeze(self.sweep_name, name, line),
            _("freezes {name}").format(name=name),
            lambda _line: _("{name} is frozen in new trials.").format(name=name),
        )

    def action_narrow(self, end: str) -> None:
        """Ask for other bounds of a parameter, the value under the cursor being one of them."""
        name = self.parameter_here()
        if not name or self._seen is None:
            return
        dimension, value = dimension_of(self._seen.sweep.space, name), self.value_here(name)
        if dimension.choices:
            text = ",".join(value_text(choice) for choice in dimension.choices)
        else:
            low, high = f"{dimension.low:g}", f"{dimension.high:g}"
            text = f"{value or low}..{high}" if end == "low" else f"{low}..{value or high}"
        self.ask(
            text,
            "20..80",
            lambda line: self.engine.sweeps.narrow(self.sweep_name, name, line),
            _("bounds of {name}").format(name=name),
            lambda line: _("{name} varies within {line}.").format(name=name, line=line),
        )

    def value_here(self, name: str) -> str:
        """Return the value of a parameter in the trial under the cursor; empty if it has none."""
        trial = self.trial_here()
        return value_text(trial.params[name]) if trial is not None and name in trial.params else ""

    def action_explain(self) -> None:
        """Say what the column under the cursor, or this view, means."""
        table = self.query_one(Table)
        column = table.columns[table.column].name.partition(".")[0] if table.columns else ""
        title, text = EXPLAINED.get(column if self.view == TRIALS else VIEWS[self.view], EXPLAINED["state"])
        self.app.push_screen(Explanation(_(title), text))

    def action_help(self) -> None:
        self.app.push_screen(Explanation(_("Keys of a sweep"), HELP))

    # Doing.

    def driven(self, call: Callable[[], object]) -> object:
        """Do something after which trials are to begin, and see that somebody begins them."""
        done = call()
        self.engine.jobs.ensure_supervisor()
        return done

    @work(thread=True, exit_on_error=False, group="sweep-acts")
    def act(self, call: Callable[[], object], done: str) -> None:
        """Do something and say that it is done, or why not."""
        try:
            call()
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Done(done))

    def ask(
        self, text: str, hint: str, entered: Callable[[str], object], words: str, done: Callable[[str], str]
    ) -> None:
        """Open the prompt; `entered` gets its line in a thread, `done` says afterwards what was done."""
        self._entered = lambda line: self.act(lambda: entered(line), done(line))
        self._said = words
        prompt = self.query_one(PromptLine)
        prompt.open(text, hint)
        prompt.tell(words)

    @on(PromptLine.Typed)
    def on_typed(self) -> None:
        self.query_one(PromptLine).tell(self._said)

    @on(PromptLine.Entered)
    def on_entered(self, message: PromptLine.Entered) -> None:
        if self._entered is not None:
            self._entered(message.text.strip())

    @on(PromptLine.Left)
    def close_prompt(self) -> None:
        """Close the prompt and go back to the trials."""
        self.query_one(PromptLine).close()
        self.query_one(Table).focus()
