"""Why a job starts, waits or never can, in one sentence. Pure."""

from collections.abc import Sequence

from lemnis.engine.resources.scheduling.claims import Claim, Pool, summed
from lemnis.engine.resources.scheduling.fitting import GPU, beyond
from lemnis.engine.resources.scheduling.line import Line
from lemnis.engine.resources.scheduling.preemption import grace_left_ms, may_preempt

NAMED_HOLDERS = 3
KEYS = ("cores", "memory", "gpus")


def amount(index: int, value: float, *, noun: bool = True) -> str:
    """Return an amount of resource `index` in words; without `noun` the number and its unit only."""
    if index == 1:
        return f"{value / 2**30:.1f} GiB" + (" of memory" if noun else "")
    name = ("core", "", "GPU")[index]
    return f"{value:g}" + (f" {name}{'s' if value > 1 and name == 'core' else ''}" if noun else "")


def wants(claims: Sequence[Claim]) -> str:
    """Return what jobs ask for, e.g. ``2 cores, 1.0 GiB of memory and 0.5 GPU``."""
    parts = [amount(index, asked) for index, asked in enumerate(summed(claims)) if asked > 0]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else "nothing"


def named(claims: Sequence[Claim]) -> str:
    """Return jobs by their numbers: ``job 7``, ``jobs 7, 8 and 9``."""
    numbers = [str(claim.job_id) for claim in claims]
    if len(numbers) == 1:
        return f"job {numbers[0]}"
    return f"jobs {', '.join(numbers[:-1])} and {numbers[-1]}"


def owned(claim: Claim) -> str:
    """Return a job and whose it is: ``job 7 (ann)``."""
    return f"job {claim.job_id}" + (f" ({claim.account})" if claim.account else "")


def starts(claims: Sequence[Claim], claim: Claim, line: Line) -> str:
    """Return why a job starts: what it gets, whether that is borrowed, and with how many points."""
    gang = f" together with {len(claims) - 1} more of its gang" if len(claims) > 1 else ""
    whose = ""
    if line.policy.quotas:
        within = claim.job_id in line.entitled
        whose = f", within what {claim.account} is guaranteed" if within else f", borrowed by {claim.account}"
    return f"starts with {wants([claim])}{whose}{gang}"


def refusal(claims: Sequence[Claim], pool: Pool, index: int) -> str:
    """Return why jobs can never start here, and what to change."""
    has = pool.amounts[index]
    owned = amount(index, has) if has > 0 else "none"
    who = "needs" if len(claims) == 1 else f"its gang of {len(claims)} needs"
    asked = amount(index, summed(claims)[index])
    if joins_slices(claims, pool, index) and has >= summed(claims)[index]:
        return f"{who} {asked}, and a process can use one MIG slice only: ask for 1 GPU, or undivide one"
    return f"{who} {asked}, the pool has {owned}: ask for less or raise pool.{KEYS[index]}"


def joins_slices(claims: Sequence[Claim], pool: Pool, index: int) -> bool:
    """Say whether jobs ask for several GPUs at once where some are MIG slices, which are not joined."""
    return index == GPU and any(claim.gpu > 1 for claim in claims) and any(device.slice for device in pool.units)


def above_limit(claims: Sequence[Claim], account: str, limit: float, index: int) -> str:
    """Return why jobs can never start under their account's limit."""
    asked = amount(index, summed(claims)[index])
    return f"needs {asked}, {account} may hold {amount(index, limit)} at most: ask for less or raise its limit"


def at_limit(claims: Sequence[Claim], held: Sequence[Claim], limit: float, index: int) -> str:
    """Return that an account holds too much already for jobs to start."""
    taken = amount(index, summed(held)[index], noun=False)
    asked = amount(index, summed(claims)[index])
    return f"waits for {asked}: {claims[0].account} holds {taken} of {amount(index, limit, noun=False)}, its limit"


def next_in_line(head: Sequence[Claim]) -> str:
    """Return that a job waits for one that stands before it."""
    return f"waits behind {named(head)}, which {'is' if len(head) == 1 else 'are'} next in line for {wants(head)}"


def takes_back(claims: Sequence[Claim], stopping: Sequence[Claim], line: Line) -> str:
    """Return that jobs are asked to make room, and by what right."""
    if all(claim.job_id in line.entitled for claim in claims):
        right = f"{claims[0].account} is guaranteed {wants(claims)}"
    else:
        right = f"its priority is {claims[0].priority}"
    who = " and ".join(owned(one) for one in stopping[:NAMED_HOLDERS])
    more = f" and {len(stopping) - NAMED_HOLDERS} more" if len(stopping) > NAMED_HOLDERS else ""
    each = "stops at its next checkpoint" if len(stopping) == 1 else "stop at their next checkpoints"
    return f"{right}: {who}{more} {each}"


def shortage(claims: Sequence[Claim], held: Sequence[Claim], pool: Pool, index: int, line: Line) -> str:
    """Return what jobs wait for, how much of it is free, who holds the rest, and what can't be taken back yet."""
    limit, asked = pool.amounts[index], summed(claims)[index]
    holders = sorted((other for other in held if other.amounts[index] > 0), key=lambda other: -other.amounts[index])
    has = limit if index != GPU else min(limit, sum(device.share for device in pool.units))
    free = max(0.0, round(has - sum(other.amounts[index] for other in holders), 9))
    told = [f"job {other.job_id} holds {amount(index, other.amounts[index], noun=False)}" for other in holders]
    if len(told) > NAMED_HOLDERS:
        told = [*told[:NAMED_HOLDERS], f"and {len(told) - NAMED_HOLDERS} more"]
    free_number = amount(index, free, noun=False).removesuffix(" GiB")
    available = f"{free_number} of {amount(index, limit, noun=False)} free"
    if index == GPU:
        told += [device.foreign for device in pool.units if device.foreign]
        if free >= asked:
            slices = joins_slices(claims, pool, index)
            available += ", MIG slices are not joined" if slices else ", on no single GPU enough"
    have = ", ".join([available, *told])
    return f"waits for {amount(index, asked)}: {have}{kept_back(claims, holders, line)}"


def kept_back(claims: Sequence[Claim], holders: Sequence[Claim], line: Line) -> str:
    """Return why what is guaranteed is not taken back now; empty where nothing is."""
    if not all(claim.job_id in line.entitled for claim in claims):
        return ""
    borrowed = [one for one in holders if one.job_id not in line.entitled]
    waits = [grace_left_ms(one, line) for one in borrowed if may_preempt(claims, one, line)]
    if any(waits):
        return f"; what is borrowed is taken back in {max(1, min(left for left in waits if left) // 1000)} s"
    if borrowed and not waits:
        return f"; {named(borrowed[:NAMED_HOLDERS])} borrow{'s' if len(borrowed) == 1 else ''} it but can't be stopped"
    return ""


def short_limit(claims: Sequence[Claim], held: Sequence[Claim], line: Line) -> tuple[int, float] | None:
    """Return which limit of their account jobs would pass beside what it holds, and how much it is."""
    limits = line.policy.quota(claims[0].account).limit
    index = beyond(claims, held, limits)
    return None if index is None else (index, limits[index] or 0.0)
