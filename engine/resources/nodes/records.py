"""What is told of machines, as frozen records; None is "not known"."""

import msgspec


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One machine, or one worker of a cluster on it.

    Attributes:
        name: What it calls itself; `address` where it is reached, empty for this machine.
        state: running, paused …, as its scheduler says.
        cpu_percent: Of one core for a worker's process: 200 is two cores. Of all cores for this machine.
        memory_limit_bytes: From which on a worker pauses; of this machine what is usable.
        spilled_bytes: What a worker has put on disk for want of memory.
        gpu_percent, gpu_used_bytes, gpu_total_bytes: Of the GPU that a worker sees first; of this machine all together.
        resources: What its owner lets trainings hold of it.
        running: Keys of tasks that it has; of Lemnis's own the run.
        waiting: Tasks that wait on it.
        silent_s: Since it was last heard of.
    """

    name: str
    address: str = ""
    host: str = ""
    state: str = ""
    threads: int = 0
    cpu_percent: float | None = None
    memory_used_bytes: int | None = None
    memory_limit_bytes: int | None = None
    spilled_bytes: int | None = None
    gpu_name: str = ""
    gpu_percent: float | None = None
    gpu_used_bytes: int | None = None
    gpu_total_bytes: int | None = None
    read_bytes_per_s: float | None = None
    written_bytes_per_s: float | None = None
    resources: dict[str, float] = {}
    running: list[str] = []
    waiting: int = 0
    silent_s: float | None = None


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """All workers at one moment, or the reason why there is nothing to show."""

    at: int
    address: str = ""
    nodes: list[Node] = []
    reason: str = ""
