"""Who may start now: queued jobs against what the pool has left, each with a sentence why."""

import msgspec

SLACK = 1e-9  # shares such as 0.1 + 0.2 must not miss a whole by the last bit
NAMED_HOLDERS = 3


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs together may hold: cores, bytes of memory, GPUs (shares of one count)."""

    cores: float
    memory_bytes: int
    gpus: float = 0.0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one job asks for or holds; a higher priority goes first, then the older one (epoch ms)."""

    job_id: int
    cores: float = 1.0
    memory_bytes: int = 0
    gpu: float = 0.0
    priority: int = 50
    created_at: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Where the job stands in line; smaller is earlier."""
        return (-self.priority, self.created_at, self.job_id)

    @property
    def amounts(self) -> tuple[float, float, float]:
        return (self.cores, float(self.memory_bytes), self.gpu)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What admission says of one queued job; `refused` means it can never start in this pool."""

    job_id: int
    admitted: bool
    why: str
    refused: bool = False


def admit(queued: list[Claim], running: list[Claim], pool: Pool) -> list[Decision]:
    """Decide for every queued job, in line order: by priority, then by age.

    Never over-commits: what runs and what is admitted fits the pool in cores, memory and GPUs (GPU shares are summed
    over all devices). A job that is larger than the whole pool is refused. The first job that has to wait reserves:
    one behind it starts only if it would still leave room for the reserving job beside everything else that stands
    behind it, even if none of those ever ended. So small jobs fill gaps but never delay a big one, and any job that
    fits the pool starts once those ahead of it have ended. A job ahead in priority does go first, as asked.
    """
    held = list(running)
    decisions: list[Decision] = []
    head: Claim | None = None
    for claim in sorted(queued, key=lambda claim: claim.place):
        if excess(claim, [], pool) is not None:
            decisions.append(Decision(job_id=claim.job_id, admitted=False, refused=True, why=refusal(claim, pool)))
            continue
        short = excess(claim, held, pool)
        if short is not None:
            why = shortage(claim, held, pool, short)
            head = head or claim
        elif head is not None and excess(claim, [head, *behind(head, held)], pool) is not None:
            why = f"waits behind job {head.job_id}, which is next in line for {wants(head)}"
        else:
            held.append(claim)
            decisions.append(Decision(job_id=claim.job_id, admitted=True, why=f"starts with {wants(claim)}"))
            continue
        decisions.append(Decision(job_id=claim.job_id, admitted=False, why=why))
    return decisions


def behind(head: Claim, held: list[Claim]) -> list[Claim]:
    """Return the jobs that hold something although they stand behind `head` in line."""
    return [claim for claim in held if claim.place > head.place]


def excess(claim: Claim, held: list[Claim], pool: Pool) -> int | None:
    """Return which resource `claim` would overdraw beside `held` (0 cores, 1 memory, 2 GPUs), None if it fits.

    A resource that the claim asks nothing of is never short, so a pool that shrank blocks only what needs it.
    """
    for index, limit in enumerate((pool.cores, float(pool.memory_bytes), pool.gpus)):
        asked = claim.amounts[index]
        if asked > 0 and asked + sum(other.amounts[index] for other in held) > limit + SLACK * max(1.0, limit):
            return index
    return None


def wants(claim: Claim) -> str:
    """Return what a job asks for, e.g. ``2 cores, 1.0 GiB of memory and 0.5 GPU``."""
    parts = [amount(index, asked) for index, asked in enumerate(claim.amounts) if asked > 0]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else "nothing"


def amount(index: int, value: float, *, noun: bool = True) -> str:
    """Return an amount of resource `index` in words; without `noun` the number and its unit only."""
    if index == 1:
        return f"{value / 2**30:.1f} GiB" + (" of memory" if noun else "")
    name = ("core", "", "GPU")[index]
    return f"{value:g}" + (f" {name}{'s' if value > 1 and name == 'core' else ''}" if noun else "")


def refusal(claim: Claim, pool: Pool) -> str:
    """Return why a job can never start here, and what to change."""
    index = excess(claim, [], pool) or 0
    has = (pool.cores, float(pool.memory_bytes), pool.gpus)[index]
    key = ("cores", "memory", "gpus")[index]
    owned = amount(index, has) if has > 0 else "none"
    return f"needs {amount(index, claim.amounts[index])}, the pool has {owned}: ask for less or raise pool.{key}"


def shortage(claim: Claim, held: list[Claim], pool: Pool, index: int) -> str:
    """Return what a job waits for, how much of it is free and who holds the rest."""
    limit = (pool.cores, float(pool.memory_bytes), pool.gpus)[index]
    holders = sorted((other for other in held if other.amounts[index] > 0), key=lambda other: -other.amounts[index])
    free = max(0.0, limit - sum(other.amounts[index] for other in holders))
    named = [f"job {other.job_id} holds {amount(index, other.amounts[index], noun=False)}" for other in holders]
    if len(named) > NAMED_HOLDERS:
        named = [*named[:NAMED_HOLDERS], f"and {len(named) - NAMED_HOLDERS} more"]
    free_number = amount(index, free, noun=False).removesuffix(" GiB")
    available = f"{free_number} of {amount(index, limit, noun=False)} free"
    return f"waits for {amount(index, claim.amounts[index])}: " + ", ".join([available, *named])
