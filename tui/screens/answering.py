"""The forms by which a person answers an alert: take it, end it, silence its rule."""

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.alerting.hand import LONGEST_MS, end_in
from lemnis.tui.screens.form import Line, LinesForm

WHY, UNTIL = Line("why", "why, what next"), Line("until", "until (2h, may be empty)")


def take_form(alert: Alert, who: str) -> LinesForm:
    """Return the form that takes an alert; it fills `why`, `until` (may be empty) and `who`."""
    note = "It stays open and is yours; everybody sees who took it. With an end it fires again by itself."
    lines = (WHY, UNTIL, Line("who", "who", who))
    return LinesForm(f"Take alert {alert.rule}", note, lines, verb="take it", wrong=wrong_answer)


def resolve_form(alert: Alert, who: str) -> LinesForm:
    """Return the form that ends an alert; it fills `why` and `who`."""
    lines = (WHY, Line("who", "who", who))
    note = "Only a later window can raise it again."
    return LinesForm(f"Resolve alert {alert.rule}", note, lines, verb="resolve it", wrong=wrong_answer)


def silence_form(rule: str, endpoint: str, who: str) -> LinesForm:
    """Return the form that silences a rule on an endpoint; it fills `why`, `until` and `who`."""
    note = f"Alerts of this rule on {endpoint or 'every endpoint'} are seen but ask for nobody, at most 30 days."
    lines = (
        Line("why", "why is nobody needed"),
        Line("until", "until (2h, 1d, a time)", "2h"),
        Line("who", "who", who),
    )
    return LinesForm(f"Silence {rule}", note, lines, verb="silence it", wrong=wrong_silence)


def wrong_answer(filled: dict[str, str]) -> str:
    """Return what is wrong with who, why and (where it is asked) until; empty when nothing is."""
    if not filled["who"] or not filled["why"]:
        return "Say who you are and why."
    return wrong_end(filled.get("until", ""))


def wrong_silence(filled: dict[str, str]) -> str:
    """Return what is wrong with a silence; empty when nothing is."""
    if not filled["until"]:
        return "A silence needs an end."
    return wrong_answer(filled) or ("" if ends(filled) - now_ms() <= LONGEST_MS else "A silence lasts at most 30 days.")


def wrong_end(text: str) -> str:
    """Return what is wrong with an end; none is wanted where the text is empty."""
    try:
        return "" if not text or end_in(text, now_ms()) > now_ms() else "That end is past."
    except BadInput as error:
        return f"{error.problem} {error.remedy}"


def ends(filled: dict[str, str]) -> int:
    """Return the end that was filled in, epoch ms."""
    return end_in(filled["until"], now_ms())
