"""The GPU service: keeps the driver's process apart, turns its silence or death into words, and tries again."""

import argparse
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.history import Sample, add_sample, tidy
from lemnis.engine.resources.records import Gpu, GpuReport
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

SILENCE_S = 4.0  # a driver that says nothing for so long hangs
AWAKE_S = 20.0  # but so long it may take to wake up: eight GPUs without persistence do
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
SHORT_PAUSE_S, PATIENCE_S = 3.0, 600.0  # GPUs that were there are looked for often, for a while
STEADY_S = 60.0  # after so long without trouble the next pause is short again
REPEAT_S = 10.0  # how often an unchanged reason is written again, so that it does not look stale
TIDY_EVERY_MS = 10_000
KEPT_FIGURES = (
    "busy_percent", "memory_used_bytes", "memory_busy_percent", "temperature_celsius", "power_watts", "sm_clock_mhz",
)  # fmt: skip


class Probe:
    """One life of the driver's process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lemnis.engine.resources.nvml"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._heard_at = monotonic_s()
        self._awake = False
        self._rest = b""
        self._lines: list[bytes] = []

    def next(self, timeout_s: float) -> GpuReport | None:
        """Return the next report, or None when none came in time.

        Raises:
            ProbeEnded: The process died, ended or hangs; it is gone by then. The text says how.
        """
        assert self.process.stdout is not None
        if not self._lines and select.select([self.process.stdout], [], [], timeout_s)[0]:
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                status = self.process.wait()
                self.close()
                raise ProbeEnded(death(status))
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._heard_at, self._awake = monotonic_s(), True
            self._lines = [line for line in lines if line]  # an empty one only says that the driver is awake
        if self._lines:
            return msgspec.json.decode(self._lines.pop(0), type=GpuReport)
        patience_s = SILENCE_S if self._awake else max(SILENCE_S, AWAKE_S)
        if monotonic_s() - self._heard_at > patience_s:
            self.close()
            raise ProbeEnded(f"the NVIDIA driver has not answered for {patience_s:.0f} s", hung=True)
        return None

    def close(self) -> None:
        """End the process; one that hangs inside the kernel is left to it."""
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.5)
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def stuck(self) -> bool:
        """Whether it was ended but is held inside the kernel."""
        return self.process.poll() is None


class ProbeEnded(Exception):
    """The driver's process is gone; `hung` says that it had to be ended."""

    def __init__(self, how: str, *, hung: bool = False) -> None:
        super().__init__(how)
        self.hung = hung


def death(status: int) -> str:
    """Return how the driver's process ended, in words; empty when it ended by itself after saying why."""
    if status >= 0:
        return "" if status == 0 else f"the GPU probe ended with status {status}"
    return f"the NVIDIA driver crashed its probe ({signal.Signals(-status).name})"


