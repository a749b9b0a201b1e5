"""The calls that list the artifacts of a run or of a logged model."""

from pathlib import Path

from lemnis.engine.experiments.tracked import find_run
from lemnis.engine.store import Store
from lemnis.engine.tracking import artifacts, models, protocol
from lemnis.engine.tracking.protocol import Document


class AskModelFiles(models.AskModel, kw_only=True):
    """A folder of a logged model."""

    artifact_directory_path: str = ""


def list_artifacts(store: Store, asked: protocol.AskArtifacts) -> Document:
    """Return what is in a folder of a run's artifacts."""
    run = find_run(store, asked.uid)
    return listing(artifacts.run_folder(store, run), asked.path, protocol.artifact_uri(run))


def list_model_files(store: Store, asked: AskModelFiles) -> Document:
    """Return what is in a folder of a logged model."""
    row = models.model_row(store, asked.model_id)
    folder = artifacts.model_folder(store, row["experiment_id"], asked.model_id)
    return listing(folder, asked.artifact_directory_path, models.artifact_uri(row))


def listing(root: Path, path: str, uri: str) -> Document:
    """Return what is in a folder below another; nothing of a file."""
    folder = artifacts.below(root, artifacts.parts_of(path))
    before = f"{path.rstrip('/')}/" if path else ""
    entries = [] if folder.is_file() else artifacts.listed(folder)
    return {
        "root_uri": uri,
        "files": [protocol.entry_document(f"{before}{e.path}", e.is_dir, e.bytes) for e in entries],
    }
