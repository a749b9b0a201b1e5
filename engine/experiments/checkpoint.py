"""Checkpoints: the trees so far in one file with their own hash, replaced as a whole."""

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from lemnis.engine.files import write_atomic


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a training was.

    Attributes:
        round: Rounds of trees in `model`.
        best_round: By the main validation metric; None without a validation part.
        best: Every metric at the best round, None for NaN.
        seconds: Time spent training up to then.
        sha256: Of `model`.
    """

    round: int
    best_round: int | None = None
    best: dict[str, float | None] = {}
    seconds: float = 0.0
    sha256: str = ""
    model: str = ""


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint; a crash leaves the old one or the new one."""
    head = msgspec.structs.replace(checkpoint, sha256=digest(checkpoint.model), model="")
    write_atomic(path, msgspec.json.encode(head) + b"\n" + checkpoint.model.encode())


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint, or None when there is none or it is not whole: then training starts over."""
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        head, _, model = path.read_bytes().partition(b"\n")
        checkpoint = msgspec.structs.replace(msgspec.json.decode(head, type=Checkpoint), model=model.decode())
        if checkpoint.sha256 == digest(checkpoint.model):
            return checkpoint
    return None


def digest(text: str) -> str:
    """Return a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()
