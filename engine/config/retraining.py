"""What lemnis.toml declares of retraining: who decides, how often at most, and on which rows."""

import re
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from lemnis.engine.config.types import Declared
from lemnis.engine.config.validate import parse_age

DAY_MS = 86_400_000

Policy: TypeAlias = Literal["manual", "suggest", "auto"]


class Retraining(Declared, frozen=True):
    """What happens when an alert of drift or performance fires, or a champion's problem was changed.

    Attributes:
        policy: `manual` only says so; `suggest` trains a challenger that a person promotes; `auto` promotes it when
            every gate passes on its bound and it is not worse than the champion.
        cool_down: How long after a retraining of an endpoint the policy begins no other, such as ``12h`` or ``7d``.
        budget: Retrainings that the policy may begin in seven days, over all endpoints.
        window: Which rows a retraining learns from: ``all``, ``last:90d``, ``last:20000rows``, ``last:3windows``, or
            ``decay:30d``: all rows, the weight of each halved for every 30 days of its age.
    """

    policy: Policy = "suggest"
    cool_down: str = "7d"
    budget: Annotated[int, Meta(ge=0, le=1000)] = 3
    window: str = "all"


class Learnt(Struct, frozen=True, kw_only=True):
    """Which rows a training learns from.

    Attributes:
        kind: `all`; the last `days`, `rows` or `windows`; or all of them with a weight that decays by age.
        amount: Days, rows or windows; of `decay` the days after which a weight has halved; 0 for all.
        text: As it was written.
    """

    kind: Literal["all", "days", "rows", "windows", "decay"]
    amount: float
    text: str


def parse_window(text: str) -> Learnt:
    """Return which rows ``all``, ``last:90d``, ``last:20000rows``, ``last:3windows`` or ``decay:30d`` means.

    Raises:
        ValueError: The text means none.
    """
    plain = text.strip()
    if plain == "all":
        return Learnt(kind="all", amount=0, text=plain)
    way, _, rest = plain.partition(":")
    counted = re.fullmatch(r"([1-9][\d_]{0,11}) ?(rows?|windows?)", rest)
    if way == "last" and counted:
        kind = "rows" if counted.group(2).startswith("row") else "windows"
        return Learnt(kind=kind, amount=float(counted.group(1)), text=plain)
    if way in ("last", "decay"):
        days = parse_age(rest) / DAY_MS
        if days > 0:
            return Learnt(kind="days" if way == "last" else "decay", amount=days, text=plain)
    raise ValueError(f"{text!r} is not all, last:90d, last:20000rows, last:3windows or decay:30d")
