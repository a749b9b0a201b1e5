"""How the codes of a check look: unknown ones, a list's own, and what was done with them: record → cells. Pure."""

from textual.content import Content

from lemnis.engine.config import Code
from lemnis.engine.validate.code_lists import CodeEvent, UnknownCode
from lemnis.tui.format import MISSING, number, when
from lemnis.tui.language import _
from lemnis.tui.widgets import Cell, Col, Row

UNKNOWN_COLUMNS = (
    Col("value", most=32),
    Col("rows", right=True),
    Col("share", "share %", right=True),
    Col("like", "most like", most=24),
    Col("decided", "decided since", flex=True),
)
CODE_COLUMNS = (
    Col("code", most=32),
    Col("start", "from"),
    Col("end", "until"),
    Col("replacement", "stands for / replaced by", most=24),
    Col("meaning", flex=True),
)
EVENT_COLUMNS = (
    Col("at", "when"),
    Col("act"),
    Col("codes", most=24),
    Col("target", "to", most=16),
    Col("who", most=12),
    Col("why", flex=True),
)


def unknown_row(code: UnknownCode, failing: int) -> Row:
    """Return one unknown value; `failing` are all failing rows."""
    part = code.rows / failing if failing else 0.0
    cells: list[Cell] = [code.value, number(code.rows), f"{part * 100:.1f}", code.like or MISSING, code.decided]
    return Row(code.value, cells, [code.value, code.rows, part, code.like, code.decided])


def code_row(code: Code | None, synonym: str = "", stands_for: str = "") -> Row:
    """Return one code of a list, or a synonym and what it stands for; a synonym's key starts with ``=``."""
    if code is None:
        cells: list[Cell] = [synonym, MISSING, MISSING, stands_for, Content.styled(_("synonym"), "$muted")]
        return Row(f"={synonym}", cells, [synonym, "", "", stands_for, ""])
    cells = [code.code, code.start or MISSING, code.end or MISSING, code.replacement, code.meaning]
    return Row(code.code, cells, [code.code, code.start, code.end, code.replacement, code.meaning])


def event_row(event: CodeEvent) -> Row:
    """Return one change of a list; one that was taken back says so."""
    act = _("{act} (undone)").format(act=event.act) if event.undone else event.act
    cells: list[Cell] = [when(event.at), act, ", ".join(event.codes), event.target, event.who or MISSING, event.why]
    return Row(str(event.id), cells, [event.at, event.act, *cells[2:]])
