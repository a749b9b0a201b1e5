"""The only file that talks to the NVIDIA driver: run as a process of its own, it prints a GpuReport a second.

A driver can hang a call for ever or crash its caller, so nothing else may be at stake here: `device` starts this
program, reads its lines, kills it when it falls silent, and says why.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources.records import Gpu, GpuProcess, GpuReport

PERIOD_S = 1.0
RECENT_US = 2_000_000  # how far back the kernels of a process are counted
PR_SET_PDEATHSIG = 1
REASONS = {
    "LibraryNotFound": "no NVIDIA driver: libnvidia-ml.so.1 is not on this machine",
    "DriverNotLoaded": "the NVIDIA driver is installed but not loaded",
    "LibRmVersionMismatch": "the NVIDIA driver and its library have different versions; reboot or reload the driver",
    "NoPermission": "this user may not talk to the NVIDIA driver",
    "GpuIsLost": "the GPU has fallen off the bus or is otherwise lost",
    "ResetRequired": "the GPU must be reset before it can be used",
}
THROTTLES = (
    (0x08 | 0x40 | 0x20, "thermal or hardware slowdown"),
    (0x80, "power brake"),
    (0x04, "power cap"),
)


class Driver:
    """The NVML calls of one process. Any: the pynvml module has no types."""

    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        nvml.nvmlInit()
        self.version = str(self.ask(nvml.nvmlSystemGetDriverVersion) or "")
        self.activity = Activity(self)

    def report(self) -> GpuReport:
        """Read every GPU; one that is lost doesn't hide the others."""
        count = self.nvml.nvmlDeviceGetCount()
        devices = [gpu for index in range(count) for gpu in self.gpus(index)]
        reason = "" if devices else "the NVIDIA driver sees no GPU"
        return GpuReport(at=now_ms(), devices=devices, reason=reason, driver=self.version)

    def gpus(self, index: int) -> list[Gpu]:
        """Return one GPU and, where it is divided, its MIG slices."""
        try:
            handle = self.nvml.nvmlDeviceGetHandleByIndex(index)
            mig = bool((self.ask(self.nvml.nvmlDeviceGetMigMode, handle) or [0])[0])
            whole = self.gpu(handle, str(index), mig=mig)
            slices = self.ask(self.nvml.nvmlDeviceGetMaxMigDeviceCount, handle) if mig else 0
            handles = (self.ask(self.nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, n) for n in range(slices or 0))
            parts = [self.gpu(part, f"{index}.{n}", mig=True) for n, part in enumerate(handles) if part]
            # What computes is on a slice; the whole lists it once more.
            return [msgspec.structs.replace(whole, processes=[]) if parts else whole, *parts]
        except self.nvml.NVMLError as error:
            return [Gpu(index=str(index), why=reason_of(error))]

    def gpu(self, handle: Any, index: str, *, mig: bool) -> Gpu:
        """Return the figures of one device; each that the driver doesn't give is None.

        Raises:
            NVMLError: The device is lost: no figure can be trusted.
        """
        nvml, ask = self.nvml, self.ask
        busy = ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        return Gpu(
            index=index,
            uuid=str(ask(nvml.nvmlDeviceGetUUID, handle) or ""),
            name=str(ask(nvml.nvmlDeviceGetName, handle) or ""),
            busy_percent=getattr(busy, "gpu", None),
            memory_busy_percent=getattr(busy, "memory", None),
            sm_active_percent=self.activity.sm_active(handle, index),
            memory_used_bytes=getattr(memory, "used", None),
            memory_total_bytes=getattr(memory, "total", None),
            temperature_celsius=ask(nvml.nvmlDeviceGetTemperature, handle, 0),
            slows_at_celsius=ask(nvml.nvmlDeviceGetTemperatureThreshold, handle, 1),
            stops_at_celsius=ask(nvml.nvmlDeviceGetTemperatureThreshold, handle, 0),
            power_watts=thousandth(ask(nvml.nvmlDeviceGetPowerUsage, handle)),
            power_limit_watts=thousandth(ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)),
            sm_clock_mhz=ask(nvml.nvmlDeviceGetClockInfo, handle, 1),
            sm_clock_most_mhz=ask(nvml.nvmlDeviceGetMaxClockInfo, handle, 1),
            memory_clock_mhz=ask(nvml.nvmlDeviceGetClockInfo, handle, 2),
            fan_percent=ask(nvml.nvmlDeviceGetFanSpeed, handle),
            throttled=throttles(ask(nvml.nvmlDeviceGetCurrentClocksEventReasons, handle)),
            ecc_corrected=ask(nvml.nvmlDeviceGetTotalEccErrors, handle, 0, 0),
            ecc_uncorrected=ask(nvml.nvmlDeviceGetTotalEccErrors, handle, 1, 0),
            mig=mig,
            processes=self.processes(handle),
            **self.bus(handle),
        )

    def bus(self, handle: Any) -> dict[str, Any]:
        """Return what is known of the PCIe link; the driver measures its flow over 20 ms."""
        nvml, ask = self.nvml, self.ask
        return {
            "pcie_generation": ask(nvml.nvmlDeviceGetCurrPcieLinkGeneration, handle),
            "pcie_generation_most": ask(nvml.nvmlDeviceGetMaxPcieLinkGeneration, handle),
            "pcie_lanes": ask(nvml.nvmlDeviceGetCurrPcieLinkWidth, handle),
            "pcie_lanes_most": ask(nvml.nvmlDeviceGetMaxPcieLinkWidth, handle),
            "pcie_received_bytes_per_s": kibibytes(ask(nvml.nvmlDeviceGetPcieThroughput, handle, 1)),
            "pcie_sent_bytes_per_s": kibibytes(ask(nvml.nvmlDeviceGetPcieThroughput, handle, 0)),
        }

    def processes(self, handle: Any) -> list[GpuProcess]:
        """Return who is on the device."""
        lately = now_ms() * 1000 - RECENT_US
        told: list[Any] = self.ask(self.nvml.nvmlDeviceGetProcessUtilization, handle, lately) or []
        busy = {one.pid: one.smUtil for one in told}
        found: list[GpuProcess] = []
        for kind, call in (
            ("compute", self.nvml.nvmlDeviceGetComputeRunningProcesses),
            ("graphics", self.nvml.nvmlDeviceGetGraphicsRunningProcesses),
        ):
            listed: list[Any] = self.ask(call, handle) or []
            for one in listed:
                held = getattr(one, "usedGpuMemory", None)
                found.append(GpuProcess(pid=one.pid, kind=kind, memory_bytes=held, busy_percent=busy.get(one.pid)))
        return found

    def ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the driver answers, None for what this device or driver doesn't know."""
        try:
            return call(*arguments)
        except self.nvml.NVMLError as error:
            if kind_of(error) in ("GpuIsLost", "ResetRequired", "Uninitialized"):
                raise
            return None


