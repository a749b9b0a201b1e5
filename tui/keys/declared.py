"""The keys that a person declares: `[keys]` of their own config.toml, read once when the console opens."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from lemnis.tui.actions import ACTIONS
from lemnis.tui.keys.keymap import Keymap, resolved

EXAMPLE = '[keys]\npreset = "vim"\nexperiments.train = ["T", "f5"]\n'


def keys_file(environment: Mapping[str, str]) -> Path:
    """Return where a person's own settings are: config.toml below $XDG_CONFIG_HOME, else below ~/.config."""
    home = Path(environment.get("HOME") or Path.home())
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "lemnis" / "config.toml"


def declared_keys(path: Path | None = None) -> Keymap:
    """Return the keymap of a person's config.toml, the default one with a complaint where that can't be read."""
    path = path or keys_file(os.environ)
    try:
        with path.open("rb") as file:
            table: object = tomllib.load(file).get("keys", {})
    except FileNotFoundError:
        return Keymap()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        return Keymap(complaints=(f"{path} can't be read: {error}.",))
    if not isinstance(table, dict):
        return Keymap(complaints=(f"{path}: [keys] is a table, such as {EXAMPLE!r}.",))
    return resolved(cast("dict[str, object]", table), ACTIONS)
