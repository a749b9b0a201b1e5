"""nvitop on a machine without a driver: with a driver that says it has one idle GPU, for it shows none."""

# pyright: basic

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import pynvml


def function(name: str) -> Callable[..., int]:
    """Return a function of the driver: it answers how many GPUs there are, and every other question with zeros."""

    def answer(*arguments: Any) -> int:
        if name.startswith("nvmlDeviceGetCount"):
            arguments[0]._obj.value = 1  # what ctypes' byref points to
        return 0  # NVML_SUCCESS

    return answer


def main() -> int:
    """Run nvitop; on a machine with a driver as it is."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        pynvml._LoadNvmlLibrary = lambda: None
        pynvml._nvmlGetFunctionPointer = function
        pynvml.nvmlLib = ctypes.CDLL(None)
    from nvitop.cli import main as nvitop  # pyright: ignore[reportMissingImports]

    return nvitop()


if __name__ == "__main__":
    sys.exit(main())