class Activity:
    """How much of each GPU's multiprocessors had work since the reading before, where the driver counts that (GPM)."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.before: dict[str, Any] = {}  # Any: a sample of the driver's own

    def sm_active(self, handle: Any, index: str) -> float | None:
        """Return the share, 0..100; None at the first reading and where it is not counted (before Hopper, MIG)."""
        nvml, ask = self.driver.nvml, self.driver.ask
        if index not in self.before:
            counted = getattr(ask(nvml.nvmlGpmQueryDeviceSupport, handle), "isSupportedDevice", 0)
            self.before[index] = self.sample(handle) if counted else None
            return None
        before = self.before[index]
        if before is None:
            return None
        after = self.before[index] = self.sample(handle)
        asked = nvml.c_nvmlGpmMetricsGet_t()
        asked.version = nvml.NVML_GPM_METRICS_GET_VERSION
        asked.numMetrics, asked.sample1, asked.sample2 = 1, before, after
        asked.metrics[0].metricId = nvml.NVML_GPM_METRIC_SM_UTIL
        told = ask(nvml.nvmlGpmMetricsGet, asked) if after is not None else None
        ask(nvml.nvmlGpmSampleFree, before)
        metric = (told or asked).metrics[0]
        return float(metric.value) if told is not None and metric.nvmlReturn == 0 else None

    def sample(self, handle: Any) -> Any:
        """Return the counters now; None where the driver does not give them."""
        ask = self.driver.ask
        sample = ask(self.driver.nvml.nvmlGpmSampleAlloc)
        return ask(self.driver.nvml.nvmlGpmSampleGet, handle, sample) if sample is not None else None


def kind_of(error: Exception) -> str:
    """Return the kind of an NVML error, e.g. ``GpuIsLost``."""
    return type(error).__name__.removeprefix("NVMLError_")


def reason_of(error: Exception) -> str:
    """Return an NVML error in words."""
    return REASONS.get(kind_of(error), f"the NVIDIA driver says: {error}")


def thousandth(value: int | None) -> float | None:
    """Return milliwatts as watts."""
    return None if value is None else value / 1000


def kibibytes(value: int | None) -> float | None:
    """Return kibibytes as bytes."""
    return None if value is None else value * 1024.0


def throttles(bits: int | None) -> str:
    """Return what slows the clocks down now, in words."""
    return ", ".join(word for mask, word in THROTTLES if (bits or 0) & mask)


def say(report: GpuReport) -> None:
    """Hand one report to the reader of our output."""
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


def awake() -> None:
    """Tell the reader that the driver is awake: from here on each reading takes little time."""
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Print a report a second until the reader is gone, or one with the reason why there is none."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a hung call must not outlive its reader
    try:
        import pynvml
    except ImportError:
        say(GpuReport(at=now_ms(), reason="the package nvidia-ml-py is not installed"))
        return 0
    try:
        driver = Driver(pynvml)
        awake()
        begun = monotonic_s()
        while (report := driver.report()).devices:
            say(report)
            time.sleep(max(PERIOD_S / 4, PERIOD_S - (monotonic_s() - begun)))  # the flow over PCIe takes its time
            begun = monotonic_s()
        say(report)
    except pynvml.NVMLError as error:
        say(GpuReport(at=now_ms(), reason=reason_of(error)))
    except BrokenPipeError:
        os._exit(0)  # nobody reads; the interpreter must not complain about that
    return 0


if __name__ == "__main__":
    sys.exit(main())
