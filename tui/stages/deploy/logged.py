"""How far the log of predictions is behind, in words: the traffic figures are the log's. Pure."""

from collections.abc import Sequence

from lemnis.engine.deploy import Endpoint
from lemnis.tui.format import duration, number

BEHIND_S = 1.0  # a server says what it answered, and the recorder looks, ten times a second


def log_words(endpoint: Endpoint) -> str:
    """Return how far the log of an endpoint is behind, and how many requests it will never have."""
    behind = f"{duration(endpoint.log_lag_s)} behind" if endpoint.log_lag_s >= BEHIND_S else "up to date"
    return f"{behind}, ▲ {number(endpoint.dropped)} requests not logged" if endpoint.dropped else behind


def log_note(endpoints: Sequence[Endpoint]) -> str:
    """Return the same of some endpoints together in fewer words; nothing where their log has all there was."""
    lag_s, dropped = max((one.log_lag_s for one in endpoints), default=0.0), sum(one.dropped for one in endpoints)
    behind = [f"log {duration(lag_s)} behind"] if lag_s >= BEHIND_S else []
    return " · ".join([*behind, *([f"▲ {number(dropped)} not logged"] if dropped else [])])
