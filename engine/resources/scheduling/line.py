"""The line: who is within what is guaranteed, who borrows, and who stands before whom. Pure."""

from collections.abc import Sequence

from lemnis.engine.resources.scheduling.claims import Claim, Policy
from lemnis.engine.resources.scheduling.fairness import FAIR_POINTS, shares_of_use
from lemnis.engine.resources.scheduling.fitting import beyond

POINT_MS = 600_000  # ten minutes of waiting are worth a point of priority, so nobody waits for ever


class Line:
    """The order of everything that runs or waits at one moment."""

    def __init__(self, queued: Sequence[Claim], running: Sequence[Claim], policy: Policy) -> None:
        weights = {account: quota.weight for account, quota in policy.quotas.items()}
        self.policy, self.shares = policy, shares_of_use(policy.used, weights)
        self.entitled = {*guaranteed_of(running, policy), *self._entitled(queued, running)}

    def score(self, claim: Claim) -> float:
        """Return the points a job stands in line by: priority, time since it was queued, less what was used of late.

        Source: a weighted sum as in SLURM's multifactor priority.
        """
        waited = max(0, self.policy.now - claim.created_at) / POINT_MS
        return claim.priority + waited - FAIR_POINTS * self.shares.get(claim.account, 0.0)

    def place(self, claim: Claim) -> tuple[bool, float, int, int]:
        """Return where a job stands; smaller is earlier. What is guaranteed goes before what is borrowed."""
        return (claim.job_id not in self.entitled, -self.score(claim), claim.created_at, claim.job_id)

    def behind(self, head: Sequence[Claim], held: Sequence[Claim]) -> list[Claim]:
        """Return the jobs that hold something although they stand behind all of `head`."""
        last = max(self.place(claim) for claim in head)
        return [claim for claim in held if self.place(claim) > last]

    def _entitled(self, queued: Sequence[Claim], running: Sequence[Claim]) -> set[int]:
        """Return the waiting jobs that would be within the guarantee of their account beside all that it holds."""
        held: dict[str, list[Claim]] = {}
        for claim in running:
            held.setdefault(claim.account, []).append(claim)
        found: set[int] = set()
        for claim in sorted(queued, key=lambda claim: (-claim.priority, claim.created_at, claim.job_id)):
            if beyond([claim], held.get(claim.account, []), self.policy.quota(claim.account).guaranteed) is None:
                found.add(claim.job_id)
                held.setdefault(claim.account, []).append(claim)
        return found


def guaranteed_of(running: Sequence[Claim], policy: Policy) -> set[int]:
    """Return the running jobs that count as guaranteed; all others of an account are borrowed.

    Those that can't be preempted count first, so that what is borrowed is what can be taken back.
    """
    counted: dict[str, list[Claim]] = {}
    found: set[int] = set()
    for claim in sorted(running, key=lambda one: (one.preemptible, -one.priority, one.created_at, one.job_id)):
        mine = counted.setdefault(claim.account, [])
        if beyond([claim], mine, policy.quota(claim.account).guaranteed) is None:
            mine.append(claim)
            found.add(claim.job_id)
    return found
