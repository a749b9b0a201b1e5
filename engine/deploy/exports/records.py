"""What an export is: the forms there are, what was written, and what was found when it was checked."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.records import Golden, ModelVersion
from lemnis.engine.features.signature import Signature

Form: TypeAlias = Literal["native", "onnx", "mlflow", "folder"]
FORMS: dict[Form, str] = {
    "native": "LightGBM's text, its signature with the map of every category, and golden rows",
    "onnx": "one ONNX file that takes the columns as they are; checked row by row",
    "mlflow": "a model directory of MLflow's, for mlflow.lightgbm and mlflow.pyfunc",
    "folder": "score.py, requirements, Dockerfile, KServe's and Triton's descriptors",
}


class Subject(Struct, frozen=True, kw_only=True):
    """What is exported.

    Attributes:
        text: The model's file, its hash checked.
        integers: Features whose column in the dataset holds whole numbers and had a value in every training row.
        rows: Held-out rows with golden ones behind them, as the model takes them, shape (rows, features).
    """

    version: ModelVersion
    signature: Signature
    golden: Golden
    text: str
    predictor: Predictor
    integers: frozenset[str]
    rows: Any  # a NumPy matrix


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
