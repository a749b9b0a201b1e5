"""Regular expressions that can't be made to run away: RE2 through Arrow, linear in the text, no backtracking."""

from functools import lru_cache
from typing import Any

LONGEST = 500  # characters of a pattern


def pattern_fault(pattern: str) -> str:
    """Return why a pattern can't be used, or an empty string if it can."""
    if len(pattern) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    try:
        matches(pattern, "")
    except ValueError as error:  # pyarrow.ArrowInvalid is one
        return str(error).removeprefix("Invalid regular expression: ") or "it is not accepted"
    return ""


@lru_cache(maxsize=8192)
def matches(pattern: str, text: str) -> bool:
    """Say whether a pattern is found anywhere in a text.

    Raises:
        ValueError: RE2 does not accept the pattern (it has no look-around and no back-references).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    compute: Any = pc  # Any: Arrow's kernels are made at import time and have no types
    return bool(compute.match_substring_regex(pa.scalar(text), pattern).as_py())


def regexp(pattern: str, value: object) -> bool | None:
    """Answer SQL's ``value regexp pattern``; a missing value has no answer."""
    return None if value is None else matches(pattern, str(value))
