"""Who may change a workspace, in words."""

from pathlib import Path

import pytest
from support import NOTHING_DECLARED, engine_at

from lemnis.engine.workspace import create_workspace, exposed


def test_a_workspace_that_only_its_owner_changes_says_nothing(tmp_path: Path) -> None:
    assert exposed(create_workspace(tmp_path, NOTHING_DECLARED)) == ""


@pytest.mark.parametrize(
    ("place", "says"),
    [("lemnis.toml", "lemnis.toml"), (".", "flights"), (".lemnis", ".lemnis")],
)
def test_what_everybody_can_change_is_said(tmp_path: Path, place: str, says: str) -> None:
    engine = engine_at(tmp_path / "flights")
    (tmp_path / "flights" / place).chmod(0o777)
    assert engine.notices() == (f"everybody can change {says}: chmod o-w",)


def test_what_another_user_owns_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = create_workspace(tmp_path, NOTHING_DECLARED)
    monkeypatch.setattr("os.getuid", lambda: workspace.config.stat().st_uid + 1)
    there = workspace.config.stat().st_uid
    assert exposed(workspace) == ("" if there == 0 else "lemnis.toml belongs to another user")


def test_a_folder_where_everybody_may_only_add_is_no_danger(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path, NOTHING_DECLARED)
    tmp_path.chmod(0o1777)
    assert exposed(workspace) == ""
