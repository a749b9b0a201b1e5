"""Keymaps: which keys do which action, by a preset and what a person declares, and what then clashes. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from msgspec import Struct, field

from lemnis.engine.text import safe
from lemnis.tui.keys.action import GLOBAL, TABLE, Action

LABELS = {
    "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup",
    "plus": "+", "minus": "-", "left_square_bracket": "[", "right_square_bracket": "]", "full_stop": ".",
    "equals_sign": "=", "number_sign": "#", "comma": ",", "exclamation_mark": "!", "at": "@",
    "left_parenthesis": "(", "right_parenthesis": ")", "less_than_sign": "<", "greater_than_sign": ">",
    "semicolon": ";", "apostrophe": "'", "quotation_mark": '"', "grave_accent": "`", "underscore": "_", "asterisk": "*",
    "ampersand": "&", "circumflex_accent": "^", "percent_sign": "%", "dollar_sign": "$", "vertical_line": "|",
    "tilde": "~", "left_curly_bracket": "{", "right_curly_bracket": "}", "backslash": "\\",
    "down": "↓", "up": "↑", "left": "←", "right": "→",
}  # fmt: skip
CHARACTERS = {label: name for name, label in LABELS.items()} | {" ": "space"}
NAMED = {
    "escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown", "up",
    "down", "left", "right", *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
MODIFIED = re.compile(r"(?:(?:ctrl|alt|shift|super|hyper|meta)\+)+")
EATEN = {
    "ctrl+a": "screen keeps it", "ctrl+b": "tmux keeps it", "ctrl+s": "flow control stops the screen with it",
    "ctrl+q": "flow control keeps it", "ctrl+c": "it interrupts", "ctrl+d": "it ends input",
    "ctrl+backslash": "it ends the process", "ctrl+m": "it is enter", "ctrl+i": "it is tab", "ctrl+j": "it is enter",
    "ctrl+h": "it is backspace", "ctrl+left_square_bracket": "it is escape",
}  # fmt: skip
PRESETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "default": {},
        "vim": {
            "table.page_down": "ctrl+f,ctrl+d,pagedown",
            "table.page_up": "ctrl+u,pageup",
            "app.backward": "ctrl+o,left_parenthesis,backspace",
            "table.open": "enter,ctrl+right_square_bracket",
        },
        "emacs": {
            "table.cursor_down": "ctrl+n,down,j",
            "table.cursor_up": "ctrl+p,up,k",
            "table.cursor_left": "ctrl+b,left,h",
            "table.cursor_right": "ctrl+f,right,l",
            "table.page_down": "ctrl+v,pagedown",
            "table.page_up": "alt+v,pageup",
            "table.top": "alt+less_than_sign,home,g",
            "table.bottom": "alt+greater_than_sign,end,G",
            "app.back": "ctrl+g,escape",
            "app.filter": "ctrl+r,slash",
            "app.command_palette": "alt+x,colon",
        },
    }
)  # fmt: skip


class Keymap(Struct, frozen=True):
    """The keys in force.

    Attributes:
        preset: The preset's name.
        changed: The keys of the actions that do not have their own, by the action's id; several separated by commas.
        complaints: What is wrong with what was declared, one sentence each; it does not count then, or hides something.
    """

    preset: str = "default"
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    complaints: tuple[str, ...] = ()

    def keys(self, action: Action) -> str:
        """Return an action's keys as Textual names them, separated by commas."""
        return self.changed.get(action.id, action.key)

    def label(self, action: Action) -> str:
        """Return an action's keys as they are written for people."""
        return key_label(self.keys(action))


DEFAULT = Keymap()


def key_label(key: str) -> str:
    """Return keys as they are written for people: ``question_mark,ctrl+slash`` is ``? ctrl+/``."""
    return " ".join(labelled(part) for part in key.split(","))


def labelled(key: str) -> str:
    """Return one key as it is written for people, its modifiers as Textual names them."""
    held = MODIFIED.match(key)
    before = held.group() if held else ""
    rest = key.removeprefix(before)
    return before + LABELS.get(rest, rest)


