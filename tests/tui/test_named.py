"""Keys in sentences: every one that names an action follows the keys in force, and none is written by hand."""

# pyright: basic, reportAttributeAccessIssue=false

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engine_at, shows

from lemnis.tui.actions import ACTIONS
from lemnis.tui.app import Console
from lemnis.tui.keys import named
from lemnis.tui.keys.keymap import DEFAULT, LABELS, PRESETS, resolved
from lemnis.tui.keys.named import ID, keyed

TUI = Path(__file__).parent.parent.parent / "tui"
KEYS = {LABELS.get(key, key) for action in ACTIONS for key in action.key.split(",")} | {"escape"}
NAMED = "enter|esc|escape|space|tab|pgdn|pgup"
NAMES_A_KEY = re.compile(
    rf"(?:[Pp]ress|[Kk]ey|then) ([^\s.,;:]+)|(?:^|[\s(·])([b-rt-zB-HJ-Z!=<>\[\]]|{NAMED}) [a-z]+s\b|\(([^\s()])\)[.,;]"
)
# Keys that a dialog over the stage answers to; they are its own, and no keymap changes them.
OF_DIALOGS = {
    ("stages/explore/explained.py", "v"), ("stages/explore/explained.py", "space"),
    ("stages/explore/explained.py", "!"), ("stages/data/share_rows.py", "i"), ("screens/label.py", "u"),
    ("stages/data/link_fields.py", "enter"), ("stages/data/link_choices.py", "enter"),
    ("stages/explore/detail.py", "f"), ("stages/explore/detail.py", "v"),  # of the values' list
    ("stages/evaluate/edited.py", "enter"), ("stages/resources/room.py", "s"),
}  # fmt: skip
# Letters that are no keys: states of processes, and symbols of formulas.
NO_KEYS = {"stages/resources/explained.py", "stages/evaluate/swarms.py", "stages/evaluate/verified/slices.py"}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    named.use(DEFAULT)


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts in a file's code with their lines; docstrings are for readers of the code."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def own_keys(folder: Path) -> set[str]:
    """Return the keys that the dialogs of a folder answer to by themselves."""
    calls = re.findall(r'Binding\(\s*"([^"]+)"', "\n".join(path.read_text("utf-8") for path in folder.rglob("*.py")))
    return {LABELS.get(key, key) for keys in calls for key in str(keys).split(",")}


def test_no_sentence_names_the_key_of_an_action_by_hand() -> None:
    wrong: list[str] = []
    for path in TUI.rglob("*.py"):
        inside = path.relative_to(TUI)
        if inside.parts[0] in ("keys", "commands") or str(inside) in NO_KEYS:
            continue
        own = own_keys(path.parent if inside.parts[0] == "stages" else TUI / inside.parts[0])
        for line, text in sentences(path):
            for found in NAMES_A_KEY.finditer(text):
                key = next(filter(None, found.groups()))
                if key in KEYS and key not in own and (str(inside), key) not in OF_DIALOGS:
                    wrong.append(f"{inside}:{line} names {key}: {text[:80]}")
    assert not wrong, "name the action by its id in braces:\n" + "\n".join(wrong)


def test_every_id_in_a_sentence_is_that_of_an_action() -> None:
    known = {action.id for action in ACTIONS}
    named_ids = {
        (str(path.relative_to(TUI)), found)
        for path in TUI.rglob("*.py")
        for _, text in sentences(path)
        for found in ID.findall(text)
    }
    assert len(named_ids) > 50
    assert {(path, found) for path, found in named_ids if found not in known} == set()


def test_a_sentence_gets_the_keys_in_force_and_keeps_what_is_no_action() -> None:
    assert keyed("Press {experiments.train}, {app.back} or {no.such} {x}.") == "Press t, esc or {no.such} {x}."
    named.use(resolved({"preset": "emacs", "experiments.train": ["f5", "t"]}, ACTIONS))
    assert keyed("Press {experiments.train} or {app.back}.") == "Press f5 or ctrl+g."
    assert set(PRESETS) == {"default", "vim", "emacs"}


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_empty_places_toasts_and_explanations_name_the_keys_that_were_chosen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    keymap = resolved({"experiments.train": "f5", "app.edit": "f6", "experiments.compare": "f7"}, ACTIONS)
    console = Console(engine_at(tmp_path / "ws"), stage="experiments", keymap=keymap)
    async with console.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "Press f5 to train")
        await pilot.press("f7")
        await shows(pilot, "then press f7")
        await pilot.press("1")
        await shows(pilot, "Press f6")
        await pilot.press("5")
        await shows(pilot, "Link one in Data (2)")
        await pilot.press("K")
        await shows(pilot, "(f6 edits it)")
