"""What is wrong with the lines that were filled in before a replay starts. Pure."""

from lemnis.engine.clock import parse_ms


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
