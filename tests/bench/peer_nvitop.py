"""nvitop on a machine without a driver: with a driver that says it has no GPU, as ours is asked to show none."""

# pyright: basic

import ctypes
import sys
from typing import Any

import pynvml

NOTHING = 0  # NVML_SUCCESS: every answer stays zero


def nothing(*arguments: Any) -> int:
    """Answer any question of the driver with nothing."""
    return NOTHING


def main() -> int:
    """Run nvitop; on a machine with a driver as it is."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        pynvml._LoadNvmlLibrary = lambda: None
        pynvml._nvmlGetFunctionPointer = lambda name: nothing
        pynvml.nvmlLib = ctypes.CDLL(None)
    from nvitop.cli import main as nvitop  # pyright: ignore[reportMissingImports]

    return nvitop()


if __name__ == "__main__":
    sys.exit(main())
