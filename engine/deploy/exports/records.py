"""What an export is: the forms there are, what was written, and what was found when it was checked."""

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

Form: TypeAlias = Literal["native", "onnx", "mlflow", "folder"]
FORMS: dict[Form, str] = {
    "native": "LightGBM's text, category maps, golden rows",
    "onnx": "one file, categories inside, checked by row",
    "mlflow": "for mlflow.lightgbm and mlflow.pyfunc",
    "folder": "score.py, Dockerfile, KServe, Triton",
}


class Checked(Struct, frozen=True, kw_only=True):
    """How an export was compared with the version it was made of.

    Attributes:
        rows: How many rows both have answered.
        farthest: The largest difference of a score.
        against: What the rows are, in words.
    """

    rows: int
    farthest: float
    against: str


class Outcome(Struct, frozen=True, kw_only=True):
    """What a form has found out when it was written."""

    checked: Checked
    warnings: list[str] = []


class Export(Struct, frozen=True, kw_only=True):
    """One export of a version, as it is on record.

    Attributes:
        path: Where it was written.
        sha256: Of its manifest, which has the hash of every file.
        files, bytes: Without the manifest.
    """

    id: int
    model: str
    version: int
    form: Form
    path: Path
    sha256: str
    files: int
    bytes: int
    checked: Checked
    warnings: list[str]
    who: str
    at: int
