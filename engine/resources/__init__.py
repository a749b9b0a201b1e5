"""The door of Resources: what this machine has, who uses it, who waits for it."""

from lemnis.engine.resources.closeup import SIGNALS
from lemnis.engine.resources.pools import Claim, Decision, Pool, admit
from lemnis.engine.resources.processes import own_user
from lemnis.engine.resources.records import (
    DiskUse,
    Gpu,
    GpuProcess,
    GpuReport,
    History,
    Holding,
    HostSample,
    JobUse,
    Mark,
    PoolState,
    Process,
    ProcessDetail,
    ProcessTable,
    Usage,
    Waiting,
)
from lemnis.engine.resources.room import ResourcesRoom

__all__ = [
    "SIGNALS",
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
    "Mark",
    "Pool",
    "PoolState",
    "Process",
    "ProcessDetail",
    "ProcessTable",
    "ResourcesRoom",
    "Usage",
    "Waiting",
    "admit",
    "own_user",
]
