"""Keymaps: keys that a person declares work in the console, footer, help and palette, and clashes are told."""

# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import FakeEngine, becomes, screen_text, settle, shows

from lemnis.tui.actions import ACTIONS
from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.keys.declared import declared_keys, declared_theme, keys_file
from lemnis.tui.keys.keymap import DEFAULT, PRESETS, key_label, key_name, resolved
from lemnis.tui.keys.probe import told
from lemnis.tui.screens.help import keys_table
from lemnis.tui.widgets import Empty

TRAIN = next(action for action in ACTIONS if action.id == "experiments.train")


@pytest.mark.parametrize("key", sorted({key for action in ACTIONS for key in action.key.split(",")}))
def test_a_key_as_people_write_it_is_that_key(key: str) -> None:
    assert key_name(key_label(key)) == key


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_clashes_with_nothing_and_leaves_every_action_a_key_that_arrives(preset: str) -> None:
    assert resolved({"preset": preset}, ACTIONS).complaints == ()


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers() | st.booleans(), st.lists)))
def test_whatever_is_declared_gives_a_keymap_and_complaints(declared: dict[str, object]) -> None:
    keymap = resolved(declared, ACTIONS)
    assert set(keymap.changed) <= {action.id for action in ACTIONS}
    assert not any("\x1b" in complaint for complaint in keymap.complaints)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"experiments.trian": "T"}, "Did you mean experiments.train?"),
        ({"experiments": {"train": "x"}}, "x is experiments.train in experiments and so not experiments.stop."),
        ({"experiments.train": "y"}, "y is experiments.train in experiments and so not app.copy."),
        ({"experiments.train": "y"}, "y, which also answers its question"),
        ({"app.help": "ctrl+s"}, "app.help has ctrl+s alone: flow control"),
        ({"app.help": "hyperspace"}, "is no key"),
        ({"preset": "nano"}, "there are default, vim, emacs"),
    ],
)
def test_what_is_wrong_is_told(declared: dict[str, object], said: str) -> None:
    assert any(said in complaint for complaint in resolved(declared, ACTIONS).complaints)


def test_two_keys_can_be_exchanged_without_a_complaint() -> None:
    keymap = resolved({"experiments.train": "x", "experiments.stop": "t"}, ACTIONS)
    assert keymap.complaints == ()
    assert keymap.label(TRAIN) == "x"


def test_the_file_is_where_settings_are_and_a_broken_one_is_a_complaint(tmp_path: Path) -> None:
    assert keys_file({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "lemnis" / "config.toml"
    assert keys_file({"HOME": "/home/ada"}) == Path("/home/ada/.config/lemnis/config.toml")
    assert declared_keys(tmp_path / "none.toml") == DEFAULT
    broken = tmp_path / "config.toml"
    broken.write_text("[keys\n")
    assert "can't be read" in declared_keys(broken).complaints[0]
    broken.write_text("keys = 3\n")
    assert "is a table" in declared_keys(broken).complaints[0]


def test_the_table_of_the_readme_follows_the_keymap() -> None:
    changed = keys_table(resolved({"experiments.train": ["ctrl+t", "T"], "app.help": "f1"}, ACTIONS))
    assert f"| `ctrl+t` `T` | Experiments | {TRAIN.help} |" in changed
    assert "| `f1` | everywhere |" in changed
    assert f"| `t` | Experiments | {TRAIN.help} |" in keys_table()


class Shell(Console):
    """The console around stages that show nothing."""

    def make_stage(self, name: str) -> Empty:
        return Empty(f"here is {name}", id=f"stage-{name}")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_keys_that_were_changed_work_and_are_shown(size: tuple[int, int]) -> None:
    keymap = resolved({"app.help": "f1", "app.go_monitor": "M", "app.command_palette": "semicolon"}, ACTIONS)
    async with Shell(FakeEngine(), keymap=keymap).run_test(size=size) as pilot:
        await pilot.press("M")
        await shows(pilot, "here is monitor", " f1 ", " ; ")
        await pilot.press("question_mark")
        await settle(pilot)
        assert len(pilot.app.screen_stack) == 1, "the old key does nothing any more"
        await pilot.press("f1")
        await becomes(pilot, lambda: " f1  Help" in screen_text(pilot) or len(pilot.app.screen_stack) == 2)
        await pilot.press("escape", "semicolon", *"go to monit")
        await shows(pilot, "Monitor   M")


async def test_clashes_are_told_when_the_console_opens() -> None:
    keymap = resolved({"experiments.train": "x"}, ACTIONS)
    async with Shell(FakeEngine(), keymap=keymap).run_test(size=(80, 24), notifications=True) as pilot:
        await shows(pilot, "x is experiments.train", "lemnis keys check")


def test_the_commands_list_and_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(["--json", "keys", "check"]) == 0
    assert json.loads(capsys.readouterr().out)["complaints"] == []
    (tmp_path / "lemnis").mkdir()
    (tmp_path / "lemnis" / "config.toml").write_text('[keys]\npreset = "vim"\nexperiments.train = "x"\n')
    assert run(["keys", "check"]) == 1
    assert "x is experiments.train" in capsys.readouterr().out
    assert run(["--json", "keys", "list", "experiments"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["preset"] == "vim"
    assert {"keys": ["x"], "own": ["t"]}.items() <= next(k for k in document["keys"] if k["id"] == TRAIN.id).items()


def test_what_a_key_sends_is_told_with_what_it_does() -> None:
    assert told(b"j", ["j"], DEFAULT).split() == ["6a", "j", "Down", "(tables)"]
    assert "no key" in told(b"\x1b[?62c", [], DEFAULT)


def test_keys_test_over_a_real_terminal() -> None:
    child, master = pty.fork()
    if child == 0:
        code = "from lemnis.tui.commands import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", code, "keys", "test"])
    try:
        assert b"q twice" in read_until(master, b"q twice")
        for sent, said in ((b"\x1b[A", b"1b 5b 41"), (b"\x13", b"ctrl+s"), (b"\x1bx", b"alt+x"), (b"\x1b", b"esc")):
            os.write(master, sent)
            assert said in read_until(master, said)
        os.write(master, b"q")
        read_until(master, b"71 ")
        os.write(master, b"q")
        assert b"\x1b[<u" in read_until(master, b"\x1b[<u"), "the keyboard protocol is given back"
        assert os.waitpid(child, 0)[1] == 0
    finally:
        os.close(master)


def read_until(master: int, wanted: bytes, seconds: float = 60.0) -> bytes:
    """Return what a terminal shows up to some bytes; all of it at the deadline."""
    deadline, seen = time.monotonic() + seconds, b""
    while wanted not in seen and time.monotonic() < deadline:
        if select.select([master], [], [], 0.2)[0]:
            seen += os.read(master, 4096)
    return seen


def test_the_theme_is_declared_beside_the_keys(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert declared_theme(file) == "auto"
    file.write_text('theme = "light"\n[keys]\nexperiments.train = "f5"\n')
    assert declared_theme(file) == "light"
    assert declared_keys(file).label(TRAIN) == "f5"
    app = Shell(FakeEngine())
    app.wear("light")
    assert app.current_theme.name == "lemnis-light"
    app.wear("auto")
    assert app.current_theme.name == "lemnis-light"
    file.write_text('theme = "pink"\n')
    assert declared_theme(file) == "auto"
    assert "there are auto, light, dark" in declared_keys(file).complaints[0]
