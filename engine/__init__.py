"""The door: everything Lemnis does, without a terminal.

`Engine` is imported when it is asked for: a worker or a server needs one room, not all of them.
"""

from typing import TYPE_CHECKING, Any

from lemnis.engine.errors import LemnisError
from lemnis.engine.version import VERSION as __version__

if TYPE_CHECKING:
    from lemnis.engine.engine import Engine

__all__ = ["Engine", "LemnisError", "__version__"]


def __getattr__(name: str) -> Any:  # Any: a module's attribute; Engine is typed above
    if name == "Engine":
        from lemnis.engine.engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
