"""What a console does when a browser shows it."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def end_with_server() -> None:
    """Have the kernel end this console with the server it draws for: its input alone would not tell."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGTERM)
