"""The door of Resources: what this machine has, who uses it, who waits for it."""

from lemnis.engine.resources.closeup import SIGNALS
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
from lemnis.engine.resources.scheduling.forecast import Start
from lemnis.engine.resources.shares import Account, Change, Fate, Moved, WhatIf

__all__ = [
    "SIGNALS",
    "Account",
    "Change",
    "DiskUse",
    "Fate",
    "Gpu",
    "GpuProcess",
    "GpuReport",
    "History",
    "Holding",
    "HostSample",
    "JobUse",
    "Mark",
    "Moved",
    "PoolState",
    "Process",
    "ProcessDetail",
    "ProcessTable",
    "ResourcesRoom",
    "Start",
    "Usage",
    "Waiting",
    "WhatIf",
    "own_user",
]
