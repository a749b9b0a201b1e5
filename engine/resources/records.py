"""What Resources tells: the machine, its processes, its GPUs, the pool, as frozen records. None is "not known"."""

import msgspec

from lemnis.engine.resources.scheduling.forecast import Start
from lemnis.engine.resources.shares import Account

SIGNALS = ("TERM", "INT", "HUP", "STOP", "CONT", "KILL")  # what a person may send


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """One file system; rates are of the disk or part of a disk that it lies on. None is what is not known."""

    folder: str  # where it is mounted
    kind: str = ""  # ext4, nfs4 …
    device: str = ""  # nvme0n1p2, server:/export
    why: str = ""  # why it can't be read; empty when it can
    total_bytes: int | None = None
    free_bytes: int | None = None
    files_free_percent: float | None = None  # of the inodes; None where they are made as they are needed
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    busy_percent: float | None = None


class HostSample(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the machine. Percentages are 0..100; rates are over the time since the reading before."""

    at: int  # epoch ms
    cpu_percent: float | None = None  # of all cores together
    core_percents: list[float | None] = []
    user_percent: float | None = None
    system_percent: float | None = None
    wait_percent: float | None = None  # idle, but only because of disk
    steal_percent: float | None = None  # taken by the hypervisor
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None
    cores_total: int = 1  # 0: not known, for a past moment
    cores_usable: float = 1.0  # after affinity and the container's quota
    memory_total_bytes: int | None = None  # of the machine
    memory_usable_bytes: int | None = None  # the machine's or the container's limit, whichever is less
    memory_used_bytes: int | None = None  # within what is usable, without what can be dropped
    memory_cached_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    cpu_pressure_percent: float | None = None  # share of the last 10 s in which some task waited for it (PSI)
    memory_pressure_percent: float | None = None
    disk_pressure_percent: float | None = None
    disk_device: str = ""  # the disk that holds the workspace; empty when the kernel names none
    disk_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_read_bytes_per_s: float | None = None
    disk_write_bytes_per_s: float | None = None
    disk_busy_percent: float | None = None
    disks: list[Disk] = []  # every file system that may hold data, the workspace's first
    net_received_bytes_per_s: float | None = None
    net_sent_bytes_per_s: float | None = None
    uptime_s: float | None = None

    @property
    def memory_percent(self) -> float | None:
        if self.memory_used_bytes is None or not self.memory_usable_bytes:
            return None
        return 100 * self.memory_used_bytes / self.memory_usable_bytes


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the machine; `line` is (pid, start time in clock ticks) of itself and its ancestors."""

    pid: int
    user: str = ""
    name: str = ""
    command: str = ""
    state: str = ""
    threads: int = 1
    nice: int = 0
    cpu_percent: float | None = None  # of one core: 200 is two cores
    cpu_s: float | None = None  # CPU time so far
    memory_bytes: int | None = None  # resident
    started_at: int | None = None  # epoch ms
    line: list[tuple[int, int]] = []
    owner: str = ""  # "run 12 train default", "endpoint:late", "this console"; empty: not of this workspace
    job_id: int | None = None
    run_id: int | None = None
    service: str = ""
    gpu_memory_bytes: int | None = None

    @property
    def key(self) -> str:
        """A name that no other process ever had on this machine since its boot."""
        return f"{self.pid}:{self.started_ticks}"

    @property
    def started_ticks(self) -> int:
        return self.line[0][1] if self.line else 0

    @property
    def parent(self) -> int:
        """The pid of its parent; 0 for those that init took in."""
        return self.line[1][0] if len(self.line) > 1 else 0


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """The busiest processes and all of this workspace's, busiest first."""

    at: int
    total: int = 0
    running: int = 0
    threads: int = 0
    rows: list[Process] = []


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One process on one GPU."""

    pid: int
    kind: str  # compute, graphics
    memory_bytes: int | None = None
    busy_percent: float | None = None  # share of the last second in which its kernels ran


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU (or MIG slice `index` 0.1); a figure the driver doesn't give is None.

    `mig` says that it is divided, or a slice; a divided one has no processes of its own, they are on its slices.
    """

    index: str
    uuid: str = ""
    name: str = ""
    why: str = ""  # why it can't be read; empty when it can
    lost_at: int | None = None  # epoch ms since when it doesn't answer
    busy_percent: float | None = None  # share of time with at least one kernel, as NVML defines it
    sm_active_percent: float | None = None  # share of the multiprocessors' time with a warp on them (GPM, Hopper on)
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    memory_busy_percent: float | None = None  # share of time the memory was read or written
    temperature_celsius: float | None = None
    slows_at_celsius: float | None = None
    stops_at_celsius: float | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    sm_clock_mhz: float | None = None
    sm_clock_most_mhz: float | None = None
    memory_clock_mhz: float | None = None
    pcie_generation: int | None = None
    pcie_generation_most: int | None = None
    pcie_lanes: int | None = None
    pcie_lanes_most: int | None = None
    pcie_received_bytes_per_s: float | None = None
    pcie_sent_bytes_per_s: float | None = None
    ecc_corrected: int | None = None  # bits of memory put right since the driver was loaded
    ecc_uncorrected: int | None = None  # bits that were lost
    fan_percent: float | None = None
    throttled: str = ""  # what slows it down now: thermal, power …
    mig: bool = False
    processes: list[GpuProcess] = []

    @property
    def is_slice(self) -> bool:
        """Whether it is a MIG instance."""
        return "." in self.index

    @property
    def whole(self) -> str:
        """The index of the GPU that it is, or is a slice of."""
        return self.index.partition(".")[0]


class GpuReport(msgspec.Struct, frozen=True, kw_only=True):
    """All GPUs at one moment, or the reason why there is nothing to show."""

    at: int
    devices: list[Gpu] = []
    reason: str = ""
    driver: str = ""

    @property
    def units(self) -> list[Gpu]:
        """What a pool may give away: the GPUs that answer, in place of a divided one its slices."""
        return [gpu for gpu in self.devices if not gpu.why and gpu.mig == gpu.is_slice]

    @property
    def usable(self) -> int:
        """How many GPUs a pool may give away."""
        return len(self.units)


class ProcessDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One process looked at closely; None is what the kernel doesn't tell this user."""

    at: int
    process: Process
    folder: str = ""  # its working directory
    file_descriptors: int | None = None
    memory_peak_bytes: int | None = None
    swap_bytes: int | None = None
    read_bytes: int | None = None  # from disk, so far
    written_bytes: int | None = None
    switched_away: int | None = None  # times it lost the CPU against its will
    cores: str = ""  # that it may run on, as the kernel writes them: 0-3,8
    children: list[int] = []
    ancestors: list[tuple[int, str]] = []  # pid and name, the nearest first


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A job that started or ended at a moment."""

    at: int  # epoch ms
    job_id: int
    run_id: int | None
    kind: str  # what the job does: train, sweep …
    state: str  # "started", or the state it ended in


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over time in equal steps; None where nothing was measured."""

    source: str
    step_s: float
    at: list[int]  # epoch ms, start of each step
    values: dict[str, list[float | None]]


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One live job: what it holds of the pool and what it really uses."""

    job_id: int
    run_id: int | None
    kind: str
    title: str
    state: str
    cores: float
    memory_bytes: int
    gpu: float
    since: int | None  # epoch ms
    executor: str = "local"  # dask: what it holds here is only what its waiting needs
    account: str = ""
    priority: int = 50
    right: str = ""  # by what right it holds it: guaranteed, borrowed, or about to leave it
    borrowed: bool = False
    preemptible: bool = False
    stops_for: int | None = None  # the job it was asked to make room for
    cpus: list[int] = []  # the processors it is bound to
    gpus: list[str] = []
    kept_by: str = ""  # what keeps it to its share of a GPU: MIG, MPS, watchdog; empty for none or a whole one
    limited: bool = False  # it is ended above its memory
    left_s: float | None = None  # how long it still runs, as far as that can be told
    used_cores: float | None = None
    used_memory_bytes: int | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One queued job: what it asks for and why it doesn't run yet."""

    job_id: int
    run_id: int | None
    kind: str
    title: str
    cores: float
    memory_bytes: int
    gpu: float
    priority: int
    since: int  # epoch ms
    why: str
    refused: bool
    account: str = ""
    borrows: bool = True  # it is not within what its account is guaranteed
    score: float = 0.0  # what it stands in line by, see `Line.score`
    start: Start = Start()  # when it is expected to start
    left: str = ""  # how its last start ended, if it has made room before


class PoolState(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool has, who holds it, who waits for it, in line order."""

    cores: float
    memory_bytes: int
    gpus: float
    held_cores: float
    held_memory_bytes: int
    held_gpus: float
    holding: list[Holding]
    waiting: list[Waiting]
    accounts: list[Account] = []
    enforcement: str = ""  # what keeps jobs to their shares of a GPU here; empty without one
