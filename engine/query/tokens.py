"""The words of a query, and what a word can mean: a number, a date, a length of time."""

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from lemnis.engine.query.fields import wrong

MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LENGTH = re.compile(r"(\d+\.?\d*|\.\d+)(ms|s|m|h|d|w)", re.ASCII)
TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<string>"[^"]*"|'[^']*') | (?P<quoted>`[^`]*`)
      | (?P<op><=|>=|!=|<>|==|!~|=~|[=<>~]) | (?P<mark>[(),:]) | (?P<or>\|{1,2}) | (?P<not>!|-(?=[^\s\d.]))
      | (?P<word>(?:[^\s()'"`,|=<>!~:]|(?<=\d):(?=\d\d))+)""",
    re.VERBOSE,
)
SAME = {"==": "=", "<>": "!=", "=~": "~"}


class Token(NamedTuple):
    """One word, quoted text, operator or mark; `end` closes the list."""

    kind: str
    text: str
    at: int  # characters before it


def tokens_of(text: str) -> list[Token]:
    """Split a query; the last token is the end."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            problem = "This quote is not closed." if text[place] in "\"'`" else "This character means nothing here."
            raise wrong(problem, "Close it, or take it away.", place)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match.group(), place))
        place = match.end()
    return [*found, Token("end", "", len(text))]


def number_in(text: str) -> float | None:
    """Return the finite number that a text is, or None."""
    if not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def date_ms(text: str) -> float | None:
    """Return epoch milliseconds of an ISO date or date-time, UTC unless it says otherwise; None if it is none."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None
