"""Writes a pynvml into a folder for PYTHONPATH: a driver that works, fails, hangs or crashes on demand."""

from pathlib import Path

SOURCE = """
import ctypes, pathlib, time
from types import SimpleNamespace

MODE = pathlib.Path(__file__).with_name("mode")

class NVMLError(Exception):
    pass

class NVMLError_LibraryNotFound(NVMLError): pass
class NVMLError_LibRmVersionMismatch(NVMLError): pass
class NVMLError_GpuIsLost(NVMLError): pass
class NVMLError_NotSupported(NVMLError): pass

def mode():
    return MODE.read_text()

def nvmlInit():
    if mode() == "asleep":
        time.sleep(60)
    if mode() == "absent":
        raise NVMLError_LibraryNotFound("NVML Shared Library Not Found")
    if mode() == "mismatch":
        raise NVMLError_LibRmVersionMismatch("Driver/library version mismatch")

def nvmlSystemGetDriverVersion():
    return "999.1"

def nvmlDeviceGetCount():
    return 0 if mode() == "none" else 2

def nvmlDeviceGetHandleByIndex(index):
    return index

def nvmlDeviceGetUtilizationRates(handle):
    if mode() == "hang":
        time.sleep(60)
    if mode() == "crash":
        ctypes.string_at(0)
    if mode() == "lost" and handle == 1:
        raise NVMLError_GpuIsLost("GPU is lost")
    return SimpleNamespace(gpu=40 + handle, memory=7)

def nvmlDeviceGetMemoryInfo(handle):
    return SimpleNamespace(used=2**30, total=2**34)

def nvmlDeviceGetUUID(handle):
    return f"GPU-{handle}"

def nvmlDeviceGetName(handle):
    return "Fake [red]900"

def nvmlDeviceGetPowerUsage(handle):
    return 123_400

def nvmlDeviceGetEnforcedPowerLimit(handle):
    return 700_000

def nvmlDeviceGetTemperature(handle, sensor):
    return 55

def nvmlDeviceGetTemperatureThreshold(handle, threshold):
    return 92 - 5 * threshold

def nvmlDeviceGetClockInfo(handle, kind):
    return 1500 + kind

def nvmlDeviceGetMaxClockInfo(handle, kind):
    return 1980

def nvmlDeviceGetCurrPcieLinkGeneration(handle):
    return 4

def nvmlDeviceGetMaxPcieLinkGeneration(handle):
    return 5

def nvmlDeviceGetCurrPcieLinkWidth(handle):
    return 16

def nvmlDeviceGetMaxPcieLinkWidth(handle):
    return 16

def nvmlDeviceGetPcieThroughput(handle, way):
    return 1024 * (1 + way)

def nvmlDeviceGetTotalEccErrors(handle, kind, counter):
    return kind * handle

def nvmlDeviceGetProcessUtilization(handle, since):
    return [SimpleNamespace(pid=77, smUtil=31)]

NVML_GPM_METRICS_GET_VERSION, NVML_GPM_METRIC_SM_UTIL = 1, 2

def nvmlGpmQueryDeviceSupport(handle):
    return SimpleNamespace(isSupportedDevice=1 - handle)

def nvmlGpmSampleAlloc():
    return object()

def nvmlGpmSampleGet(handle, sample):
    return sample

def nvmlGpmSampleFree(sample):
    pass

def c_nvmlGpmMetricsGet_t():
    return SimpleNamespace(metrics=[SimpleNamespace(nvmlReturn=0, value=12.5)])

def nvmlGpmMetricsGet(asked):
    return asked

def nvmlDeviceGetCurrentClocksEventReasons(handle):
    return 4

def nvmlDeviceGetComputeRunningProcesses(handle):
    return [SimpleNamespace(pid=77, usedGpuMemory=None)]

def not_supported(*arguments):
    raise NVMLError_NotSupported("Not Supported")

nvmlDeviceGetFanSpeed = nvmlDeviceGetMigMode = nvmlDeviceGetGraphicsRunningProcesses = not_supported

if mode() == "poor":  # a driver that knows nothing but that the device is there
    for name in [name for name in globals() if name.startswith(("nvmlDeviceGet", "nvmlGpm"))]:
        if name not in ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"):
            globals()[name] = not_supported
"""


def write(folder: Path, mode: str) -> None:
    """Make the fake driver behave as `mode` says: works, absent, mismatch, none, lost, hang, crash, poor, asleep."""
    folder.mkdir(exist_ok=True)
    (folder / "pynvml.py").write_text(SOURCE)
    (folder / "mode.new").write_text(mode)
    (folder / "mode.new").replace(folder / "mode")
