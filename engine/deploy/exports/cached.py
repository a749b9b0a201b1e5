"""The MLflow directories of registered versions, made when a client first asks and kept under the model's hash."""

import threading
from pathlib import Path

from lemnis.engine.deploy import registry
from lemnis.engine.deploy.exports import forms
from lemnis.engine.deploy.exports.subject import subject_of
from lemnis.engine.deploy.exports.writing import MANIFEST, publish
from lemnis.engine.errors import Unavailable
from lemnis.engine.store import Store
from lemnis.engine.version import VERSION

ONE_AT_A_TIME = threading.Lock()  # several files of one model are asked for at once


def mlflow_folder(store: Store, model: str, number: int) -> Path:
    """Return the MLflow directory of a version; making it takes some seconds, the first time.

    Raises:
        NotFound: There is no such version.
        BadInput: Its file is damaged.
        Unavailable: The disk refuses.
    """
    version = registry.version(store, model, number)
    folder = store.workspace.hidden / "exports" / f"{model}-{number}-{version.sha256[:16]}-{VERSION}"
    with ONE_AT_A_TIME:
        if not (folder / MANIFEST).exists():
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            subject, _ = subject_of(store, model, number)
            try:
                publish(folder, "mlflow", subject, lambda made: forms.write_mlflow(made, subject))
            except Unavailable:
                if not (folder / MANIFEST).exists():  # else another process has made it meanwhile
                    raise
    return folder
