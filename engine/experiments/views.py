"""Saved views of the runs: declared in lemnis.toml under [views.NAME], so that a team shares them."""

import re
from typing import Any

import msgspec
import tomlkit

from lemnis.engine.config import View, load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.search import read_search
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store
from lemnis.engine.text import safe

NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"


def views_of(store: Store) -> dict[str, View]:
    """Return the declared views by name; raises ConfigError."""
    return load_config(store.workspace.config).views


def view_of(store: Store, name: str) -> View:
    """Return one view; raises NotFound."""
    views = views_of(store)
    if name not in views:
        known = ", ".join(views) or "none yet"
        raise NotFound(f"There is no view {safe(name, limit=60)!r}.", f"There are: {known}.", "lemnis.toml")
    return views[name]


def save_view(store: Store, name: str, view: View, who: str) -> bool:
    """Declare a view, or another under its name; comments of lemnis.toml stay. Return whether the file differs.

    Raises:
        BadInput: The name can't be one, or somebody else changed the file meanwhile.
        QueryError: The view's query or order can't be read.
        ConfigError: The file is not accepted.
    """
    if not re.fullmatch(NAME, name):
        raise BadInput(f"{safe(name, limit=60)!r} can't be a view's name.", "Write a word, such as nightly.")
    read_search(view.query, view.sort)
    room = ProblemRoom(store)
    text = room.text()
    document: Any = tomlkit.parse(text)  # Any: tomlkit's items answer to whatever their value does
    if "views" not in document:
        document["views"] = tomlkit.table(is_super_table=True)
    table = document["views"].get(name)
    if table is None:
        table = tomlkit.table()
        document["views"][name] = table
    usual: dict[str, object] = msgspec.to_builtins(View())
    for key, value in msgspec.to_builtins(view).items():
        if value != usual[key]:
            table[key] = value
        elif key in table:
            del table[key]
    return room.edit(tomlkit.dumps(document), who, f"view {name} saved", expected=text)


def remove_view(store: Store, name: str, who: str) -> bool:
    """Take a view away; raises NotFound. Return whether the file differs."""
    view_of(store, name)
    room = ProblemRoom(store)
    text = room.text()
    document: Any = tomlkit.parse(text)
    del document["views"][name]
    if not document["views"]:
        del document["views"]
    return room.edit(tomlkit.dumps(document), who, f"view {name} removed", expected=text)
