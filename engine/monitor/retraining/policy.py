"""Whether a cause is trained for now: the policy, one retraining a cause, a cool-down and a weekly budget. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

WEEK_MS = 7 * 86_400_000
POLICY = "policy"  # who, for what no person did
Answer: TypeAlias = Literal["train", "waits", "declined"]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why an endpoint's model should learn again.

    Attributes:
        key: The same as long as it is the same cause.
        since: When it arose, epoch ms.
        lacks: Why nothing can be trained for it yet; empty when it can.
    """

    key: str
    kind: Literal["alert", "stale"]
    endpoint: str
    reason: str
    since: int
    lacks: str = ""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A retraining that was begun: for what, when (epoch ms), by whom, and whether it still waits or runs."""

    cause: str
    endpoint: str
    at: int
    by_policy: bool
    live: bool


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What [retraining] declares."""

    policy: Literal["manual", "suggest", "auto"]
    cool_down_ms: int
    budget: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about a cause.

    Attributes:
        allowed_at: When the next retraining is allowed, epoch ms; None where time alone does not allow it.
    """

    answer: Answer
    why: str
    allowed_at: int | None = None


def decide(cause: Cause, past: Sequence[Past], rules: Rules, now: int) -> Decision | None:
    """Return what is done about a cause now; None when it was trained for already.

    A person's retraining counts for the cool-down of its endpoint, as the model is new then, but not for the budget.

    Args:
        cause: Why one should train.
        past: Every retraining so far.
        rules: What is declared.
        now: Epoch ms.
    """
    if any(one.cause == cause.key for one in past):
        return None
    if rules.policy == "manual":
        return Decision(answer="declined", why="policy = manual: a person begins it")
    if any(one.live and one.endpoint == cause.endpoint for one in past):
        return Decision(answer="waits", why=f"another retraining of {cause.endpoint} is under way")
    if cause.lacks:
        return Decision(answer="waits", why=cause.lacks)
    cooled = max((one.at for one in past if one.endpoint == cause.endpoint), default=-rules.cool_down_ms)
    if now < cooled + rules.cool_down_ms:
        return Decision(
            answer="waits",
            why=f"cool-down after the retraining of {day(cooled)}",
            allowed_at=cooled + rules.cool_down_ms,
        )
    spent = sorted(one.at for one in past if one.by_policy and one.at > now - WEEK_MS)
    if len(spent) >= rules.budget:
        freed = spent[-rules.budget] + WEEK_MS if rules.budget else None
        return Decision(answer="waits", why=f"budget: {len(spent)} of {rules.budget} in seven days", allowed_at=freed)
    after = "a person promotes it" if rules.policy == "suggest" else "it is promoted if every gate passes"
    return Decision(answer="train", why=f"policy = {rules.policy}: a challenger is trained, {after}", allowed_at=now)


def day(ms: int) -> str:
    """Return a time as people write it in UTC: ``2013-07-01 14:05``."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
