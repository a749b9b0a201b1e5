"""Who is promised what of the pool, what each holds and borrows, and what a change would do to the line."""

import msgspec

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.resources.lengths import lengths
from lemnis.engine.resources.scheduling import schedule
from lemnis.engine.resources.scheduling.claims import summed
from lemnis.engine.resources.scheduling.fairness import shares_of_use
from lemnis.engine.resources.scheduling.forecast import Start, forecast
from lemnis.engine.resources.scheduling.line import guaranteed_of
from lemnis.engine.resources.shares import Account, Change, Fate, Moved, WhatIf
from lemnis.engine.resources.situation import Situation
from lemnis.engine.store import Store

SHOWN_USE = 0.01  # of all use of late: whoever had so much is told of though nothing of theirs runs


def accounts_of(situation: Situation) -> list[Account]:
    """Return every account that has a quota, a job or used much of late; those with a quota first, by name."""
    policy = situation.policy
    names = {claim.account for claim in (*situation.running, *situation.queued)} | set(policy.quotas)
    guaranteed = guaranteed_of(situation.running, policy)
    shares = shares_of_use(policy.used, {name: quota.weight for name, quota in policy.quotas.items()})
    names |= {name for name, part in shares.items() if part >= SHOWN_USE}
    found: list[Account] = []
    for name in sorted(names, key=lambda name: (name not in policy.quotas, name)):
        mine = [claim for claim in situation.running if claim.account == name]
        quota = policy.quota(name)
        found.append(
            Account(
                name=name,
                guaranteed=quota.guaranteed,
                limit=quota.limit,
                held=summed(mine),
                borrowed=summed(claim for claim in mine if claim.job_id not in guaranteed),
                waiting=sum(claim.account == name for claim in situation.queued),
                use=round(shares.get(name, 0.0), 4),
                declared=name in policy.quotas,
            )
        )
    return found


def what_if(store: Store, situation: Situation, job_id: int, change: Change) -> WhatIf:
    """Return what the scheduler would decide were one waiting job changed.

    Raises:
        NotFound: There is no such job.
        BadInput: It does not wait.
    """
    row = store.row("select title, state from jobs where id = ?", [job_id])
    if row is None:
        raise NotFound(f"There is no job {job_id}.", "List them with `lemnis jobs list`.")
    claim = next((one for one in situation.queued if one.job_id == job_id), None)
    if claim is None:
        raise BadInput(f"Job {job_id} is {row['state']}.", "Only what waits can be tried out: see `lemnis jobs list`.")
    left = lengths(store, situation)
    changed = change.of(claim)
    queued = [changed if one.job_id == job_id else one for one in situation.queued]
    before = fates(situation, left)
    after = fates(msgspec.structs.replace(situation, queued=queued), left)
    stopped = {one for fate in after.values() for one in fate.preempts}
    stopped -= {one for fate in before.values() for one in fate.preempts}
    titles = titles_of(store, [*before, *stopped])
    account = {one.job_id: one.account for one in (*situation.queued, *situation.running)}
    others = [
        Moved(
            job_id=other,
            title=titles.get(other, ""),
            account=account[other],
            before=before.get(other, RUNS),
            after=after.get(other, STOPS),
            preempted=other in stopped,
        )
        for other in (*sorted(stopped), *before)
        if other != job_id and (other in stopped or differs(before[other], after[other]))
    ]
    return WhatIf(
        job_id=job_id, title=row["title"], asked=changed, before=before[job_id], after=after[job_id], others=others
    )


RUNS = Fate(place=None, why="runs")
STOPS = Fate(place=None, why="would be stopped at its next checkpoint and wait again")


def fates(situation: Situation, left: dict[int, int]) -> dict[int, Fate]:
    """Return what becomes of every waiting job, in line order."""
    queued, running, pool, policy = situation.queued, situation.running, situation.pool, situation.policy
    starts = forecast(queued, running, pool, policy, left)
    return {
        decision.job_id: Fate(
            place=place,
            why=decision.why,
            preempts=decision.preempts,
            refused=decision.refused,
            start=Start(at=policy.now) if decision.admitted else starts.get(decision.job_id, Start()),
        )
        for place, decision in enumerate(schedule(queued, running, pool, policy), start=1)
    }


def differs(before: Fate, after: Fate) -> bool:
    """Say whether a job would start at another time, or stand elsewhere; a second is no difference.

    Where one that can never start stands in line means nothing.
    """
    if before.refused and after.refused:
        return False
    if (before.start.at is None) != (after.start.at is None):
        return True
    if before.start.at is not None and after.start.at is not None:
        return abs(before.start.at - after.start.at) >= 1000
    return before.place != after.place


def titles_of(store: Store, ids: list[int]) -> dict[int, str]:
    """Return the titles of jobs."""
    rows = store.rows("select id, title from jobs where id in (select value from json_each(?))", [f"{ids}"])
    return {row["id"]: row["title"] for row in rows}
