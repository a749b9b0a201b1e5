"""What accounting tells, as frozen records; None is "not known"."""

import msgspec


class JobUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one job held over its last attempt, what it used of that, and what it costs.

    Attributes:
        project: Whose it is: the project it names, else its user.
        core_hours, gpu_hours, gb_hours: Held. Memory that was not asked for counts as what was resident.
        used_core_hours: Time of cores at work.
        used_gpu_hours: Time of GPUs with at least one kernel, where they were shared a part of it.
        kwh: Of processors and GPUs; `energy` says how it is known: measured, declared (watts of [pool]), or empty.
        cost: Of what was held and of the energy, by the prices of [pool]; None without prices.
        idle_cost: The part of it that nobody used.
    """

    job_id: int
    run_id: int | None
    kind: str
    title: str
    state: str
    user: str
    project: str
    started_at: int
    cores: float
    held_s: float
    core_hours: float
    gpu_hours: float
    gb_hours: float | None = None
    used_core_hours: float | None = None
    used_gpu_hours: float | None = None
    peak_bytes: int | None = None
    memory_bytes: int = 0
    kwh: float | None = None
    energy: str = ""
    cost: float | None = None
    idle_cost: float | None = None

    @property
    def used_cores(self) -> float | None:
        """Cores at work, as a mean over the time they were held."""
        return None if self.used_core_hours is None or not self.held_s else self.used_core_hours * 3600 / self.held_s


class ServiceUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint or another service used while it was up; it holds nothing of the pool, so it costs its use."""

    name: str
    up_s: float
    used_core_hours: float
    gb_hours: float
    gpu_hours: float
    peak_bytes: int
    kwh: float | None = None
    energy: str = ""
    cost: float | None = None
    requests: int | None = None
    cost_per_million: float | None = None


class GroupUse(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that agree in some respects, added up, or all services, which hold no cores: their `core_hours` are 0."""

    keys: dict[str, str]
    jobs: int
    core_hours: float
    used_core_hours: float | None
    gb_hours: float
    gpu_hours: float
    kwh: float | None
    cost: float | None
    idle_cost: float | None


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """A live job that holds what it hardly uses."""

    job_id: int
    title: str
    what: str  # cores, GPU
    held: float
    used: float
    seconds: float  # for how long already
    cost_per_hour: float | None = None

    @property
    def words(self) -> str:
        """`job 12 holds 4 cores and used 0.3 for 20 min`."""
        unit = f"core{'s' if self.held != 1 else ''}" if self.what == "cores" else "GPU"
        return f"job {self.job_id} holds {self.held:g} {unit} and used {self.used:.2g} for {self.seconds / 60:.0f} min"


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What jobs of one kind ask for against what they used, and what would do."""

    what: str
    jobs: int
    cores: float
    used_cores: float  # nine of ten used no more, as a mean over their time
    fitting_cores: int
    memory_bytes: int
    peak_bytes: int  # the most of all
    fitting_memory_bytes: int
    words: str


class DiskUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one part of the workspace takes on disk."""

    name: str
    bytes: int
    files: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Who used this machine through this workspace from `since` to `until`, and what lies on its disk."""

    since: int
    until: int
    currency: str
    groups: list[GroupUse]
    jobs: list[JobUse]
    services: list[ServiceUse]
    idle: list[Idle]
    fits: list[Fit]
    disk: list[DiskUse]
