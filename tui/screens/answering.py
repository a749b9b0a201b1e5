"""How a person answers an alert: the keys and forms that take it, end it or silence its rule, and what is done then."""

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeAlias

from textual.binding import Binding, BindingType

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.alerting.hand import LONGEST_MS, end_in
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.form import Line, LinesForm
from lemnis.tui.screens.live import Facts, LiveScreen
from lemnis.tui.sentences import told

Answer: TypeAlias = Literal["take", "silence", "resolve"]
WHY, UNTIL = Line("why", "why, what next"), Line("until", "until (2h, may be empty)")


class AlertScreen(LiveScreen[Facts]):
    """A screen whose keys take, silence or end the alert at hand: the one it is of, or under its cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "take", "Take", show=False),
        Binding("A", "answer('take')", "Take until", show=False),
        Binding("Z", "answer('silence')", "Silence", show=False),
        Binding("R", "answer('resolve')", "Resolve", show=False),
        Binding("question_mark", "keys", "Keys", show=False),
    ]
    place: ClassVar[str]  # where an alert was seen that is taken here, as its history says
    keys: ClassVar[Sequence[tuple[str, str, str]]]  # each with a word for the foot and what it does in full

    @property
    def alert(self) -> Alert | None:
        """The alert at hand."""
        raise NotImplementedError

    def action_keys(self) -> None:
        listed = "\n".join(f"{key:>5}  {_(does)}" for key, _word, does in self.keys)
        self.app.push_screen(Explanation(_("Keys of {place}").format(place=_(self.place)), listed))

    def action_take(self) -> None:
        alert = self.alert
        if alert is not None and self.may_write():
            self.do(lambda: take_at_once(self.engine, alert.id, self.place))

    def action_answer(self, how: Answer) -> None:
        """Ask what is needed to take, silence or end the alert, and do it."""
        alert = self.alert
        if alert is None or not self.may_write():
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.do(lambda: answer(self.engine, how, alert, filled))

        self.app.push_screen(form_of(how, alert), answered)


def form_of(how: Answer, alert: Alert) -> LinesForm:
    """Return the form of an answer, filled in with the system's user."""
    who = user_name()
    if how == "silence":
        return silence_form(alert.rule, alert.endpoint, who)
    return take_form(alert, who) if how == "take" else resolve_form(alert, who)


def answer(engine: Engine, how: Answer, alert: Alert, filled: dict[str, str]) -> str:
    """Do what was filled in and return what to tell. Blocks; raises as the engine's `hand`."""
    room, who, why = engine.monitor, filled["who"], filled["why"]
    if how == "silence":
        until = ends(filled)
        room.alerting.silence(alert.rule, endpoint=alert.endpoint, until=until, who=who, why=why)
        return _("{rule} is silenced.").format(rule=alert.rule)
    if how == "resolve":
        return _("{rule} is {state}.").format(rule=alert.rule, state=room.resolve(alert.id, who, why).state)
    return _("{rule} is {state}.").format(
        rule=alert.rule, state=room.acknowledge(alert.id, who, why, ends(filled) if filled["until"] else None).state
    )


def take_at_once(engine: Engine, alert_id: int, where: str) -> str:
    """Take an alert without a question and return what to tell. Blocks; raises BadInput where it does not fire."""
    return _("{rule} is yours.").format(rule=engine.monitor.acknowledge(alert_id, user_name(), f"seen in {where}").rule)


def take_form(alert: Alert, who: str) -> LinesForm:
    """Return the form that takes an alert; it fills `why`, `until` (may be empty) and `who`."""
    note = _("It stays open and is yours; everybody sees who took it. With an end it fires again by itself.")
    lines = (WHY, UNTIL, Line("who", "who", who))
    return LinesForm(_("Take alert {rule}").format(rule=alert.rule), note, lines, verb=_("take it"), wrong=wrong_answer)


def resolve_form(alert: Alert, who: str) -> LinesForm:
    """Return the form that ends an alert; it fills `why` and `who`."""
    lines = (WHY, Line("who", "who", who))
    note = _("Only a later window can raise it again.")
    return LinesForm(
        _("Resolve alert {rule}").format(rule=alert.rule), note, lines, verb=_("resolve it"), wrong=wrong_answer
    )


def silence_form(rule: str, endpoint: str, who: str) -> LinesForm:
    """Return the form that silences a rule on an endpoint; it fills `why`, `until` and `who`."""
    note = _("Alerts of this rule on {endpoint} are seen but ask for nobody, at most 30 days.").format(
        endpoint=endpoint or _("every endpoint")
    )
    lines = (
        Line("why", "why is nobody needed"),
        Line("until", "until (2h, 1d, a time)", "2h"),
        Line("who", "who", who),
    )
    return LinesForm(_("Silence {rule}").format(rule=rule), note, lines, verb=_("silence it"), wrong=wrong_silence)


def wrong_answer(filled: dict[str, str]) -> str:
    """Return what is wrong with who, why and (where it is asked) until; empty when nothing is."""
    if not filled["who"] or not filled["why"]:
        return _("Say who you are and why.")
    return wrong_end(filled.get("until", ""))


def wrong_silence(filled: dict[str, str]) -> str:
    """Return what is wrong with a silence; empty when nothing is."""
    if not filled["until"]:
        return _("A silence needs an end.")
    return wrong_answer(filled) or (
        "" if ends(filled) - now_ms() <= LONGEST_MS else _("A silence lasts at most 30 days.")
    )


def wrong_end(text: str) -> str:
    """Return what is wrong with an end; none is wanted where the text is empty."""
    try:
        return "" if not text or end_in(text, now_ms()) > now_ms() else _("That end is past.")
    except BadInput as error:
        return f"{told(error.problem)} {told(error.remedy)}"


def ends(filled: dict[str, str]) -> int:
    """Return the end that was filled in, epoch ms."""
    return end_in(filled["until"], now_ms())
