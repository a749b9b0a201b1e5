"""Every file system that holds data is told of once, the workspace's first, and a silent server stops nothing."""

import os
import threading
from pathlib import Path

import pytest
from support import until

from lemnis.engine.resources import disks
from lemnis.engine.resources.disks import DiskReader, Share, data_mounts, mount_under, mounts_of, rates, space_of
from lemnis.engine.resources.kernel import DiskCount, disk_counts

MACHINE = r"""
20 1 8:2 / / rw shared:1 - ext4 /dev/sda2 rw
21 20 0:5 / /dev rw - devtmpfs udev rw
22 20 0:20 / /run rw - tmpfs tmpfs rw
23 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw
24 20 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
25 20 0:40 / /home rw - btrfs /dev/nvme0n1p1 rw
26 20 0:40 /old /home/old rw - btrfs /dev/nvme0n1p1 rw
27 20 0:41 / /tank/a rw - zfs tank/a rw
28 20 0:42 / /tank/b rw - zfs tank/b rw
29 20 0:50 / /mnt/big\040data rw - nfs4 server:/export rw
30 20 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
31 20 8:2 /var/log /elsewhere/log rw - ext4 /dev/sda2 rw
""".strip()


def folders(mountinfo: str, workspace: str) -> list[str]:
    mounts = mounts_of(mountinfo)
    return [one.folder for one in data_mounts(mounts, mount_under(workspace, mounts), lambda path: True)]


def test_one_mount_of_each_file_system_is_told_the_workspaces_first() -> None:
    assert folders(MACHINE, "/home/ann/work") == ["/home", "/", "/boot/efi", "/mnt/big data", "/tank/a"]
    assert folders(MACHINE, "/home/old/work")[0] == "/home/old"
    assert folders(MACHINE, "/homes")[0] == "/"


def test_a_container_tells_of_the_hosts_disk_once_and_of_no_single_file() -> None:
    mounts = mounts_of(
        "1 0 0:99 / / rw - overlay overlay rw\n2 1 8:1 /h /etc/hosts rw - ext4 /dev/sda1 rw\n"
        "3 1 8:1 /v /data rw - ext4 /dev/sda1 rw\n4 1 8:1 /w /work rw - ext4 /dev/sda1 rw\nnonsense\n"
    )
    own = mount_under("/root/work", mounts)
    found = data_mounts(mounts, own, lambda path: path != "/etc/hosts")
    assert [one.folder for one in found] == ["/", "/data"]


def test_what_is_mounted_later_hides_what_was_there() -> None:
    mounts = mounts_of("1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n2 0 8:2 / /data rw - xfs /dev/sdb1 rw")
    under = mount_under("/data/x", mounts)
    assert under is not None
    assert under.kind == "xfs"
    assert mount_under("/database", mounts) is None


def test_the_disk_of_a_folder_is_read_as_the_kernel_tells_it(tmp_path: Path) -> None:
    found = DiskReader(tmp_path).read({}, {}, 0.0)[0]
    told = os.statvfs(tmp_path)
    assert found.total_bytes == told.f_frsize * told.f_blocks
    assert found.read_bytes_per_s is None
    assert DiskReader(tmp_path, tmp_path / "none").read({}, {}, 1.0) == []


def test_a_share_is_told_of_as_soon_as_it_answers(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:50 / {tmp_path} rw - nfs4 server:/export rw\n")
    reader = DiskReader(tmp_path, mounts)
    found = until(lambda: share if (share := reader.read({}, {}, 0.0)[0]).total_bytes is not None else None)
    assert (found.device, found.why, found.total_bytes) == ("server:/export", "", space_of(tmp_path).total_bytes)


def test_rates_are_over_the_time_between_two_counts() -> None:
    text = b"   8       0 sda 5 0 10 1 6 0 20 2 0 300 3\n   8       1 sda1 0 0 0 0 0 0 0 0 0 0 0\n"
    counts = disk_counts(text)
    assert counts == {"sda": DiskCount(5120, 10240, 300)}
    assert rates(DiskCount(0, 0, 0), counts["sda"], 2.0) == {
        "read_bytes_per_s": 2560.0, "write_bytes_per_s": 5120.0, "busy_percent": 15.0,
    }  # fmt: skip


def test_a_server_that_does_not_answer_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = threading.Event()

    def slow(folder: str) -> disks.Space:
        answers.wait(30)
        return space_of(tmp_path)

    monkeypatch.setattr(disks, "space_of", slow)
    monkeypatch.setattr(disks, "SILENT_S", 0.0)
    share = Share("/mnt/share")
    assert share.look() == (disks.Space(), "")
    assert until(lambda: share.look()[1]) == "does not answer"
    answers.set()
    assert until(lambda: share.look()[0].total_bytes) == space_of(tmp_path).total_bytes
