"""Scratch folders of a process beside its workspace: named after who made them, swept once that process is gone."""

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from lemnis.engine.jobs.processes import Identity, identity_of, is_alive

PREFIX = "lemnis-rows-"
NAME = re.compile(PREFIX + r"(?P<boot>[0-9a-f]{8})-(?P<world>\d+)-(?P<pid>\d+)-(?P<ticks>\d+)-\w+\Z")


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a new folder in the system's place for such, that is removed when it is closed; see `sweep_scratch`."""
    return tempfile.TemporaryDirectory(prefix=own_prefix())


def own_prefix() -> str:
    """Return how the name of a folder of this process begins."""
    return owner_prefix(identity_of(os.getpid()))


def owner_prefix(owner: Identity | None) -> str:
    """Return how the name of a folder begins that a process makes; where it can't be known, it is never swept."""
    if owner is None or not owner.boot_id:
        return PREFIX
    return f"{PREFIX}{owner.boot_id[:8]}-{process_world()}-{owner.pid}-{owner.started_ticks}-"


def process_world() -> int:
    """Return the number of this process's world of pids: containers may share folders, not pids; 0 if unknown."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def sweep_scratch() -> list[Path]:
    """Remove the scratch folders of processes of this user that were killed, and return them.

    A folder goes only if its process, known by pid and start, can be looked for from here and is not there.
    """
    me = identity_of(os.getpid())
    gone: list[Path] = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        match = NAME.match(path.name)
        if match is None or me is None or not mine(path):
            continue
        rebooted = match["boot"] != me.boot_id[:8]
        if not rebooted and int(match["world"]) != process_world():
            continue
        if rebooted or not is_alive(Identity(int(match["pid"]), int(match["ticks"]), me.boot_id)):
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path)
    return gone


def mine(path: Path) -> bool:
    """Say whether this is a folder of this user, and no link to one."""
    with suppress(OSError):
        facts = path.lstat()
        return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    return False
