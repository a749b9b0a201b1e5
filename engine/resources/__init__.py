"""The door of Resources: what this machine has, who uses it, who waits for it."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.resources.accounting.records import DiskUse, Fit, GroupUse, Idle, JobUse, ServiceUse, Usage
from lemnis.engine.resources.closeup import SIGNALS
from lemnis.engine.resources.processes import own_user
from lemnis.engine.resources.records import (
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


def __getattr__(name: str) -> Any:  # Any: a module's attribute; ResourcesRoom is typed above
    """Import the room when it is asked for: the driver's process lives without it, and is back the sooner."""
    if name == "ResourcesRoom":
        from lemnis.engine.resources.room import ResourcesRoom

        return ResourcesRoom
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
