"""How far the log of predictions is behind, in words: the traffic figures are the log's. Pure."""

from collections.abc import Sequence

from lemnis.engine.deploy import Endpoint
from lemnis.tui.format import duration, number
from lemnis.tui.language import _

BEHIND_S = 1.0  # a server says what it answered, and the recorder looks, ten times a second


def log_words(endpoint: Endpoint) -> str:
    """Return how far the log of an endpoint is behind, and how many requests it will never have."""
    behind = (
        _("{log_lag_s} behind").format(log_lag_s=duration(endpoint.log_lag_s))
        if endpoint.log_lag_s >= BEHIND_S
        else _("up to date")
    )
    return (
        _("{behind}, ▲ {dropped} requests not logged").format(behind=behind, dropped=number(endpoint.dropped))
        if endpoint.dropped
        else behind
    )


def log_note(endpoints: Sequence[Endpoint]) -> str:
    """Return the same of some endpoints together in fewer words; nothing where their log has all there was."""
    lag_s, dropped = max((one.log_lag_s for one in endpoints), default=0.0), sum(one.dropped for one in endpoints)
    behind = [_("log {lag_s} behind").format(lag_s=duration(lag_s))] if lag_s >= BEHIND_S else []
    return " · ".join([*behind, *([_("▲ {dropped} not logged").format(dropped=number(dropped))] if dropped else [])])
