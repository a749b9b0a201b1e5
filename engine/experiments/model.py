"""Model files: trusted by their hash alone, because a damaged one can abort the process that loads it."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.errors import NotFound, StoreError

if TYPE_CHECKING:
    from lightgbm import Booster


def trusted_text(path: Path, sha256: str) -> str:
    """Return the text of a model file whose bytes have this hash.

    Raises:
        NotFound: There is no such file.
        StoreError: It is not the file that was written, or can't be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(
            "The model file is missing.", "Train the run again with `lemnis runs reproduce`.", str(path)
        ) from None
    except OSError as error:
        raise StoreError(f"The model file can't be read: {error.strerror}.", "Check its owner.", str(path)) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(
            "The model file is not the one that was trained: its SHA-256 differs.",
            "Restore it from a copy, or train the run again with `lemnis runs reproduce`.",
            str(path),
        )
    return content.decode()


def load_booster(path: Path, sha256: str) -> "Booster":
    """Return the model of a file, after its hash was found right; see `trusted_text` for what it raises."""
    text = trusted_text(path, sha256)
    import lightgbm

    return lightgbm.Booster(model_str=text)
