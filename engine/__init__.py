"""The door: everything Lemnis does, without a terminal.

`Engine` is imported when it is asked for: a worker or a server needs one room, not all of them.
"""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.errors import LemnisError
from lemnis.engine.version import VERSION as __version__

if TYPE_CHECKING:
    from lemnis.engine.engine import Engine

__all__ = ["Engine", "LemnisError", "__version__"]
__getattr__ = later(__name__, {"engine": ("Engine",)})
