"""One process looked at closely, and signals sent to exactly that process."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.resources.processes import (
    Stat,
    command_line,
    content_of,
    line_of,
    parse_stat,
    process_of,
    read_table,
    said_of,
)
from lemnis.engine.resources.records import SIGNALS, ProcessDetail

T = TypeVar("T")


def look_at(pid: int, started_ticks: int) -> ProcessDetail:
    """Return what the kernel tells of one process; its CPU share is left to whoever reads twice.

    Raises:
        NotFound: It has ended, or its pid belongs to another process by now.
    """
    table = read_table()
    one = table.get(pid)
    if one is None or one.started_ticks != started_ticks:
        raise ended(pid)
    user, command = said_of(one)
    command = told(lambda: command_line(pid, 65_536)) or command
    status = told(lambda: fields_of(f"/proc/{pid}/status")) or {}
    flows = told(lambda: fields_of(f"/proc/{pid}/io")) or {}
    line = line_of(one, table)
    return ProcessDetail(
        at=now_ms(),
        process=process_of(one, line, None, (user, command)),
        folder=told(lambda: os.readlink(f"/proc/{pid}/cwd")) or "",
        file_descriptors=told(lambda: len(os.listdir(f"/proc/{pid}/fd"))),
        memory_peak_bytes=kibibytes(status.get("VmHWM")),
        swap_bytes=kibibytes(status.get("VmSwap")),
        read_bytes=whole(flows.get("read_bytes")),
        written_bytes=whole(flows.get("write_bytes")),
        switched_away=whole(status.get("nonvoluntary_ctxt_switches")),
        cores=status.get("Cpus_allowed_list", ""),
        children=sorted(other.pid for other in table.values() if other.parent == pid),
        ancestors=[(above, table[above].name) for above, _ in line[1:]],
    )


def told(read: Callable[[], T]) -> T | None:
    """Return what a file of the kernel says, None where this user may not read it."""
    try:
        return read()
    except OSError:
        return None


def fields_of(path: str) -> dict[str, str]:
    """Return a file of lines ``name: value`` as a mapping. Raises OSError."""
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        pairs = (line.partition(":") for line in file)
        return {name: value.strip() for name, _, value in pairs}


def whole(text: str | None) -> int | None:
    """Return digits as a number."""
    return int(text) if text and text.isdigit() else None


def kibibytes(text: str | None) -> int | None:
    """Return ``123 kB`` in bytes."""
    number = whole(text.removesuffix("kB").strip()) if text else None
    return None if number is None else number * 1024


def send(pid: int, started_ticks: int, name: str) -> None:
    """Send a signal to one process and to no other that may have its pid by then.

    Args:
        pid: Its number.
        started_ticks: When it started, in clock ticks since boot.
        name: One of SIGNALS.

    Raises:
        BadInput: Not a signal that can be sent here, or this user may not signal that process.
        NotFound: The process has ended.
        Unavailable: The kernel can't hold on to a process (Linux before 5.3).
    """
    if name not in SIGNALS:
        raise BadInput(f"{name!r} is not a signal that can be sent here.", f"Signals: {', '.join(SIGNALS)}.")
    descriptor = -1
    try:
        descriptor = os.pidfd_open(pid)  # from here on the number can't be given to a stranger
        if stat_of(pid).started_ticks != started_ticks:
            raise ended(pid)
        signal.pidfd_send_signal(descriptor, getattr(signal, f"SIG{name}"))
    except (ProcessLookupError, FileNotFoundError):
        raise ended(pid) from None
    except PermissionError:
        raise BadInput(
            f"Process {pid} belongs to another user.", "Ask its owner, or signal it as root.", f"SIG{name}"
        ) from None
    except OSError as error:
        said = f"The kernel refused SIG{name} to {pid}: {error.strerror}."
        raise Unavailable(said, f"Try: kill -{name} {pid}") from None
    finally:
        with suppress(OSError):
            os.close(descriptor)


def stat_of(pid: int) -> Stat:
    """Return one process's fields. Raises OSError when it is gone."""
    return parse_stat(content_of(pid))


def ended(pid: int) -> NotFound:
    """Return the error for a process that is gone."""
    return NotFound(f"Process {pid} has ended.", "The list is read anew every second.")
