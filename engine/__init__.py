"""The door: everything Lemnis does, without a terminal."""

from lemnis.engine.engine import Engine
from lemnis.engine.errors import LemnisError

__all__ = ["Engine", "LemnisError"]
__version__ = "0.1.0"
