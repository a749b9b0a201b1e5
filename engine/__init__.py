"""The door: everything Lemnis does, without a terminal."""

from lemnis.engine.engine import Engine
from lemnis.engine.errors import LemnisError
from lemnis.engine.version import VERSION as __version__

__all__ = ["Engine", "LemnisError", "__version__"]
