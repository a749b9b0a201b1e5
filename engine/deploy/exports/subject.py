"""What is exported: a version that has answered its golden rows, with real rows to compare an export by."""

from typing import Any

from msgspec import Struct

from lemnis.engine.deploy import registry
from lemnis.engine.deploy.exports import parity
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.records import Golden, ModelVersion
from lemnis.engine.errors import LemnisError
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import read_answering, trusted_text
from lemnis.engine.store import Store


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


def subject_of(store: Store, model: str, number: int, *, cores: int = 1) -> tuple[Subject, str]:
    """Return a version ready to be exported, and in words what its rows are; it has answered its golden rows.

    Raises:
        NotFound: There is no such version.
        BadInput: The file is damaged.
    """
    version = registry.version(store, model, number)
    signature, golden = registry.signature_of(store, model, number), registry.golden_of(store, model, number)
    ask_model(version.path, version.sha256, signature, golden.rows, golden.answers)
    text = trusted_text(version.path, version.sha256)
    dataset: str | None = store.value("select version_id from runs where id = ?", [version.run_id])
    rows, against = parity.real_rows(store, dataset, signature, golden)
    subject = Subject(
        version=version,
        signature=signature,
        golden=golden,
        text=text,
        predictor=Predictor(read_answering(text), signature, cores=cores),
        integers=whole_columns(store, dataset),
        rows=rows,
    )
    return subject, against


def whole_columns(store: Store, dataset: str | None) -> frozenset[str]:
    """Return the columns of a dataset version that hold whole numbers; none where it is not known here."""
    from lemnis.engine.data.versions import find_version

    try:
        columns = find_version(store, dataset).columns if dataset else []
    except LemnisError:
        columns = []
    return frozenset(column.name for column in columns if column.type.startswith(("int", "uint")))