def key_name(text: str) -> str:
    """Return Textual's name of a key that a person wrote, such as ``?``, ``ctrl+x`` or ``pgdn``; empty if none."""
    said = text.strip() or text
    held = MODIFIED.match(said)
    before = held.group() if held else ""
    rest = said.removeprefix(before)
    if rest in CHARACTERS:
        name = CHARACTERS[rest]
    elif rest in NAMED or rest in LABELS or (len(rest) == 1 and rest.isalnum()):
        name = rest
    elif len(rest) == 1 and rest.isprintable():
        name = unicodedata.name(rest, "").lower().replace("-", "_").replace(" ", "_")
    else:
        name = rest if re.fullmatch(r"[a-z]+(_[a-z]+)+", rest) else ""
    return before + name if name else ""


def resolved(declared: Mapping[str, object], actions: Sequence[Action]) -> Keymap:
    """Return the keymap of a ``[keys]`` table: its preset, and keys by the id of an action, dotted or quoted."""
    known = {action.id: action for action in actions}
    preset = declared.get("preset", "default")
    complaints: list[str] = []
    if preset not in PRESETS:
        complaints.append(f"preset = “{safe(preset, limit=40)}” is none: there are {', '.join(PRESETS)}.")
        preset = "default"
    changed = dict(PRESETS[str(preset)])
    for name, value in flattened({key: value for key, value in declared.items() if key != "preset"}):
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else " `lemnis keys list` names all."
            complaints.append(f"“{safe(name, limit=60)}” is no action.{hint}")
            continue
        keys = [key_name(part) for part in written(value)]
        if not keys or not all(keys):
            complaints.append(
                f'{name} = {safe(value, limit=60)!r} is no key: write one such as "ctrl+t" or ["t", "f5"].'
            )
            continue
        changed[name] = ",".join(dict.fromkeys(keys))
    kept = {name: keys for name, keys in changed.items() if keys != known[name].key} if known else changed
    if not kept:  # nothing clashes that doesn't anyway
        return Keymap(str(preset), kept, tuple(complaints))
    keymap = Keymap(str(preset), kept)
    before = {clash.key for clash in clashes(DEFAULT, actions)}
    found = [clash.words for clash in clashes(keymap, actions) if clash.key not in before]
    return Keymap(keymap.preset, kept, (*complaints, *found, *unreachable(keymap, actions)))


def written(value: object) -> list[str]:
    """Return the keys that a value of ``[keys]`` lists; none where it is neither a text nor a list of texts."""
    if isinstance(value, str):
        return [part for part in value.split(",") if part] if value != "," else [","]
    if isinstance(value, list):
        parts: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return [str(part) for part in parts] if all(isinstance(part, str) for part in parts) else []
    return []


def flattened(table: Mapping[str, object], before: str = "") -> Iterable[tuple[str, object]]:
    """Yield the ids and values of a table, whose dotted keys TOML reads as tables in it."""
    for name, value in table.items():
        if isinstance(value, dict):
            inner: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType]
            yield from flattened(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


class Clash(Struct, frozen=True):
    """Two actions that one key would do at the same place; `key` tells it from others."""

    key: tuple[str, str, str]
    words: str


def clashes(keymap: Keymap, actions: Sequence[Action]) -> list[Clash]:
    """Return where one key is two actions of one place, or an action of a tab takes one from tables or everywhere."""
    found: list[Clash] = []
    tables, everywhere = ([one for one in actions if one.scope == scope] for scope in (TABLE, GLOBAL))
    stages = dict.fromkeys(action.scope for action in actions if action.scope not in (GLOBAL, TABLE))
    for scope in ("", *stages):
        own = [action for action in actions if action.scope == scope]
        heard: dict[str, Action] = {}
        for action in (*tables, *own, *everywhere):  # in the order in which they are asked
            for key in keymap.keys(action).split(","):
                first = heard.setdefault(key, action)
                if first is not action and (not scope or scope in (first.scope, action.scope)):
                    where = f" in {scope}" if scope else ""
                    told = f"{labelled(key)} is {first.id}{where} and so not {action.id}."
                    found.append(Clash((key, first.id, action.id), told))
    return found


def unreachable(keymap: Keymap, actions: Sequence[Action]) -> list[str]:
    """Return what is said of changed actions whose keys hardly ever arrive, or also answer a question."""
    told: list[str] = []
    for action in actions:
        keys = keymap.changed.get(action.id, "").split(",")
        if keys != [""] and all(key in EATEN for key in keys):
            told.append(f"{action.id} has {key_label(keys[0])} alone: {EATEN[keys[0]]}.")
        if action.writes and "y" in keys:
            told.append(f"{action.id} has y, which also answers its question.")
    return told
