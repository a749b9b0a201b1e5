"""The door of Resources: what this machine has, who uses it, who waits for it."""

from lemnis.engine.resources.pools import Claim, Decision, Pool, admit
from lemnis.engine.resources.records import (
    DiskUse,
    Gpu,
    GpuProcess,
    GpuReport,
    History,
    Holding,
    HostSample,
    JobUse,
    PoolState,
    Process,
    ProcessTable,
    Usage,
    Waiting,
)
from lemnis.engine.resources.room import ResourcesRoom

__all__ = [
    "Claim",
    "Decision",
    "DiskUse",
    "Gpu",
    "GpuProcess",
    "GpuReport",
    "History",
    "Holding",
    "HostSample",
    "JobUse",
    "Pool",
    "PoolState",
    "Process",
    "ProcessTable",
    "ResourcesRoom",
    "Usage",
    "Waiting",
    "admit",
]
