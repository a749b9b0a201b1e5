"""The loop screen: from what is observed to what is promoted, each step with its age, its blocker and one key."""

from functools import partial
from typing import Any, ClassVar

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor.retraining import Event, Loop, Step, Study
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import N_, _
from lemnis.tui.messages import StageWanted
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.live import LiveScreen
from lemnis.tui.screens.looped import rows
from lemnis.tui.widgets import Confirm, Keys, Panel, PromptLine, Table, Words
from lemnis.tui.widgets.strip import ErrorStrip

LOW = 20  # lines, below which the steps stand alone
ASKED = "asked for in the loop"
FIRST = N_("Press t to train one.")


class LoopView(Struct, frozen=True):
    """The loop of one endpoint, what was decided, and the newest study of each kind."""

    loop: Loop
    events: list[Event]
    studies: list[Study]
    currency: str
    now: int


class LoopScreen(LiveScreen[LoopView]):
    """Follows one endpoint's loop; every step's key works here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "watch", "Start the watch", show=False),
        Binding("t", "train", "Retrain", show=False),
        Binding("v", "verify", "Verify", show=False),
        Binding("H", "shadow", "Shadow", show=False),
        Binding("P", "promote", "Promote", show=False),
        Binding("B", "study('backtest')", "Backtest", show=False),
        Binding("W", "study('curve')", "Windows", show=False),
        Binding("x", "stop", "Stop", show=False),
        Binding("K,question_mark", "explain", "Explain", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]
    panel = "#loop-panel"

    def __init__(self, engine: Engine, endpoint: str) -> None:
        super().__init__(engine, classes="loop")
        self.endpoint = endpoint

    def address(self) -> Address:
        return address("loop", self.endpoint)

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Loop"), id="loop-panel"):
            yield Table(*rows.STEPS, id="loop-steps", empty=_("Reading …"))
        yield Words(id="loop-step")
        with Panel(_("Decisions"), id="loop-events-panel"):
            yield Table(*rows.EVENTS, id="loop-events", empty=_("Nothing was decided yet."))
        with Panel(_("Studies"), id="loop-studies-panel"):
            yield Words(id="loop-mean")
            yield Table(*rows.POINTS, id="loop-studies", empty=rows.NO_STUDY)
        yield PromptLine("✎")
        yield Keys(*rows.KEYS)

    def on_mount(self) -> None:
        self.query_one("#loop-steps", Table).focus()

    def read(self) -> LoopView:
        room = self.engine.monitor.retraining
        loop = room.loop(self.endpoint, watching=self.engine.monitor.status().why)
        studies = rows.newest_of_each(room.studies(loop.endpoint))
        currency = self.engine.config().problem.currency
        return LoopView(loop, room.events(loop.endpoint, 50), studies, currency, now_ms())

    def draw(self) -> None:
        """Draw what was read last."""
        view = self.facts
        if view is None:
            return
        loop, width = view.loop, self.size.width
        self.set_class(self.size.height < LOW, "-low")
        served = f"{loop.model} v{loop.version}" if loop.version is not None else _("nothing served")
        self.query_one("#loop-panel", Panel).retitle(
            _("Loop"),
            _("{endpoint} · {served} · policy {policy}").format(
                endpoint=loop.endpoint, served=served, policy=loop.policy
            ),
        )
        steps = self.query_one("#loop-steps", Table)
        steps.set_columns(rows.step_columns(width))
        steps.show([rows.step_row(step, view.now, width) for step in loop.steps])
        self.say_step()
        self.query_one("#loop-events", Table).show([rows.event_row(event, view.now) for event in view.events])
        points = self.query_one("#loop-studies", Table)
        points.show([row for study in view.studies for row in rows.study_rows(study, view.currency)])
        mean, told = self.query_one("#loop-mean", Words), rows.mean_line(view.studies, view.currency)
        mean.say(told)
        mean.display = bool(told)
        self.query_one("#loop-studies-panel", Panel).retitle(_("Studies"), rows.study_title(view.studies))

    @on(Table.Moved, "#loop-steps")
    def say_step(self) -> None:
        """Say in full what the step under the cursor waits for."""
        step = self.step
        self.query_one("#loop-step", Words).say(rows.step_content(step) if step is not None else "")

    @property
    def step(self) -> Step | None:
        """The step under the cursor; None before the first reading."""
        if self.facts is None:
            return None
        key = self.query_one("#loop-steps", Table).key
        return next((step for step in self.facts.loop.steps if step.name == key), None)

    # What the keys do.

    def call(self, work: Any, *arguments: Any, said: str = "", **options: Any) -> None:
        """Call the engine in a thread and say what came of it. Any: whatever a method takes."""

        def done() -> str:
            work(*arguments, **options)
            return said

        self.do(done)

    def ask(self, question: str, word: str, then: Any) -> None:
        """Ask before something begins. Any: called on a yes."""
        if self.may_write():
            self.app.push_screen(Confirm(question, lost="", word=word), lambda yes: then() if yes else None)

    def action_watch(self) -> None:
        if self.may_write():
            self.call(self.engine.monitor.ensure_watch, said=_("The watch is being started."))

    def action_train(self) -> None:
        view = self.facts
        if view is None:
            return
        last = view.loop.last
        jobs, retraining = self.engine.jobs, self.engine.monitor.retraining
        if last is not None and last.state in ("failed", "lost", "cancelled") and last.job_id is not None:
            go_on = partial(self.call, jobs.retry, last.job_id, said=_("It goes on where it was."))
            self.ask(
                _("Go on with retraining {id} of {endpoint}?").format(id=last.id, endpoint=view.loop.endpoint),
                _("go on"),
                go_on,
            )
            return
        start = partial(self.call, retraining.start, view.loop.endpoint, user_name(), ASKED, said=_("Queued."))
        self.ask(
            _("Train {endpoint} again now, whatever cool-down and budget say?").format(endpoint=view.loop.endpoint),
            _("train"),
            start,
        )

    def action_verify(self) -> None:
        """Show the challenger's gates in Evaluate, or have them judged where nobody has."""
        view = self.facts
        if view is None or view.loop.run_id is None:
            self.refuse(_("There is no challenger to verify."), _(FIRST))
        else:
            self.verify(view.loop.run_id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="loop-verify")
    def verify(self, run_id: int) -> None:
        """Look whether a run's gates were judged, and go on from there."""
        try:
            if self.engine.evaluate.gates(run_id):
                answer(self.call_later, self.show_gates, run_id)
            else:
                self.engine.evaluate.start(run_id)
                self.post_message(self.Told(_("Queued: the gates of run {run_id}.").format(run_id=run_id)))
        except LemnisError as error:
            self.post_message(self.Told(error))

    def show_gates(self, run_id: int) -> None:
        """Leave for the gates of a run."""
        self.dismiss(None)
        self.app.post_message(StageWanted("evaluate", str(run_id)))

    def action_shadow(self) -> None:
        view = self.facts
        if view is None or view.loop.challenger is None:
            self.refuse(_("There is no challenger to shadow with."), _(FIRST))
            return
        begin = partial(
            self.call, self.engine.deploy.split, view.loop.endpoint, "challenger", 100.0, user_name(), ASKED,
            mode="shadow", said=_('The challenger scores every request from now on, and answers none.'),
        )  # fmt: skip
        self.ask(
            _("Let v{challenger} score every request to {endpoint} as a shadow?").format(
                challenger=view.loop.challenger, endpoint=view.loop.endpoint
            ),
            _("begin"),
            begin,
        )

    def action_promote(self) -> None:
        view = self.facts
        if view is None or view.loop.challenger is None:
            self.refuse(_("There is no challenger to promote."), _(FIRST))
        elif self.may_write():
            self.query_one(PromptLine).open("", f"why v{view.loop.challenger} becomes the champion", [])

    @on(PromptLine.Entered)
    def promote(self, message: PromptLine.Entered) -> None:
        view, why = self.facts, message.text.strip()
        prompt = self.query_one(PromptLine)
        if not why:
            prompt.refuse(BadInput("A promotion needs a reason.", "Write one sentence; it is kept."))
            return
        prompt.close()
        self.query_one("#loop-steps", Table).focus()
        if view is not None and view.loop.challenger is not None:
            number = view.loop.challenger
            self.call(
                self.engine.deploy.promote, view.loop.model, number, "champion", user_name(), why,
                said=_('v{number} is the champion.').format(number=number),
            )  # fmt: skip

    @on(PromptLine.Left)
    def left(self) -> None:
        self.query_one("#loop-steps", Table).focus()

    def action_study(self, kind: str) -> None:
        view = self.facts
        if view is None:
            return
        room = self.engine.monitor.retraining
        begin = room.start_backtest if kind == "backtest" else room.start_curve
        does = (
            _("Retrain on the rows before each past month")
            if kind == "backtest"
            else _("Train on several windows of rows")
        )
        start = partial(self.call, begin, view.loop.endpoint, user_name(), said=_("Queued; its figures come below."))
        self.ask(
            _("{does}, as a job, and compare with v{version}?").format(does=does, version=view.loop.version),
            _("begin"),
            start,
        )

    def action_stop(self) -> None:
        """Stop the retraining or the study that runs."""
        view = self.facts
        if view is None:
            return
        live = [one.job_id for one in (view.loop.last, *view.studies) if one is not None and one.state in rows.LIVE]
        if not live or live[0] is None:
            self.refuse(_("Nothing runs here."), _("t trains a challenger, B and W begin a study."))
            return
        stop = partial(
            self.call, self.engine.jobs.cancel, live[0], said=_("It stops; queued again, it goes on where it was.")
        )
        self.ask(_("Stop job {live}?").format(live=live[0]), _("stop"), stop)

    def action_explain(self) -> None:
        step = self.step
        title, text = rows.explained(step.name if step is not None else "")
        self.app.push_screen(Explanation(title, text))
