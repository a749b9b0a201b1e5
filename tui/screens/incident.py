"""The incident of one alert on one screen, and the keys of what can be done about it."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from lemnis.engine import Engine, LemnisError
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.incident.records import IncidentReport
from lemnis.engine.monitor.retraining import Retraining
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import N_, _
from lemnis.tui.messages import StageWanted
from lemnis.tui.screens.alerted import words
from lemnis.tui.screens.alerted.lines import Line, Section, wrapped
from lemnis.tui.screens.alerted.sections import choices, markdown, sections, summary
from lemnis.tui.screens.answering import AlertScreen
from lemnis.tui.screens.decision import Decision
from lemnis.tui.screens.loop import LoopScreen
from lemnis.tui.widgets import Confirm, Keys, Panel, Words
from lemnis.tui.widgets.strip import ErrorStrip

if TYPE_CHECKING:
    from lemnis.tui.app import Console

WIDE = 130  # cells, from which causes and pictures stand side by side
SMALL = 60  # cells, below which the summary is brief
KEYS = (
    ("a", "take", "take it at once: it is yours and tells nobody again; A asks why and until when"),
    ("b", "roll back", "let the model's alias go back to the version before; asks first"),
    ("t", "retrain", "train a challenger on the rows whose labels have come since; asks first"),
    ("C", "loop", "the way to a newer model: what is trained, how good it is, and promoting it"),
    ("d", "data", "compare the data the model learned from with the latest version"),
    ("w", "window", "see the bad window in Monitor, against training"),
    ("Z", "silence", "hold the rule on this endpoint for a while: why and until when"),
    ("R", "end", "end the alert by hand: only a later window raises it again"),
    ("y", "copy", "copy everything here as Markdown, for a chat"),
    ("?", "keys", "this list"),
    ("esc", "back", "leave"),
)


class IncidentScreen(AlertScreen[IncidentReport]):
    """One alert with everything around it, read again every few seconds; nothing is drawn when nothing changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "rollback", "Roll back", show=False),
        Binding("t", "retrain", "Retrain", show=False),
        Binding("C", "loop", "Loop", show=False),
        Binding("d", "data", "Data", show=False),
        Binding("w", "window", "Window", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("g,home", "end(False)", "Top", show=False),
        Binding("G,end", "end(True)", "Bottom", show=False),
    ]
    every_s, stale_s = 5.0, 20.0
    panel, place, keys = "#incident-panel", N_("the incident"), KEYS

    def __init__(self, engine: Engine, alert_id: int, alert: Alert | None = None) -> None:
        """Make the screen of an alert; `alert`, where it is at hand, is what it says before the rest is read."""
        super().__init__(engine, classes="incident")
        self.alert_id, self.known = alert_id, alert

    @property
    def alert(self) -> Alert | None:
        return self.facts.alert if self.facts is not None else self.known

    def address(self) -> Address:
        return address("alert", self.alert_id)

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Incident · alert/{alert_id}").format(alert_id=self.alert_id), id="incident-panel"):
            yield Words(_("Reading …"), id="incident-summary")
        with VerticalScroll(id="incident-scroll"), Horizontal(id="incident-body"):
            yield Words(id="incident-main")
            yield Words(id="incident-aside")
        yield Keys(*foot(None))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def read(self) -> IncidentReport:
        return self.engine.monitor.incident(self.alert_id)

    def draw(self) -> None:
        """Draw the incident as it was read last, for the width there is."""
        report = self.facts
        width = max(30, self.size.width - 4)
        if report is None and self.known is not None:
            known = words.at_first(self.known, self.engine.now_ms())
            top = [one for line in known for one in wrapped(line, width - 2)]
            self.query_one("#incident-summary", Words).say(content(top))
        if report is None:
            return
        wide = self.size.width >= WIDE
        self.set_class(wide, "-beside")
        part = (width - 3) // 2 if wide else width
        top = [one for line in summary(report, brief=self.size.width < SMALL) for one in wrapped(line, width - 2)]
        self.query_one("#incident-summary", Words).say(content(top))
        self.query_one(Keys).show(*foot(report))
        ways = choices(report)
        found = [*([Section(_("What can be done"), ways)] if ways else []), *sections(report, part)]
        main = [one for one in found if not (wide and one.aside)]
        self.query_one("#incident-main", Words).say(content(below(main, part)))
        aside = [one for one in found if wide and one.aside]
        self.query_one("#incident-aside", Words).say(content(below(aside, part)))

    # Keys.

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=by * max(1, scroll.size.height - 1), animate=False)

    def action_end(self, bottom: bool) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_to(y=scroll.max_scroll_y if bottom else 0, animate=False)

    def action_rollback(self) -> None:
        report = self.facts
        if report is None or not self.may_write():
            return
        if report.back_to is None:
            waits = (
                _("v{challenger} waits as challenger (C).").format(challenger=report.challenger)
                if report.challenger is not None
                else _("Retrain (t).")
            )
            self.refuse(_("There is no earlier version to go back to."), waits)
            return
        endpoint, back_to, now = report.alert.endpoint, report.back_to, report.alert.version

        def decided(reason: str | None) -> None:
            if reason:
                call = self.engine.deploy.roll_back_endpoint
                self.do(
                    lambda: _("{alias} is version {version} again.").format(
                        alias=report.alias, version=call(endpoint, user_name(), reason).version
                    )
                )

        what = Content.styled(_("Endpoints that follow it change over without dropping a request."), "$muted")
        question = _("Roll {alias} back from version {now} to version {back_to}?").format(
            alias=report.alias, now=now, back_to=back_to
        )
        self.app.push_screen(Decision(question, evidence=what, typed=report.alias.partition("@")[0]), decided)

    def action_retrain(self) -> None:
        report = self.facts
        if report is None or not self.may_write():
            return
        if not report.alias:
            self.refuse(
                _("No endpoint serves this model here."), _("Train a new run in Experiments ({app.go_experiments}).")
            )
            return
        endpoint, why = (
            report.alert.endpoint,
            _("alert {id}: {rule}").format(id=report.alert.id, rule=report.alert.rule),
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(lambda: queued(self.engine.monitor.retraining.start(endpoint, user_name(), why)))

        question = _("Train the model of {endpoint} again on the rows whose labels have come since?").format(
            endpoint=endpoint
        )
        then = _("It becomes the challenger; promoting it stays yours.")
        self.app.push_screen(Confirm(f"{question} {then}", lost="", word=_("retrain")), answered)

    def action_loop(self) -> None:
        if self.alert is not None:
            self.app.push_screen(LoopScreen(self.engine, self.alert.endpoint))

    def action_data(self) -> None:
        """Compare the data the model learned from with the latest version."""
        report = self.facts
        if report is None:
            return
        if not report.data_version:
            self.refuse(
                _("It is not on record what the model learned from."), _("See the versions in Data ({app.go_data}).")
            )
            return
        self.find_latest(report.data_version)

    @work(thread=True, exclusive=True, exit_on_error=False, group="incident-data")
    def find_latest(self, learned: str) -> None:
        """Find the latest dataset version, and go on from there."""
        try:
            latest = self.engine.data.version().id
        except LemnisError as error:
            answer(self.post_message, self.Told(error))
        else:
            answer(self.call_later, self.show_data, learned, latest)

    def show_data(self, learned: str, latest: str) -> None:
        """Show what differs between two dataset versions; where they are one, say where else to look."""
        if learned == latest:
            self.refuse(
                _("The latest data is what the model learned from: there is nothing to compare."),
                _("w shows how the rows it answers differ from it."),
            )
        else:
            self.app.post_message(StageWanted("data", f"{learned} {latest}"))

    def action_window(self) -> None:
        """Show the window in Monitor, against training."""
        report = self.facts
        if report is None:
            return
        if report.window is None:
            self.refuse(_("This rule is on a server, not on windows of rows."), _("See Deploy ({app.go_deploy})."))
            return
        self.app.post_message(StageWanted("monitor", str(report.window.id)))

    def action_copy(self) -> None:
        """Copy the incident as Markdown, for a chat."""
        if self.facts is not None:
            cast("Console", self.app).copy(markdown(self.facts), _("incident as Markdown"))


def foot(report: IncidentReport | None) -> list[tuple[str, str]]:
    """Return the keys at the foot: those that can do something here; the others say why they can't when pressed."""
    vain: set[str] = set()
    if report is not None:
        can = {"b": report.back_to, "t": report.alias, "d": report.data_version, "w": report.window}
        vain = {key for key, what in can.items() if not what}
        vain |= {"a", "R"} if report.alert.state == "resolved" else set()
    return [(key, does) for key, does, _ in KEYS if key not in vain]


def queued(begun: Retraining) -> str:
    """Return what is told of a retraining that was queued."""
    return _("Queued as job {job_id}; the new model becomes the challenger.").format(job_id=begun.job_id)


def below(found: list[Section], width: int) -> list[Line]:
    """Return sections one below the other, their sentences broken to a width."""
    lines: list[Line] = []
    for section in found:
        lines += [*([[]] if lines else []), [(section.title, "bold $stage-accent")]]
        for line in section.lines:
            lines += [line] if section.drawn else wrapped(line, width)
    return lines


def content(lines: list[Line]) -> Content:
    """Return lines as they are drawn."""
    return Content("\n").join([Content.assemble(*line) for line in lines])
