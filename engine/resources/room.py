"""ResourcesRoom: the machine, its processes, its GPUs, the pool and its use, as the workspace sees them."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import Infrastructure, load_config
from lemnis.engine.errors import NotFound
from lemnis.engine.resources import closeup, history, marks
from lemnis.engine.resources.accounting.disk import disk_uses
from lemnis.engine.resources.accounting.records import DiskUse, Idle, Usage
from lemnis.engine.resources.accounts import what_if
from lemnis.engine.resources.allocations import pool_state
from lemnis.engine.resources.lengths import lengths
from lemnis.engine.resources.owners import our_pids, owners, with_gpus, with_owners
from lemnis.engine.resources.records import (
    GpuReport,
    History,
    HostSample,
    Mark,
    PoolState,
    ProcessDetail,
    ProcessTable,
)
from lemnis.engine.resources.scheduling.forecast import Start, forecast
from lemnis.engine.resources.shares import Change, WhatIf
from lemnis.engine.resources.situation import Reader, Situation
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.resources.following import ProcessReader
    from lemnis.engine.resources.host import HostReader
    from lemnis.engine.resources.planning import Plan

NOW_S, LOOKING_S = 0.9, 5.0  # the live figures are of about the last second, for whoever looks all the time
FRESH_MS = 5_000  # an older reading means that the sampler is down: this process reads for itself
GPU_FRESH_MS = 30_000  # the device service repeats itself every 10 s at least
DISK_EVERY_S = 30.0
FORECAST_EVERY_S = 3.0
PASTS_KEPT = 64  # answers of `histories` that are gone on from


class ResourcesRoom:
    """What the machine does now and did lately. Any thread may call."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._situations = Reader(store)
        self._told: tuple[float, list[tuple[int, int, int | None]], dict[int, int], dict[int, Start]] | None = None
        self._own: tuple[HostReader, ProcessReader] | None = None
        self._now: tuple[float, HostReader] | None = None
        self._pasts: dict[tuple[str, tuple[str, ...], int, int], History] = {}
        self._disk: tuple[float, list[DiskUse]] | None = None
        self._planning = threading.Lock()
        # What moved, its state where that is known, and the plan.
        self._plan: tuple[tuple[object, ...], tuple[object, ...] | None, Plan] | None = None

    def host(self) -> HostSample:
        """Return the newest reading of the machine; `at` says how old it is.

        It is the sampler's when that is alive; otherwise this process reads, and rates are over the time since its
        own reading before (None at first).
        """
        if self.store.at is not None:
            return history.host_then(self.store, self.store.at)
        row = self._latest("host", FRESH_MS)
        if row is not None:
            return msgspec.json.decode(row["sample"], type=HostSample)
        return self._readers()[0].read()

    def now(self) -> HostSample:
        """Return what the machine does at this moment, over about the last second, however often that is asked.

        This process reads; the first time, and after a while without a look, it is what `host` says.
        """
        if self.store.at is not None:
            return self.host()
        with self._lock:
            looked_s, reader = self._now or (0.0, None)
            if reader is None or monotonic_s() - looked_s > LOOKING_S:
                reader = own_host(self.store.workspace.root)
            self._now = monotonic_s(), reader
        read = reader.read()
        return self.host() if read.cpu_percent is None else read

    def processes(self) -> ProcessTable:
        """Return the busiest and largest processes and all of this workspace's, each with whom it works for."""
        if self.store.at is not None:
            return ProcessTable(at=self.store.at)
        row = self._latest("processes", FRESH_MS)
        if row is not None:
            table = msgspec.json.decode(row["sample"], type=ProcessTable)
        else:
            table = self._readers()[1].read(our_pids(self.store))
        return self.joined(table, self.gpus())

    def joined(self, table: ProcessTable, gpus: GpuReport) -> ProcessTable:
        """Return a table of processes with whom each works for, and what it holds on the GPUs."""
        return with_gpus(with_owners(table, owners(self.store), root=str(self.store.workspace.root)), gpus)

    def matching(self, processes: ProcessTable, query: str) -> ProcessTable:
        """Return the rows that a query finds; raises QueryError when it can't be read."""
        from lemnis.engine.resources.asked import matching

        return matching(processes, query)

    def process(self, pid: int, started_ticks: int) -> ProcessDetail:
        """Return one process looked at closely; raises NotFound when it has ended."""
        found = closeup.look_at(pid, started_ticks)
        table = ProcessTable(at=found.at, rows=[found.process])
        return msgspec.structs.replace(found, process=self.joined(table, self.gpus()).rows[0])

    def signal(self, pid: int, started_ticks: int, name: str) -> None:
        """Send a signal to exactly this process; see `closeup.send`.

        Raises:
            ReadOnly: The workspace was opened read-only.
        """
        self.store.check_writable()
        closeup.send(pid, started_ticks, name)

    def gpus(self) -> GpuReport:
        """Return the GPUs, or the reason in words why there is nothing to show; never an old reading as a live one."""
        if self.store.at is not None:
            return GpuReport(at=self.store.at, reason="what each GPU held then is not kept; the chart has its means")
        row = self.store.row("select at, sample from latest where name = 'gpu'", name="metrics")
        if row is None:
            nothing = "no reading yet: the engine's device service has not reported"
            return GpuReport(at=self.store.now_ms(), reason=nothing)
        report = msgspec.json.decode(row["sample"], type=GpuReport)
        silent_s = (self.store.now_ms() - report.at) // 1000
        if silent_s * 1000 > GPU_FRESH_MS:
            return GpuReport(
                at=report.at, driver=report.driver, reason=f"the device service has been silent for {silent_s:,} s"
            )
        return report

    def history(self, source: str, metric: str, seconds: int = 900, points: int = 150) -> History:
        """Return one figure of the last `seconds` in `points` steps; `histories` gives several at once."""
        return self.histories(source, [metric], seconds, points)

    def histories(self, source: str, metrics: list[str], seconds: int = 900, points: int = 150) -> History:
        """Return figures of a source over time.

        Args:
            source: ``host`` or ``gpu:0`` …; see `sources`.
            metrics: Names as in HostSample or Gpu; see `metrics`.
            seconds: How far back, at most 30 days.
            points: How many steps at most; see `history.history`.
        """
        at = self.store.now_ms()
        age_s = (now_ms() - at) // 1000
        asked = (source, tuple(metrics), seconds, points)
        before = self._pasts.get(asked) if self.store.at is None else None
        found = history.history(
            self.store, source, metrics, seconds=seconds, points=points, now_ms=at, age_s=age_s, before=before
        )
        if len(self._pasts) > PASTS_KEPT:
            self._pasts.clear()
        self._pasts[asked] = found
        return found

    def cores(self, seconds: int = 900, points: int = 150) -> History:
        """Return how busy each core was over time, 0..100 by its number; see `histories`."""
        names = [str(core) for core in range(len(self.host().core_percents) or os.cpu_count() or 1)]
        return self.histories("cores", names, seconds, points)

    def marks(self, seconds: int = 900) -> list[Mark]:
        """Return the jobs that started or ended in the last `seconds`, the oldest first."""
        at = self.store.now_ms()
        return marks.marks(self.store, at - seconds * 1000, at)

    def sources(self) -> dict[str, list[str]]:
        """Return what history there is: the metrics of each source."""
        rows = self.store.rows(
            """select source, sample from telemetry t where resolution = 1 and at =
               (select max(at) from telemetry u where u.source = t.source and u.resolution = 1)""",
            name="metrics",
        )
        return {row["source"]: list(history.decode(row["sample"])) for row in rows}

    def check_metric(self, source: str, metric: str) -> None:
        """Raise NotFound, naming what there is, unless this figure has a history."""
        known = self.sources()
        if source not in known:
            raise NotFound(
                f"There is no history of {source!r}.", f"Sources: {', '.join(known) or 'none yet, start the engine'}."
            )
        if metric not in known[source]:
            raise NotFound(f"{source} has no metric {metric!r}.", f"Metrics: {', '.join(known[source])}.")

    def pool(self, processes: ProcessTable | None = None) -> PoolState:
        """Return what jobs may hold, what each live job holds and uses, and why each queued one waits.

        Args:
            processes: What `processes()` returned a moment ago, to spare reading it again.
        """
        with self._lock:
            situation = self._situations.read()
            left, starts = self._expected(situation)
        return pool_state(self.store, situation, processes or self.processes(), left, starts)

    def what_if(self, job_id: int, change: Change) -> WhatIf:
        """Return what would become of the line were a waiting job changed; see `accounts.what_if`."""
        with self._lock:
            situation = self._situations.read()
        return what_if(self.store, situation, job_id, change)

    def _expected(self, situation: Situation) -> tuple[dict[int, int], dict[int, Start]]:
        """Return how long jobs still run and when the others start, told anew every few seconds or when jobs moved."""
        key = [(one.job_id, one.priority, one.stops_for) for one in (*situation.queued, *situation.running)]
        if self._told is None or self._told[1] != key or monotonic_s() - self._told[0] > FORECAST_EVERY_S:
            left = lengths(self.store, situation)
            starts = forecast(situation.queued, situation.running, situation.pool, situation.policy, left)
            self._told = (monotonic_s(), key, left, starts)
        return self._told[2:]

    def plan(self, expected: Infrastructure | None = None) -> "Plan":
        """Return what infrastructure an expected volume needs, by what this machine measured.

        Args:
            expected: The volume; None for [infrastructure] of lemnis.toml.

        Raises:
            ConfigError: lemnis.toml is not accepted.
            NotFound: There is no such preset.
        """
        from lemnis.engine.resources.planning.grounds import make_plan, moved_of, state_of

        with self._planning:
            moved = (expected, *moved_of(self.store))
            if self._plan is not None and self._plan[0] == moved:
                return self._plan[2]
            # The first plan has none to be compared with, and nobody waits for its state.
            state = None if self._plan is None else (*moved[:2], *state_of(self.store))
            known = self._plan is not None and self._plan[1] == state
            plan = self._plan[2] if self._plan is not None and known else make_plan(self.store, expected)
            self._plan = (moved, state, plan)
            return plan

    def usage(self, days: float = 7, by: Sequence[str] = ("project", "week")) -> Usage:
        """Return what jobs and services of the last `days` held, used and cost, and what lies on disk.

        Args:
            days: How far back.
            by: What jobs are added up by, of `accounting.report.RESPECTS`.
        """
        from lemnis.engine.resources.accounting.book import usage_of

        config, until = load_config(self.store.workspace.config), self.store.now_ms()
        return usage_of(self.store, config, (until - round(days * 86_400_000), until), by, self.disk())

    def idle(self) -> list[Idle]:
        """Return the live jobs that hold what they hardly use, the longest first; none in the past."""
        if self.store.at is not None:
            return []
        from lemnis.engine.resources.accounting.book import idle_jobs, open_book

        book = open_book(load_config(self.store.workspace.config))
        return idle_jobs(self.store, book, self.store.now_ms())

    def disk(self) -> list[DiskUse]:
        """Return what each part of the workspace takes on disk; counted again after half a minute at the earliest."""
        with self._lock:
            if self._disk is None or monotonic_s() - self._disk[0] > DISK_EVERY_S:
                self._disk = (monotonic_s(), disk_uses(self.store.workspace))
            return self._disk[1]

    def _latest(self, name: str, fresh_ms: int) -> Row | None:
        row = self.store.row("select at, sample from latest where name = ?", [name], name="metrics")
        return row if row is not None and abs(self.store.now_ms() - row["at"]) <= fresh_ms else None

    def _readers(self) -> "tuple[HostReader, ProcessReader]":
        with self._lock:
            if self._own is None:
                self._own = own_readers(self.store.workspace.root)
            return self._own


def own_readers(folder: Path) -> "tuple[HostReader, ProcessReader]":
    """Return readers for a process that has no sampler to ask."""
    from lemnis.engine.resources.following import ProcessReader

    return own_host(folder), ProcessReader()


def own_host(folder: Path) -> "HostReader":
    """Return a reader of the machine whose rates are of about the last second at least."""
    from lemnis.engine.resources.host import HostReader

    return HostReader(folder, NOW_S)
