"""Model files: trusted by their hash alone, because a damaged one of LightGBM can abort the process that loads it."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.errors import NotFound, StoreError

if TYPE_CHECKING:
    from lemnis.engine.models.linear import LinearModel
    from lemnis.engine.models.trees import Trees

LINEAR = "lemnis linear "  # how the file of a linear model begins
Model = Any  # a lightgbm.Booster, or a LinearModel, which answers the same calls; lightgbm is typed in part


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


def load_model(path: Path, sha256: str) -> Model:
    """Return the model of a file, after its hash was found right; see `trusted_text` for what it raises."""
    return read_model(trusted_text(path, sha256))


def read_answering(text: str) -> "Trees | LinearModel":
    """Return the model of a trusted text for what only asks it: it loads in a fraction of `read_model`'s time."""
    if text.startswith(LINEAR):
        from lemnis.engine.models.linear import read_linear

        return read_linear(text)
    from lemnis.engine.models.trees import Trees

    return Trees(text)


def read_model(text: str) -> Model:
    """Return the model of a trusted text."""
    if text.startswith(LINEAR):
        from lemnis.engine.models.linear import read_linear

        return read_linear(text)
    from lemnis.engine.trees import lightgbm

    return lightgbm.Booster(model_str=text)
