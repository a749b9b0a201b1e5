"""Regular expressions that can't be made to run away: RE2 through Arrow, linear in the text, no backtracking.

The plainest patterns, which both read alike and which can't backtrack far, go through Python's own expressions: a
hundred thousand short texts take a tenth of a second instead of seconds.
"""

import re
from functools import lru_cache
from typing import Any

LONGEST = 500  # characters of a pattern
SHORT = 500  # characters of a text
# Letters, any character, a class, at most one `.*` in each alternative; no groups, no other repeats.
PART = r"(?:[\w /:@#%,=~-]|\\[.d]|\.(?!\*)|\[[A-Za-z0-9_. -]+\])*"
PLAIN = re.compile(rf"\^?{PART}(?:\.\*{PART})?\$?(?:\|\^?{PART}(?:\.\*{PART})?\$?)*")


def pattern_fault(pattern: str) -> str:
    """Return why a pattern can't be used, or an empty string if it can."""
    if len(pattern) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    try:
        matches(pattern, "")
    except ValueError as error:  # pyarrow.ArrowInvalid is one
        return str(error).removeprefix("Invalid regular expression: ") or "it is not accepted"
    return ""


@lru_cache(maxsize=64)
def plain(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern for Python, None if it is not plain enough."""
    try:
        return re.compile(pattern, re.ASCII) if PLAIN.fullmatch(pattern) else None
    except re.error:
        return None


def matches(pattern: str, text: str) -> bool:
    """Say whether a pattern is found anywhere in a text.

    Raises:
        ValueError: RE2 does not accept the pattern (it has no look-around and no back-references).
    """
    quick = plain(pattern)
    if quick is not None and len(text) <= SHORT and "\n" not in text:
        return quick.search(text) is not None
    return matches_re2(pattern, text)


@lru_cache(maxsize=8192)
def matches_re2(pattern: str, text: str) -> bool:
    """Say what `matches` says, by RE2."""
    import pyarrow as pa
    import pyarrow.compute as pc

    compute: Any = pc  # Any: Arrow's kernels are made at import time and have no types
    return bool(compute.match_substring_regex(pa.scalar(text), pattern).as_py())


def regexp(pattern: str, value: object) -> bool | None:
    """Answer SQL's ``value regexp pattern``; a missing value has no answer."""
    return None if value is None else matches(pattern, str(value))
