"""Whom to ask for room: borrowers for what is guaranteed, the least loss first. Pure."""

from collections.abc import Sequence

from lemnis.engine.resources.scheduling.claims import URGENT, Claim, Pool
from lemnis.engine.resources.scheduling.fitting import excess
from lemnis.engine.resources.scheduling.line import Line


def may_preempt(claims: Sequence[Claim], victim: Claim, line: Line) -> bool:
    """Say whether a running job may be asked to make room for claims, were its grace over.

    Claims within their guarantee take back what others borrow; an urgent job takes from its own account's jobs of
    lower priority. A job without a checkpoint is never stopped.
    """
    if not victim.preemptible or victim.stops_for is not None:
        return False
    if all(claim.job_id in line.entitled for claim in claims) and victim.job_id not in line.entitled:
        return True
    urgent = min(claim.priority for claim in claims)
    return urgent >= URGENT > victim.priority and victim.account == claims[0].account


def grace_left_ms(victim: Claim, line: Line) -> int:
    """Return how long a job that has started is still left alone, 0 when it is not any more."""
    return max(0, (victim.started_at or 0) + line.policy.grace_ms - line.policy.now)


def victims(
    claims: Sequence[Claim], held: Sequence[Claim], promised: Sequence[Claim], pool: Pool, line: Line
) -> list[Claim]:
    """Return the fewest jobs whose end makes claims fit beside what stays and what is promised; empty if none would.

    Those furthest back in line go first, of equals the one that has run shortest. `held` leaves out what stops already.
    """
    able = [one for one in held if may_preempt(claims, one, line) and not grace_left_ms(one, line)]
    able.sort(key=lambda one: (line.place(one), one.started_at or 0), reverse=True)
    chosen: list[Claim] = []
    for one in able:
        chosen.append(one)
        if fits_without(claims, held, promised, chosen, pool):
            break
    else:
        return []
    for one in list(chosen):
        rest = [other for other in chosen if other is not one]
        if rest and fits_without(claims, held, promised, rest, pool):
            chosen = rest
    return chosen


def fits_without(
    claims: Sequence[Claim], held: Sequence[Claim], promised: Sequence[Claim], gone: Sequence[Claim], pool: Pool
) -> bool:
    """Say whether claims fit once some jobs are gone."""
    ids = {one.job_id for one in gone}
    return excess(claims, [*(one for one in held if one.job_id not in ids), *promised], pool) is None
