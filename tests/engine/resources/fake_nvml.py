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

def nvmlDeviceGetClockInfo(handle, kind):
    return 1500 + kind

def nvmlDeviceGetCurrentClocksEventReasons(handle):
    return 4

def nvmlDeviceGetComputeRunningProcesses(handle):
    return [SimpleNamespace(pid=77, usedGpuMemory=None)]

def not_supported(*arguments):
    raise NVMLError_NotSupported("Not Supported")

nvmlDeviceGetFanSpeed = nvmlDeviceGetMigMode = nvmlDeviceGetGraphicsRunningProcesses = not_supported
"""


def write(folder: Path, mode: str) -> None:
    """Make the fake driver behave as `mode` says: works, absent, mismatch, none, lost, hang, crash."""
    folder.mkdir(exist_ok=True)
    (folder / "pynvml.py").write_text(SOURCE)
    (folder / "mode.new").write_text(mode)
    (folder / "mode.new").replace(folder / "mode")
