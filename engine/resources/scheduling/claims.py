"""What jobs ask for and hold, what the pool has, and what is promised to whom. Pure."""

from collections.abc import Iterable

import msgspec

URGENT = 100  # from this priority on a job also preempts its own account's jobs of lower priority


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU: the share of it that processes of others leave to jobs, and who those are, in words.

    `slice` says that it is a MIG instance: it counts as a GPU, but a process can use only one of several.
    """

    index: str
    slice: bool = False
    share: float = 1.0
    foreign: str = ""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs together may hold: cores, bytes of memory, GPUs (shares of one count).

    `devices` are the GPUs behind that number; without them every whole GPU counts as one, and the rest as a part.
    """

    cores: float
    memory_bytes: int
    gpus: float = 0.0
    devices: tuple[Device, ...] = ()

    @property
    def amounts(self) -> tuple[float, float, float]:
        return (self.cores, float(self.memory_bytes), self.gpus)

    @property
    def units(self) -> tuple[Device, ...]:
        """The GPUs a job can be put on."""
        if self.devices:
            return self.devices
        whole = int(self.gpus)
        rest = self.gpus - whole
        shares = [1.0] * whole + ([rest] if rest > 0 else [])
        return tuple(Device(index=str(index), share=share) for index, share in enumerate(shares))


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one job asks for or holds.

    Attributes:
        account: Whose share it counts against: a project, else a user.
        preemptible: It keeps a checkpoint, or was declared to bear a stop.
        started_at: Epoch ms; None while it waits.
        stops_for: The job it was asked to make room for.
        gang, gang_size: Jobs of one gang start all together or not at all.
        gpus: Where it holds its share, by the GPU's index.
    """

    job_id: int
    cores: float = 1.0
    memory_bytes: int = 0
    gpu: float = 0.0
    priority: int = 50
    created_at: int = 0
    account: str = ""
    preemptible: bool = False
    started_at: int | None = None
    stops_for: int | None = None
    gang: str = ""
    gang_size: int = 0
    gpus: tuple[str, ...] = ()

    @property
    def amounts(self) -> tuple[float, float, float]:
        return (self.cores, float(self.memory_bytes), self.gpu)


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What one account is promised and what it may hold at most; amounts are cores, bytes and GPUs.

    What it holds beyond `guaranteed` is borrowed: it may be taken back for another's guarantee. None is no limit.
    """

    guaranteed: tuple[float, float, float] = (0.0, 0.0, 0.0)
    limit: tuple[float | None, float | None, float | None] = (None, None, None)
    weight: float = 1.0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """By what rules is decided at one moment.

    Attributes:
        now: Epoch ms.
        quotas: Of the accounts that have one; another account is promised nothing and may borrow.
        used: Each account's decayed use, see `fairness.decayed_use`; only their proportion counts.
        grace_ms: How long a job that has started is not preempted.
    """

    now: int = 0
    quotas: dict[str, Quota] = {}
    used: dict[str, float] = {}
    grace_ms: int = 60_000

    def quota(self, account: str) -> Quota:
        """Return the quota of an account."""
        return self.quotas.get(account, NO_QUOTA)


NO_QUOTA = Quota()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided for one queued job.

    Attributes:
        admitted: It starts now.
        why: One sentence.
        refused: It can never start in this pool.
        borrows: It is not within what its account is guaranteed.
        score: What it stands in line by; higher is earlier among those that borrow, and among those that do not.
        preempts: The running jobs that are to make room for it.
        gpus: Where its share of GPUs is, if it starts.
    """

    job_id: int
    admitted: bool
    why: str
    refused: bool = False
    borrows: bool = True
    score: float = 0.0
    preempts: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()


def summed(claims: Iterable[Claim]) -> tuple[float, float, float]:
    """Return what claims ask for together."""
    cores = memory = gpu = 0.0
    for claim in claims:
        cores, memory, gpu = cores + claim.cores, memory + claim.memory_bytes, gpu + claim.gpu
    return cores, memory, gpu
