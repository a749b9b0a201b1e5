import os
from typing import Any

import pytest

from lemnis.engine.config import Source
from lemnis.engine.data.sources import Origin, check_unchanged, origins_of
from lemnis.engine.errors import BadInput, NotFound, Unavailable


def origin_of(workspace: Any, name: str, source: Source) -> Origin:
    (origin,) = origins_of(workspace, name, source)
    return origin


def test_pipes_folders_and_devices_are_refused_before_they_are_opened(desk: Any) -> None:
    os.mkfifo(desk.root / "pipe")
    (desk.root / "folder").mkdir()
    for path, word in (("pipe", "a pipe"), ("folder", "a folder"), ("/dev/zero", "a device")):
        with pytest.raises(BadInput, match=word):
            origin_of(desk.engine.workspace, "s", Source(path=path))


def test_a_link_may_not_lead_out_of_the_workspace(desk: Any, tmp_path: Any) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (desk.root / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(BadInput, match="leads out"):
        origin_of(desk.engine.workspace, "s", Source(path="link.csv"))


def test_a_link_inside_the_workspace_is_followed(desk: Any) -> None:
    target = desk.write("real.csv", "a\n1\n")
    (desk.root / "link.csv").symlink_to(target)
    assert origin_of(desk.engine.workspace, "s", Source(path="link.csv")).path == target.resolve()


def test_links_that_go_round_are_refused(desk: Any) -> None:
    (desk.root / "a.csv").symlink_to(desk.root / "b.csv")
    (desk.root / "b.csv").symlink_to(desk.root / "a.csv")
    with pytest.raises(BadInput):
        origin_of(desk.engine.workspace, "s", Source(path="a.csv"))


def test_a_missing_file_says_which(desk: Any) -> None:
    with pytest.raises(NotFound, match=r"none\.csv does not exist"):
        origin_of(desk.engine.workspace, "s", Source(path="none.csv"))


def test_a_file_that_is_written_to_while_it_is_read_is_noticed(desk: Any) -> None:
    path = desk.write("t.csv", "a\n1\n")
    before = origin_of(desk.engine.workspace, "t", Source(path="t.csv"))
    check_unchanged(desk.engine.workspace, Source(path="t.csv"), [before])
    path.write_text("a\n1\n2\n")
    with pytest.raises(Unavailable, match="changed while it was read"):
        check_unchanged(desk.engine.workspace, Source(path="t.csv"), [before])


def test_nothing_is_kept_of_a_file_that_changes_during_the_sync(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lemnis.engine.data import sync

    desk.source("a\n1\n")
    read = sync.rows_of

    def written_meanwhile(*arguments: Any) -> Any:
        rows = read(*arguments)
        desk.write("table.csv", "a\n1\n2\n")
        return rows

    monkeypatch.setattr(sync, "rows_of", written_meanwhile)
    with pytest.raises(BadInput, match="changed while it was read"):
        desk.sync()
    assert desk.engine.data.snapshots() == []
    assert list(desk.engine.workspace.data.glob("*.parquet")) == []
    assert [path.name for path in desk.engine.workspace.data.iterdir()] == []
