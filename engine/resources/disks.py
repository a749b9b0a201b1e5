"""The file systems that hold data: the workspace's first, then every other disk and share; one look at each."""

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.resources.kernel import DiskCount
from lemnis.engine.resources.records import Disk

MOST = 12  # file systems that are told of
SPACE_EVERY_S = 10.0  # between two looks at what is mounted and how full it is
SILENT_S = 5.0  # a server that has not answered for so long does not
SMALL_BYTES = 2 << 30  # what is smaller holds no data: a boot loader, a rescue system
IMAGES = frozenset({"squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"})  # full by nature
SHARES = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "9p", "virtiofs", "afs",
        "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "fuse.mount-s3", "fuse.glusterfs",
        "fuse.ceph", "fuse.cephfs",
    }
)  # fmt: skip


class Mount(NamedTuple):
    """A line of /proc/self/mountinfo."""

    number: str  # of the device, 8:1; of what has none, 0:51
    folder: str
    kind: str
    source: str

    @property
    def share(self) -> bool:
        """Whether another machine holds it, which may never answer."""
        return self.kind in SHARES

    @property
    def pool(self) -> str:
        """By what its space is known: its device's number, but of ZFS the pool."""
        return self.source.partition("/")[0] if self.kind == "zfs" else self.number


def mounts_of(mountinfo: str) -> list[Mount]:
    """Return what is mounted, in the kernel's order; what is mounted later hides what was there."""
    found: list[Mount] = []
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        place, what = head.split(), tail.split()
        if len(place) > 4 and len(what) > 1:
            found.append(Mount(place[2], plain(place[4]), what[0], plain(what[1])))
    return found


def plain(path: str) -> str:
    r"""Return a path as it is named: the kernel writes a space as ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def mount_under(folder: str, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount that holds a folder, which is given without links."""
    holding = [one for one in mounts if folder == one.folder or folder.startswith(one.folder.rstrip("/") + "/")]
    return max(reversed(holding), key=lambda one: len(one.folder), default=None)


def data_mounts(mounts: Iterable[Mount], own: Mount | None, is_folder: Callable[[str], bool]) -> list[Mount]:
    """Return one mount for each file system that may hold data, `own` first, the others by their folders.

    Left out are pictures of disks, what lives in memory, layers over another disk, and what is seen at several places.

    Args:
        mounts: As `mounts_of` returns them.
        own: The workspace's, which is kept whatever it is.
        is_folder: Whether a path is one; a container has single files of the host's disk mounted.
    """
    chosen: dict[str, Mount] = {own.pool: own} if own is not None else {}
    for one in sorted(mounts, key=lambda one: (len(one.folder), one.folder)):
        stored = one.source.startswith("/dev/") or one.kind == "zfs"
        if one.pool in chosen or one.kind in IMAGES or not (stored or one.share):
            continue
        if one.share or is_folder(one.folder):
            chosen[one.pool] = one
    first = [one for one in chosen.values() if one is own]
    return first + sorted((one for one in chosen.values() if one is not own), key=lambda one: one.folder)


def device_of(mount: Mount, root: Path = Path("/")) -> str:
    """Return the kernel's name of the disk under a mount, e.g. ``nvme0n1p2``; a share's server; empty without one."""
    if mount.share or mount.kind == "zfs":
        return mount.source
    number = mount.number
    try:
        if number.startswith("0:"):  # Btrfs has a number of its own
            device = os.stat(mount.source).st_rdev
            number = f"{os.major(device)}:{os.minor(device)}"
        link = root / "sys/dev/block" / number
        if link.exists():
            return link.resolve().name
    except OSError:
        pass
    return Path(mount.source).name if mount.source.startswith("/dev/") else ""


class Space(NamedTuple):
    """How full a file system is; None is what it doesn't say."""

    total_bytes: int | None = None
    free_bytes: int | None = None
    files_free_percent: float | None = None


def space_of(folder: str | Path) -> Space:
    """Return size and free space, as a plain user may fill it; nothing where it can't be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return Space()
    files = 100 * found.f_favail / found.f_files if found.f_files else None
    return Space(found.f_frsize * found.f_blocks, found.f_frsize * found.f_bavail, files)


class Share:
    """A file system that another machine holds: asked in a thread, which may wait for ever."""

    def __init__(self, folder: str) -> None:
        self.folder, self.space = folder, Space()
        self._asked_s: float | None = None

    def look(self) -> tuple[Space, str]:
        """Return how full it was when it answered last, and what is wrong now; ask it again."""
        silent_s = monotonic_s() - self._asked_s if self._asked_s is not None else 0.0
        if self._asked_s is None:
            self._asked_s = monotonic_s()
            threading.Thread(target=self._ask, name=f"space of {self.folder}", daemon=True).start()
        return self.space, "does not answer" if silent_s > SILENT_S else ""

    def _ask(self) -> None:
        self.space = space_of(self.folder)
        self._asked_s = None


class DiskReader:
    """Reads what file systems there are, how full they are and what their disks do. One thread at a time."""

    def __init__(self, folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> None:
        self._folder, self._mountinfo = os.path.realpath(folder), mountinfo
        self._shares: dict[str, Share] = {}
        self._disks: list[Disk] = []
        self._looked_s: float | None = None

    def read(self, before: Mapping[str, DiskCount], after: Mapping[str, DiskCount], seconds: float) -> list[Disk]:
        """Return the file systems, the workspace's first, with the rates between two counts of their disks."""
        asked = any(disk.total_bytes is None and not disk.why for disk in self._disks)  # a server that may answer now
        if self._looked_s is None or asked or monotonic_s() - self._looked_s > SPACE_EVERY_S:
            self._looked_s, self._disks = monotonic_s(), self._look()
        return [
            msgspec.structs.replace(disk, **rates(before[disk.device], after[disk.device], seconds))
            if disk.device in before and disk.device in after and seconds > 0
            else disk
            for disk in self._disks
        ]

    def _look(self) -> list[Disk]:
        try:
            mounts = mounts_of(self._mountinfo.read_text(errors="replace"))
        except OSError:
            return []
        own = mount_under(self._folder, mounts)
        found = [self._disk(one) for one in data_mounts(mounts, own, os.path.isdir)]
        self._shares = {disk.folder: self._shares[disk.folder] for disk in found if disk.folder in self._shares}
        large = [one for one in found[1:] if one.total_bytes is None or one.total_bytes >= SMALL_BYTES]
        return [*found[:1], *large][:MOST] if own is not None else large[:MOST]

    def _disk(self, mount: Mount) -> Disk:
        why = ""
        if mount.share:
            space, why = self._shares.setdefault(mount.folder, Share(mount.folder)).look()
        else:
            space = space_of(mount.folder)
            why = "can't be read" if space.total_bytes is None else ""
        return Disk(folder=mount.folder, kind=mount.kind, device=device_of(mount), why=why, **space._asdict())


def rates(before: DiskCount, after: DiskCount, seconds: float) -> dict[str, float]:
    """Return what a disk did between two counts, by the names of Disk."""
    return {
        "read_bytes_per_s": max(0, after.read_bytes - before.read_bytes) / seconds,
        "write_bytes_per_s": max(0, after.written_bytes - before.written_bytes) / seconds,
        "busy_percent": min(100.0, max(0.0, 100 * (after.busy_ms - before.busy_ms) / (seconds * 1000))),
    }
