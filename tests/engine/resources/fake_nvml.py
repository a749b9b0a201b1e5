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
class NVMLError_NotFound(NVMLError): pass

class Slice:  # a MIG instance: of its own it has a name, memory and processes, no load, power or temperature
    def __init__(self, handle, index):
        self.handle, self.index = handle, index

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
    return SimpleNamespace(used=2**30, total=2**33 if isinstance(handle, Slice) else 2**34)

def nvmlDeviceGetUUID(handle):
    return f"MIG-{handle.handle}-{handle.index}" if isinstance(handle, Slice) else f"GPU-{handle}"

def nvmlDeviceGetName(handle):
    return "Fake [red]900 MIG 1g.8gb" if isinstance(handle, Slice) else "Fake [red]900"

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
    if isinstance(handle, Slice) and handle.index:
        return []
    return [SimpleNamespace(pid=77, usedGpuMemory=None)]

def not_supported(*arguments):
    raise NVMLError_NotSupported("Not Supported")

def nvmlDeviceGetMigMode(handle):  # of the two GPUs the first is divided, into two slices of seven that may be
    if mode() == "mig":
        return [1 - handle, 1 - handle]
    raise NVMLError_NotSupported("Not Supported")

def nvmlDeviceGetMaxMigDeviceCount(handle):
    return 7

def nvmlDeviceGetMigDeviceHandleByIndex(handle, index):
    if index in (0, 2):
        return Slice(handle, index)
    raise NVMLError_NotFound("Not Found")

def whole_only(call):
    def asked(handle, *rest):
        return not_supported() if isinstance(handle, Slice) else call(handle, *rest)
    return asked

OF_SLICES = {f"nvmlDeviceGet{what}" for what in ("Count", "MemoryInfo", "UUID", "Name", "ComputeRunningProcesses")}
for name in [name for name in globals() if name.startswith(("nvmlDeviceGet", "nvmlGpmQuery"))]:
    if name not in OF_SLICES:
        globals()[name] = whole_only(globals()[name])

nvmlDeviceGetFanSpeed = nvmlDeviceGetGraphicsRunningProcesses = not_supported

if mode() == "poor":  # a driver that knows nothing but that the device is there
    for name in [name for name in globals() if name.startswith(("nvmlDeviceGet", "nvmlGpm"))]:
        if name not in ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"):
            globals()[name] = not_supported
"""


def write(folder: Path, mode: str) -> None:
    """Make the fake driver behave as a mode: works, mig, absent, mismatch, none, lost, hang, crash, poor, asleep."""
    folder.mkdir(exist_ok=True)
    (folder / "pynvml.py").write_text(SOURCE)
    (folder / "mode.new").write_text(mode)
    (folder / "mode.new").replace(folder / "mode")
