"""What a person declares in their own config.toml, read once when the console opens: `[keys]`, and the theme."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from msgspec.structs import replace

from lemnis.engine.text import safe
from lemnis.tui.actions import ACTIONS
from lemnis.tui.keys.keymap import Keymap, resolved

THEMES = ("auto", "light", "dark")  # auto: as the terminal tells
EXAMPLE = '[keys]\npreset = "vim"\nexperiments.train = ["T", "f5"]\n'


def keys_file(environment: Mapping[str, str]) -> Path:
    """Return where a person's own settings are: config.toml below $XDG_CONFIG_HOME, else below ~/.config."""
    home = Path(environment.get("HOME") or Path.home())
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "lemnis" / "config.toml"


def declared_keys(path: Path | None = None) -> Keymap:
    """Return the keymap of a person's config.toml, the default one with a complaint where that can't be read."""
    path = path or keys_file(os.environ)
    try:
        settings = read(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        return Keymap(complaints=(f"{path} can't be read: {error}.",))
    table, theme = settings.get("keys", {}), settings.get("theme", THEMES[0])
    if not isinstance(table, dict):
        return Keymap(complaints=(f"{path}: [keys] is a table, such as {EXAMPLE!r}.",))
    keymap = resolved(cast("dict[str, object]", table), ACTIONS)
    if theme in THEMES:
        return keymap
    said = f"theme = “{safe(theme, limit=40)}” is none: there are {', '.join(THEMES)}."
    return replace(keymap, complaints=(said, *keymap.complaints))


def declared_theme(path: Path | None = None) -> str:
    """Return the theme that a person's config.toml asks for, one of `THEMES`; `auto` where it says nothing sensible."""
    try:
        theme = read(path or keys_file(os.environ)).get("theme")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return THEMES[0]
    return theme if isinstance(theme, str) and theme in THEMES else THEMES[0]


def read(path: Path) -> dict[str, object]:
    """Return what a file of settings says; nothing where there is none."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
