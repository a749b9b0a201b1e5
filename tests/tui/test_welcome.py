# pyright: basic, reportArgumentType=false, reportOptionalMemberAccess=false

from pathlib import Path

import pytest
from support import NOTHING_DECLARED, screen_text, shows
from textual.widgets import Input

from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands import console
from lemnis.tui.commands.session import Session
from lemnis.tui.remembered import known_workspaces
from lemnis.tui.screens.welcome import Choice, Welcome, completed


@pytest.fixture
def flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    create_workspace(tmp_path / "work" / "flights", NOTHING_DECLARED)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "sales.csv").write_text("a\n1\n")
    return tmp_path / "work" / "flights"


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 15)])
async def test_all_choices_are_seen_and_a_recent_workspace_is_one_key_away(
    size: tuple[int, int], flights: Path, tmp_path: Path
) -> None:
    app = Welcome(tmp_path / "empty", [flights])
    async with app.run_test(size=size) as pilot:
        await shows(pilot, " d  the demo", " i  my files", "sales.csv", " c  connect", " 1  ", " q  leave")
        await pilot.press("c")
        await shows(pilot, "ssh -t HOST lemnis -w DIR", "esc")
        await pilot.press("escape")
        await shows(pilot, " d  the demo")
        await pilot.press("1")
    assert app.return_value == Choice("open", flights)


async def test_a_typed_path_is_completed_and_a_wrong_one_is_refused_in_place(flights: Path, tmp_path: Path) -> None:
    app = Welcome(tmp_path / "empty")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        app.query_one(Input).value = str(tmp_path / "empty")
        await pilot.press("enter")
        await shows(pilot, "There is no lemnis.toml")
        app.query_one(Input).value = str(tmp_path / "wo")
        await pilot.press("tab", *"fl", "tab")
        assert app.query_one(Input).value == f"{flights}/", screen_text(pilot)
        await pilot.press("enter")
    assert app.return_value == Choice("open", flights)


def test_only_folders_complete_and_hidden_ones_when_they_are_meant(tmp_path: Path) -> None:
    for name in (".git", "abc", "abd"):
        (tmp_path / name).mkdir()
    (tmp_path / "aaa.csv").touch()
    assert completed(f"{tmp_path}/") == f"{tmp_path}/abc/"
    assert completed(f"{tmp_path}/.g") == f"{tmp_path}/.git/"
    assert completed(f"{tmp_path}/x") == f"{tmp_path}/x"
    assert completed(f"{tmp_path}/no/x") == f"{tmp_path}/no/x"


def test_what_was_chosen_is_opened(flights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Session] = []
    monkeypatch.setattr(Welcome, "run", lambda self: Choice("open", flights))
    monkeypatch.setattr(console, "open_console", lambda session: opened.append(session) or 0)
    monkeypatch.chdir(tmp_path / "empty")
    assert console.welcome(Session()) == 0
    assert [session.workspace for session in opened] == [flights]


def test_workspaces_that_are_gone_are_not_offered(flights: Path, tmp_path: Path) -> None:
    from lemnis.tui.remembered import remember

    remember(flights)
    remember(tmp_path / "gone")
    assert len(known_workspaces()) == 2
    assert console.recent_workspaces() == [flights]
