"""The lines that are filled in before a replay starts, and what is wrong with them."""

from typing import Any

from lemnis.engine.clock import parse_ms
from lemnis.tui.screens.form import Line, LinesForm

DAY_S = 86_400.0


def replay_form(endpoint: str, start: str, end: str) -> LinesForm:
    """Return the form that asks what is replayed, filled in with a span worth replaying."""
    lines = (
        Line("from", "from (UTC)", start),
        Line("until", "until", end),
        Line("sample", "share of the rows", "1"),
        Line("days", "days a second (0: all)", "2"),
    )
    note = "Rows the endpoint has not had yet go out in order of time, their labels 30 days later."
    return LinesForm(f"Replay to {endpoint}", note, lines, verb="start", wrong=bad_replay)


def replay_plan(filled: dict[str, str]) -> dict[str, Any]:
    """Return what was filled in as `start_replay` takes it. Any: texts and numbers."""
    speed = float(filled["days"]) * DAY_S
    return {"start": filled["from"], "end": filled["until"], "sample": float(filled["sample"]), "speed": speed}


def bad_replay(filled: dict[str, str]) -> str:
    """Return what is wrong with a replay as it was filled in."""
    try:
        start, end = parse_ms(filled["from"]), parse_ms(filled["until"])
    except ValueError:
        return "Write the days as 2013-07-01."
    try:
        sample, days = float(filled["sample"]), float(filled["days"])
    except ValueError:
        return "The share and the days a second are numbers."
    if start >= end:
        return "The span ends before it starts."
    return "" if 0 < sample <= 1 and days >= 0 else "The share is above 0 up to 1, the days a second at least 0."
