"""Doors: what a room offers to others, imported from where it lives once it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def later(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a package's `__getattr__` for the names that few of its users need: a room is there the sooner.

    Args:
        package: Its `__name__`.
        homes: The names by the module inside of it which defines them.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def found(name: str) -> Any:  # Any: a module's attribute; the package says its type under TYPE_CHECKING
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home_of[name]}"), name)

    return found