class Watch:
    """Follows the GPUs over all lives of the probe; `turn` is called in a loop and never blocks for long."""

    def __init__(self) -> None:
        self.probe: Probe | None = None
        self.known: dict[str, Gpu] = {}
        self.reason = ""
        self.pause_s, self.retry_at = FIRST_PAUSE_S, 0.0
        self.troubled_at = -STEADY_S
        self.troubled_since: float | None = None
        self.said_at = 0.0

    def turn(self, timeout_s: float) -> GpuReport | None:
        """Return a new report when there is one."""
        if self.probe is None:
            if monotonic_s() < self.retry_at:
                return self._repeat(timeout_s)
            self.probe = Probe()
        try:
            report = self.probe.next(timeout_s)
        except ProbeEnded as end:
            self._trouble(waited=end.hung, stuck=self.probe.stuck)
            self.reason = str(end) or self.reason or "the GPU probe ended without a word"
            return self._say(GpuReport(at=now_ms(), reason=self.reason))
        if report is None:
            return None
        self.reason = report.reason
        if any(gpu.why for gpu in report.devices):
            if monotonic_s() >= self.retry_at:  # a lost GPU comes back only for a driver that is asked afresh
                self.probe.close()
                self._trouble()
                self.probe = Probe()  # at once: the others are well
        elif not report.reason and monotonic_s() - self.troubled_at > STEADY_S:
            self.pause_s, self.troubled_since = FIRST_PAUSE_S, None
        return self._say(report)

    def close(self) -> None:
        """End the probe."""
        if self.probe is not None:
            self.probe.close()

    def _trouble(self, *, waited: bool = False, stuck: bool = False) -> None:
        """Decide when the driver is asked afresh.

        Where a silent one was waited for that was pause enough; but one that is stuck in the kernel would not be the
        last, so the pauses grow.
        """
        self.probe, self.troubled_at = None, monotonic_s()
        if self.troubled_since is None:
            self.troubled_since = self.troubled_at
        hopeful = bool(self.known) and not stuck and self.troubled_at - self.troubled_since < PATIENCE_S
        pause_s = min(self.pause_s, SHORT_PAUSE_S if hopeful else LONGEST_PAUSE_S)
        self.retry_at = self.troubled_at + (0.0 if hopeful and waited else pause_s)
        self.pause_s = min(LONGEST_PAUSE_S, self.pause_s * 2)

    def _repeat(self, timeout_s: float) -> GpuReport | None:
        time.sleep(min(timeout_s, max(0.0, self.retry_at - monotonic_s())))
        if monotonic_s() - self.said_at < REPEAT_S:
            return None
        return self._say(GpuReport(at=now_ms(), reason=self.reason))

    def _say(self, report: GpuReport) -> GpuReport:
        self.said_at = monotonic_s()
        report = with_lost(report, self.known)
        self.known = {gpu.index: gpu for gpu in report.devices}
        return report


def with_lost(report: GpuReport, known: dict[str, Gpu]) -> GpuReport:
    """Return the report with every GPU that was seen before and does not answer now as a row that says since when.

    A lost GPU keeps its name and loses its figures: a frozen last value would look alive.
    """
    devices = [lost(known.get(gpu.index, gpu), gpu.why, report.at) if gpu.why else gpu for gpu in report.devices]
    seen = {gpu.index for gpu in devices}
    why = report.reason or "the NVIDIA driver does not list it any more"
    devices += [lost(gpu, why, report.at) for gpu in known.values() if gpu.index not in seen]
    return msgspec.structs.replace(report, devices=sorted(devices, key=lambda gpu: gpu.index))


def lost(gpu: Gpu, why: str, at: int) -> Gpu:
    """Return a GPU without figures, lost since `at` unless it was lost before."""
    return Gpu(index=gpu.index, uuid=gpu.uuid, name=gpu.name, why=why, lost_at=gpu.lost_at or at)


def figures(gpu: Gpu) -> Sample:
    """Return what is kept of a reading for the history."""
    return {name: getattr(gpu, name) for name in KEPT_FIGURES}


def keep(store: Store, report: GpuReport, *, tidy_now: bool) -> None:
    """Write one report: the live row, and a point of history for each GPU that answered."""
    with store.write("metrics") as db:
        db.execute(
            "insert or replace into latest (name, at, sample) values ('gpu', ?, ?)",
            [report.at, msgspec.json.encode(report).decode()],
        )
        for gpu in report.devices:
            if not gpu.why:
                add_sample(db, f"gpu:{gpu.index}", report.at, figures(gpu))
            if tidy_now:
                tidy(db, f"gpu:{gpu.index}", report.at)


def run(store: Store, watch: Watch, stopping: threading.Event) -> None:
    """Follow the GPUs until asked to stop or until the workspace is gone."""
    tidied_at = 0
    while not stopping.is_set() and store.workspace.hidden.exists():
        report = watch.turn(1.0)
        if report is None:
            continue
        due = report.at - tidied_at >= TIDY_EVERY_MS
        tidied_at = report.at if due else tidied_at
        try:
            keep(store, report, tidy_now=due)
        except LemnisError as error:
            print(f"{now_ms()} {error.problem}", flush=True)
    watch.close()


def main() -> int:
    """Follow the GPUs of one workspace's machine until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    workspace = Workspace(parser.parse_args().workspace)
    os.umask(0o077)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    run(Store(workspace), Watch(), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
