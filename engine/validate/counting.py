"""Verdicts that count no rows one by one: how many there are, and how old the newest is. Pure."""

from lemnis.engine.clock import iso_utc
from lemnis.engine.config import Check, parse_age
from lemnis.engine.errors import Unavailable
from lemnis.engine.validate.expectation import Expectation
from lemnis.engine.validate.records import Count, Found
from lemnis.engine.validate.words import age_text, bounds_text, plain_number


def row_count_found(check: Check, rows: int, expected: Expectation | None = None) -> Found:
    """Return how many rows a table has too few or too many, for fixed bounds or for learned ones.

    Raises:
        Unavailable: The bounds are learned, and history is too short.
    """
    low, high, came_from = check.min, check.max, ""
    if expected is not None:
        if not expected.known:
            raise Unavailable(f"{rows:,} rows; {expected.rule}.", "It is judged once there are more versions.")
        low, high = float(expected.low), float(expected.high)
        came_from = f"; {bounds_text(low, high)} expected, {expected.rule}"
    short = max(0, float(low) - rows) if low is not None else 0
    over = max(0, rows - float(high)) if high is not None else 0
    message = f"{rows:,} rows"
    if short or over:
        message += f", {plain_number(short or over)} too {'few' if short else 'many'}"
        message += "" if came_from else f" for {bounds_text(low, high)}"
    return Found(count=Count(failing=int(short + over), total=rows), message=message + came_from, expected=expected)


def freshness_found(check: Check, newest: int | None, now: int, *, later: int = 0) -> Found:
    """Return whether something is too old.

    Args:
        check: What is allowed.
        newest: Epoch ms of the newest time that is not in the future; None when there is none.
        now: Epoch ms.
        later: Rows whose time is after `now`; they prove nothing.

    Raises:
        Unavailable: Nothing has a time.
    """
    what = f"the newest {check.column}" if check.column else f"the last sync of {check.source}"
    if not newest:
        raise Unavailable(f"There is no {what.removeprefix('the ')}.", "Look at the column, or sync the source.")
    old = now - newest > parse_age(check.max_age)
    message = f"{what} is {iso_utc(newest)}, {age_text(now - newest)} old; {check.max_age} allowed"
    message += f"; {later:,} rows lie in the future" if later else ""
    return Found(count=Count(failing=int(old), total=1), message=message)
