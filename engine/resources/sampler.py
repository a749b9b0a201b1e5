"""The sampler: one small process per workspace that reads the machine every second and keeps its history."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.accounting.meter import UseMeter, tidy_used
from lemnis.engine.resources.following import ProcessReader
from lemnis.engine.resources.history import Sample, add_sample, tidy
from lemnis.engine.resources.host import HostReader
from lemnis.engine.resources.owners import Ours
from lemnis.engine.resources.records import GpuReport, HostSample
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

PERIOD_S = 1.0
TIDY_EVERY = 10
KEPT_FIGURES = (
    "cpu_percent", "user_percent", "system_percent", "wait_percent", "steal_percent", "load_1m",
    "memory_percent", "memory_used_bytes", "swap_used_bytes",
    "cpu_pressure_percent", "memory_pressure_percent", "disk_pressure_percent",
    "disk_read_bytes_per_s", "disk_write_bytes_per_s", "disk_busy_percent", "disk_free_bytes",
    "net_received_bytes_per_s", "net_sent_bytes_per_s",
)  # fmt: skip


class Sampler:
    """Takes one reading after another and writes each in one transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.host, self.processes = HostReader(store.workspace.root), ProcessReader()
        self.ours, self.meter, self.turn = Ours(store), UseMeter(), 0

    def sample(self) -> None:
        """Read the machine now and keep it."""
        host = self.host.read()
        self.ours.look()
        table = self.processes.read(self.ours.pids)
        self.meter.take(table, self.ours.owners, busy_cores(host))
        writing = self.turn % TIDY_EVERY == 0
        gpus = self.gpus() if writing else None
        with self.store.write("metrics") as db:
            db.execute(LATEST, ["host", host.at, msgspec.json.encode(host).decode()])
            if host.cpu_percent is not None:  # the first reading has no rates: not worth keeping
                add_sample(db, "host", host.at, figures(host))
                add_sample(db, "cores", host.at, core_figures(host))
            db.execute(LATEST, ["processes", table.at, msgspec.json.encode(table).decode()])
            if writing:
                tidy(db, "host", host.at)
                tidy(db, "cores", host.at)
                tidy_used(db, host.at)
                self.meter.write(db, gpus)
        self.turn += 1

    def gpus(self) -> GpuReport | None:
        """Return the newest report of the device service; None before the first."""
        row = self.store.row("select sample from latest where name = 'gpu'", name="metrics")
        return msgspec.json.decode(row["sample"], type=GpuReport) if row is not None else None


LATEST = "insert or replace into latest (name, at, sample) values (?, ?, ?)"


def busy_cores(host: HostSample) -> float | None:
    """Return how many cores were at work; None for the first reading."""
    return None if host.cpu_percent is None else host.cpu_percent / 100 * host.cores_total


def figures(host: HostSample) -> Sample:
    """Return what is kept of a reading for the history."""
    return {name: getattr(host, name) for name in KEPT_FIGURES}


def core_figures(host: HostSample) -> Sample:
    """Return how busy each core is, by its number; whole percentages are all that a line of blocks can show."""
    return {str(core): None if busy is None else round(busy) for core, busy in enumerate(host.core_percents)}


def run(sampler: Sampler, stopping: threading.Event) -> None:
    """Sample on every whole period until asked to stop or until the workspace is gone."""
    due, complained = monotonic_s(), ""
    while not stopping.is_set() and sampler.store.workspace.hidden.exists():
        try:
            sampler.sample()
            complained = ""
        except LemnisError as error:  # a full disk or a locked store: the next reading may succeed
            if complained != error.problem:
                complained = error.problem
                print(f"{now_ms()} {error.problem}", flush=True)
        due = max(due + PERIOD_S, monotonic_s())
        stopping.wait(due - monotonic_s())


def main() -> int:
    """Sample one workspace's machine until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    workspace = Workspace(parser.parse_args().workspace)
    os.umask(0o077)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    run(Sampler(Store(workspace)), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
