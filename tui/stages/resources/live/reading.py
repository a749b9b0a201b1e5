"""One reading of a machine for the live panels, and whoever can give one."""

from typing import Protocol

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.resources import (
    GpuReport,
    History,
    HostSample,
    Mark,
    Process,
    ProcessDetail,
    ProcessTable,
    own_user,
)
from lemnis.tui.stages.resources.live.past import DEFAULT_SPAN, FIGURES, GPU_METRIC

POINTS = 180  # steps of the past
LONG_STEP_S = 5.0


class Source(Protocol):
    """Whoever can read a machine: a workspace's room, or this process."""

    def now(self) -> HostSample: ...
    def processes(self) -> ProcessTable: ...
    def gpus(self) -> GpuReport: ...
    def matching(self, processes: ProcessTable, query: str) -> ProcessTable: ...
    def process(self, pid: int, started_ticks: int) -> ProcessDetail: ...
    def signal(self, pid: int, started_ticks: int, name: str) -> None: ...
    def histories(self, source: str, metrics: list[str], seconds: int = ..., points: int = ...) -> History: ...
    def cores(self, seconds: int = ..., points: int = ...) -> History: ...
    def marks(self, seconds: int = ...) -> list[Mark]: ...


class Wish(Struct, frozen=True):
    """What a person wants to see of the machine."""

    span: int = DEFAULT_SPAN
    query: str = ""
    own: bool = False


class Reading(Struct, frozen=True):
    """Everything the live panels show, read at one moment; `known` are the processes before `wish` left some out."""

    at: int
    wish: Wish
    host: HostSample
    gpus: GpuReport
    known: ProcessTable
    processes: ProcessTable
    past: History
    cores: History
    gpu_past: dict[str, list[float | None]]
    marks: list[Mark]

    @property
    def past_of_all(self) -> History:
        """The past of the host with that of each GPU, which has the same steps."""
        gpus = {f"{GPU_METRIC}{index}": values for index, values in self.gpu_past.items()}
        return msgspec.structs.replace(self.past, values={**self.past.values, **gpus})

    @property
    def by_pid(self) -> dict[int, Process]:
        return {process.pid: process for process in self.known.rows}


def read(source: Source, wish: Wish) -> Reading:
    """Return a reading.

    Raises:
        LemnisError: The machine, its store or the query can't be read.
    """
    host, gpus, known = source.now(), source.gpus(), source.processes()
    past = full(source.histories("host", FIGURES, wish.span, POINTS))
    return Reading(
        at=now_ms(),
        wish=wish,
        host=host,
        gpus=gpus,
        known=known,
        processes=chosen(source, known, wish),
        past=past,
        cores=full(source.cores(wish.span, POINTS)),
        gpu_past={gpu.index: busy_past(source, gpu.index, wish.span) for gpu in gpus.devices if not gpu.why},
        marks=source.marks(wish.span),
    )


def busy_past(source: Source, index: str, span: int) -> list[float | None]:
    """Return how busy one GPU was."""
    return full(source.histories(f"gpu:{index}", ["busy_percent"], span, POINTS)).values["busy_percent"]


def full(past: History) -> History:
    """Return a past without its last step where that is so short that nothing may have been measured in it yet."""
    if past.step_s >= LONG_STEP_S or not past.at:
        return past
    values = {name: series[:-1] for name, series in past.values.items()}
    return msgspec.structs.replace(past, at=past.at[:-1], values=values)


def chosen(source: Source, table: ProcessTable, wish: Wish) -> ProcessTable:
    """Return the processes that are wanted."""
    if wish.query:
        table = source.matching(table, wish.query)
    if wish.own:
        own = own_user()
        table = msgspec.structs.replace(table, rows=[row for row in table.rows if row.user == own])
    return table
