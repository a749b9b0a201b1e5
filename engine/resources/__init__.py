"""The door of Resources: what this machine has, who uses it, who waits for it."""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.resources.accounting.records import DiskUse, Fit, GroupUse, Idle, JobUse, ServiceUse, Usage
from lemnis.engine.resources.processes import own_user
from lemnis.engine.resources.records import (
    SIGNALS,
    Disk,
    Gpu,
    GpuProcess,
    GpuReport,
    History,
    Holding,
    HostSample,
    Mark,
    PoolState,
    Process,
    ProcessDetail,
    ProcessTable,
    Waiting,
)
from lemnis.engine.resources.scheduling.forecast import Start
from lemnis.engine.resources.shares import Account, Change, Fate, Moved, WhatIf

if TYPE_CHECKING:
    from lemnis.engine.resources.room import ResourcesRoom

__all__ = [
    "SIGNALS",
    "Account",
    "Change",
    "Disk",
    "DiskUse",
    "Fate",
    "Fit",
    "Gpu",
    "GpuProcess",
    "GpuReport",
    "GroupUse",
    "History",
    "Holding",
    "HostSample",
    "Idle",
    "JobUse",
    "Mark",
    "Moved",
    "PoolState",
    "Process",
    "ProcessDetail",
    "ProcessTable",
    "ResourcesRoom",
    "ServiceUse",
    "Start",
    "Usage",
    "Waiting",
    "WhatIf",
    "own_user",
]
__getattr__ = later(
    __name__, {"room": ("ResourcesRoom",)}
)  # the driver's process lives without it, and is back the sooner
